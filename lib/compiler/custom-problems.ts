/** Checks the `problems` of custom policies: codes of their own, each with a status and a title. */
import type { ConfigPath, Report } from "../config/issue.ts";
import type { CustomPolicy } from "../contract/policy.ts";

const CODE = /^custom\/[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const KEYS: readonly string[] = ["status", "title", "meaning", "operator"];

export class CustomProblems {
  /** As text, by code. */
  readonly #known = new Map<string, { readonly policy: string; readonly text: string }>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  check({ name, problems }: CustomPolicy, place: ConfigPath): void {
    if (problems === undefined) return;
    if (!isObject(problems)) {
      this.#fault(name, [...place, "problems"], `expected an object, got ${JSON.stringify(problems)}`);
      return;
    }
    for (const [code, problem] of Object.entries(problems)) {
      const at = [...place, "problems", code];
      if (!CODE.test(code))
        this.#fault(
          name,
          at,
          `${JSON.stringify(code)} is no code of a custom policy`,
          'Begin with "custom/", then small letters and digits, joined by -: "custom/out-of-stock".',
        );
      else if (!isObject(problem)) this.#fault(name, at, `expected { status, title }, got ${JSON.stringify(problem)}`);
      else this.#checkProblem(name, code, problem, at);
    }
  }

  #checkProblem(name: string, code: string, problem: Readonly<Record<string, unknown>>, at: ConfigPath): void {
    const { status, title } = problem;
    if (!Number.isInteger(status) || (status as number) < 400 || (status as number) > 599)
      this.#fault(name, [...at, "status"], `expected a whole number from 400 to 599, got ${JSON.stringify(status)}`);
    if (typeof title !== "string" || title.trim() === "")
      this.#fault(name, [...at, "title"], `expected a sentence, got ${JSON.stringify(title)}`);
    for (const key of Object.keys(problem)) {
      if (!KEYS.includes(key))
        this.#fault(name, [...at, key], `there is no key \`${key}\` here`, `There are ${KEYS.join(", ")}.`);
      else if (problem[key] !== undefined && key !== "status" && key !== "title" && typeof problem[key] !== "string")
        this.#fault(name, [...at, key], `expected a text, got ${JSON.stringify(problem[key])}`);
    }
    this.#checkTwice(name, code, JSON.stringify(problem), at);
  }

  /** A code has one page, so it means one thing. */
  #checkTwice(name: string, code: string, text: string, at: ConfigPath): void {
    const known = this.#known.get(code);
    if (known === undefined) this.#known.set(code, { policy: name, text });
    else if (known.text !== text)
      this.#fault(
        name,
        at,
        `the policy "${known.policy}" says something else of "${code}"`,
        "Give each policy its own code, or let both have the same object.",
      );
  }

  #fault(policy: string, place: ConfigPath, fault: string, fix?: string): void {
    this.#report.error("wrong-value", place, `the custom policy "${policy}": ${fault}.`, fix);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
