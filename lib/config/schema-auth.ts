/** The schema of an authenticator: one kind and its settings. */
import { AUTHENTICATOR_SCHEMAS } from "../authenticators/schemas.ts";
import { strict } from "./schema-fields.ts";

export const authenticatorSchema = strict(
  "authenticator",
  {
    basic: AUTHENTICATOR_SCHEMAS.basic.setting.optional(),
  },
  ["jwt", "apiKey", "forward", "webhook", "hmac", "signature", "introspection", "clientCert", "oidc"],
);
