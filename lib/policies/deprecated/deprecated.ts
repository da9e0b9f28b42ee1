/** `deprecated`: tells callers that a route is on its way out: Deprecation (RFC 9745), Sunset (RFC 8594) and a link to what to do. */
import type { PolicyDefinition } from "../../contract/policy.ts";
import type { DeprecatedOptions } from "./options.ts";

export const deprecated: PolicyDefinition<DeprecatedOptions> = {
  name: "deprecated",
  refuses: [],
  cacheable: true,
  create({ sinceSeconds, sunsetSeconds, link }) {
    const sunset = sunsetSeconds === undefined ? undefined : new Date(sunsetSeconds * 1000).toUTCString();
    return {
      onSend(_, { headers }) {
        // A structured Date (RFC 9651 section 3.3.7).
        headers.set("deprecation", `@${sinceSeconds}`);
        if (sunset !== undefined) headers.set("sunset", sunset);
        if (link !== undefined) headers.append("link", `<${link}>; rel="deprecation"`);
      },
    };
  },
};
