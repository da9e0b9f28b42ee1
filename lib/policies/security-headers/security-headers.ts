/** `securityHeaders`: the fields that tell browsers to be careful, on every answer that does not say otherwise itself. */
import type { PolicyDefinition } from "../../contract/policy.ts";
import type { SecurityHeadersOptions } from "./options.ts";

const HSTS = "strict-transport-security";

export const securityHeaders: PolicyDefinition<SecurityHeadersOptions> = {
  name: "securityHeaders",
  refuses: [],
  cacheable: true,
  create: ({ fields, override }) => ({
    onSend({ request }, { headers }) {
      for (const [name, value] of fields) {
        // RFC 6797 section 7.2: never over plain HTTP, where anybody on the way could have written it.
        if (name === HSTS && request.scheme !== "https") continue;
        if (override || !headers.has(name)) headers.set(name, value);
      }
    },
  }),
};
