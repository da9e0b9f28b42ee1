/** What shapes answers that belong to no route, such as 404: the response headers of `defaults`. */

import { POLICY_SCHEMAS } from "../policies/schemas.ts";
import type { CompiledStep } from "./compiled.ts";
import { Fields } from "./fields.ts";
import type { Report } from "./issue.ts";
import type { DefaultsInput } from "./schema.ts";

/** Faults in defaults are told here, once, and not again for each route. */
export function unroutedSteps(defaults: Partial<DefaultsInput> | undefined, report: Report): CompiledStep[] {
  const { headers } = defaults ?? {};
  if (!headers) return [];
  const { response } = POLICY_SCHEMAS.headers.compile(headers, ["defaults", "headers"], new Fields(report));
  if (response.set.length + response.append.length + response.remove.length === 0) return [];
  const options = { request: { set: [], append: [], remove: [] }, response };
  return [{ policy: "headers", custom: false, mode: "enforce", options: options as unknown as CompiledStep["options"] }];
}
