/** What can be wrong with a config: the rules by id, one finding as a value, and how findings are told to people. */

/** Every rule has at least one file in test/golden that breaks it. */
export const RULES = [
  "source-conflict",
  "source-missing",
  "source-syntax",
  "source-import",
  "variable-value",
  "unknown-key",
  "not-built",
  "missing-key",
  "wrong-type",
  "wrong-value",
  "name-grammar",
  "unknown-backend",
  "unused-backend",
  "unknown-authenticator",
  "auth-missing",
  "auth-none-alone",
  "one-kind",
  "needs-auth",
  "secret-in-config",
  "audience-missing",
  "needs-redis",
  "one-destination",
  "needs-backend",
  "path-grammar",
  "reserved-path",
  "host-grammar",
  "method-name",
  "method-not-on-route",
  "strip-prefix",
  "rewrite-grammar",
  "redirect-target",
  "open-redirect",
  "body-conflict",
  "body-not-allowed",
  "said-twice",
  "cors-anybody",
  "open-origin",
  "date-order",
  "limit-conflict",
  "limit-name",
  "limit-cost",
  "tier-missing",
  "too-many-limits",
  "header-name",
  "header-reserved",
  "header-twice",
  "value-format",
  "body-limit",
  "request-value",
  "request-value-not-here",
  "reference-grammar",
  "reference-not-here",
  "reference-absent",
  "assertion-unsigned",
  "reference-value",
  "secret-in-build",
  "equal-routes",
  "unreachable-route",
  "hidden-route",
  "stricter-route",
  "shared-cache",
  "fault-in-production",
  "strict-place",
  "place-without-region",
  "place-unknown",
  "bulkhead-unbounded",
  "vercel-regions",
  "checks-by-cron",
  "policy-name",
  "policy-twice",
  "policy-not-here",
  "useless-setting",
  "same-prefix",
] as const;
export type Rule = (typeof RULES)[number];

/** Where in the config: `["routes", 3, "backend"]`. */
export type ConfigPath = readonly (string | number)[];

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Issue {
  readonly rule: Rule;
  readonly severity: "error" | "warning";
  /** `routes[3].backend`; empty for the config as a whole. */
  readonly path: string;
  readonly message: string;
  /** How to mend it, as a sentence. */
  readonly fix?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly issues: readonly Issue[];
  /** The file or variable that the config came from. */
  readonly origin: string;

  constructor(issues: readonly Issue[], origin: string) {
    super(formatIssues(issues, origin));
    this.issues = issues;
    this.origin = origin;
  }
}

/** One line for each: `gateway.yaml:12:5 routes[3].backend: there is no backend called "catalgo". Did you mean "catalog"?` */
export function formatIssues(issues: readonly Issue[], origin: string): string {
  return issues
    .map(({ severity, path, message, fix, line, column }) => {
      const position = line === undefined ? origin : `${origin}:${line}:${column}`;
      const where = path === "" ? `${position}:` : `${position} ${path}:`;
      return `${severity === "warning" ? "warning: " : ""}${where} ${message}${fix ? ` ${fix}` : ""}`;
    })
    .join("\n");
}

/** `routes[3].when.headers["x-beta"]` */
export function formatPlace(place: ConfigPath): string {
  let text = "";
  for (const part of place) {
    if (typeof part === "number") text += `[${part}]`;
    else if (/^[A-Za-z_$][\w$-]*$/.test(part)) text += text === "" ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

/** Collects findings, each with its position in the file where there is one. */
export class Report {
  readonly issues: Issue[] = [];
  readonly #seen = new Set<string>();
  readonly #locate: (place: ConfigPath) => Position | undefined;

  constructor(locate: (place: ConfigPath) => Position | undefined = () => undefined) {
    this.#locate = locate;
  }

  error(rule: Rule, place: ConfigPath, message: string, fix?: string): void {
    this.#add({ rule, severity: "error", path: formatPlace(place), message, fix, ...this.#locate(place) });
  }

  warn(rule: Rule, place: ConfigPath, message: string, fix?: string): void {
    this.#add({ rule, severity: "warning", path: formatPlace(place), message, fix, ...this.#locate(place) });
  }

  /** A fault in `defaults` is met once for each route, and told once. */
  #add(issue: Issue): void {
    const key = `${issue.path} ${issue.message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.issues.push(issue);
  }

  /** Throws all errors and warnings together where there is an error; returns the warnings otherwise. In the order of the file. */
  settle(origin: string): Issue[] {
    const ordered = this.issues.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
    if (ordered.some(({ severity }) => severity === "error")) throw new ConfigError(ordered, origin);
    return ordered;
  }
}
