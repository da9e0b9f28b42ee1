/** Custom policies by name: each name is well formed, stands for one policy, and is none of the gateway's own. */

import type { ConfigPath, Report } from "../config/issue.ts";
import { asList } from "../config/schema-fields.ts";
import type { CustomPolicy } from "../contract/policy.ts";
import { POLICY_SCHEMAS } from "../policies/schemas.ts";
import { CustomProblems } from "./custom-problems.ts";

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const PHASES: readonly unknown[] = [undefined, "screen", "authorize", "validate"];
const MODES: readonly unknown[] = [undefined, "enforce", "shadow"];

export class CustomPolicyNames {
  readonly #byName: Map<string, CustomPolicy>;
  readonly #report: Report;
  readonly #problems: CustomProblems;

  constructor(byName: Map<string, CustomPolicy>, report: Report) {
    this.#problems = new CustomProblems(report);
    this.#byName = byName;
    this.#report = report;
  }

  /** The policies of a `use` that can be used. */
  read(use: CustomPolicy | readonly CustomPolicy[] | false | undefined, place: ConfigPath): readonly CustomPolicy[] {
    if (use === false) return [];
    const policies = asList(use);
    return policies.filter((policy, index) => this.#accept(policy, Array.isArray(use) ? [...place, index] : place));
  }

  #accept(policy: CustomPolicy, place: ConfigPath): boolean {
    const { name, row, phase = row, mode, create } = policy;
    if (typeof create !== "function") {
      this.#report.error(
        "policy-not-here",
        place,
        "a custom policy needs a `create` function.",
        "Make it by `definePolicy` in gateway.config.ts; JSON and YAML can't hold one.",
      );
      return false;
    }
    if (typeof name !== "string" || !NAME.test(name) || name in POLICY_SCHEMAS) {
      const why =
        name in POLICY_SCHEMAS
          ? "is the name of a policy of the gateway's own"
          : "is no name for a policy: small letters and digits, joined by -";
      this.#report.error("policy-name", place, `${JSON.stringify(name)} ${why}.`);
      return false;
    }
    if (!PHASES.includes(phase))
      this.#report.error(
        "wrong-value",
        [...place, "phase"],
        `expected "screen", "authorize" or "validate", got ${JSON.stringify(phase)}.`,
      );
    if (!MODES.includes(mode))
      this.#report.error("wrong-value", [...place, "mode"], `expected "enforce" or "shadow", got ${JSON.stringify(mode)}.`);
    const earlier = this.#byName.get(name);
    if (earlier !== undefined && earlier !== policy) {
      this.#report.error(
        "policy-twice",
        place,
        `two custom policies are called "${name}".`,
        "Give each its own name; one policy may be used by many routes.",
      );
      return false;
    }
    if (earlier === undefined) this.#problems.check(policy, place);
    this.#byName.set(name, policy);
    return true;
  }
}
