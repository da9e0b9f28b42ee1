/** Custom policies of a config by name: found while compiling, and found again at start in a bundle, where there is no schema. */
import type { CustomPolicy } from "../contract/policy.ts";

export type CustomPolicies = ReadonlyMap<string, CustomPolicy>;
export const NO_CUSTOM_POLICIES: CustomPolicies = new Map();

/** Of a config that has been compiled before, and so holds one policy to a name. */
export function customPoliciesOf(config: { readonly defaults?: object; readonly routes: readonly object[] }): CustomPolicies {
  const places: readonly { readonly use?: unknown }[] = [config.defaults ?? {}, ...config.routes];
  const policies = places.flatMap(({ use }) => (use ? (use as CustomPolicy | readonly CustomPolicy[]) : []));
  return new Map(policies.map((policy) => [policy.name, policy]));
}
