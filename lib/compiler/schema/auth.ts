/** The schema of an authenticator: one kind and its settings. */
import { AUTHENTICATOR_SCHEMAS } from "../../authenticators/schemas.ts";
import { strict } from "../../config/schema-fields.ts";

export const authenticatorSchema = strict(
  "authenticator",
  {
    jwt: AUTHENTICATOR_SCHEMAS.jwt.setting.optional(),
    apiKey: AUTHENTICATOR_SCHEMAS.apiKey.setting.optional(),
    basic: AUTHENTICATOR_SCHEMAS.basic.setting.optional(),
    forward: AUTHENTICATOR_SCHEMAS.forward.setting.optional(),
  },
  ["webhook", "hmac", "signature", "introspection", "clientCert", "oidc"],
);
