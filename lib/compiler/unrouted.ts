/** What shapes answers that belong to no route, such as 404: the `cors`, response headers and security headers of `defaults`. */

import { Fields } from "../config/fields.ts";
import type { Report } from "../config/issue.ts";
import type { CompiledStep } from "../contract/compiled/config.ts";
import { POLICY_SCHEMAS } from "../policies/schemas.ts";
import type { Defaults } from "./defaults.ts";

/** Faults in defaults are told here, once, and not again for each route. */
export function unroutedSteps({ settings, placeOf }: Defaults, report: Report): CompiledStep[] {
  const { cors, headers, securityHeaders } = settings;
  const fields = new Fields(report);
  const steps: CompiledStep[] = [];
  const add = (policy: string, options: unknown) =>
    steps.push({ policy, custom: false, mode: "enforce", options: options as CompiledStep["options"] });
  if (cors) add("cors", POLICY_SCHEMAS.cors.compile(cors, placeOf("cors"), fields));
  if (headers) {
    const { response } = POLICY_SCHEMAS.headers.compile(headers, placeOf("headers"), fields);
    if (response.set.length + response.append.length + response.remove.length > 0)
      add("headers", { request: { set: [], append: [], remove: [] }, response });
  }
  if (securityHeaders)
    add("securityHeaders", POLICY_SCHEMAS.securityHeaders.compile(securityHeaders, placeOf("securityHeaders"), fields));
  return steps;
}
