/**
 * A lenient guard forwards ambiguous paths as they are: `/open/..%2fadmin` would reach what a stricter route to the same server
 * protects. So a lenient route may only stand beside routes that ask for nothing more than it does.
 */
import type { AuthOptions } from "../policies/auth/options.ts";
import type { Draft } from "./compile-route.ts";
import type { CompiledBackend } from "./compiled.ts";
import type { Report } from "./issue.ts";
import { isReference } from "./references.ts";

/** Built-in policies that keep somebody out. Two routes agree where their options do. */
const SCREENS: readonly string[] = ["ip", "geo", "origin", "userAgent", "authorize"];

/** What a request must bring for a route to let it through. */
export interface Requirements {
  /** Any one of these; empty lets everyone in. */
  readonly auth: readonly string[];
  /** All of these. */
  readonly rules: readonly string[];
}

/** Whether `a` refuses somebody whom `b` lets in. */
export function isStricter(a: Requirements, b: Requirements): boolean {
  const asksForOtherCredentials = a.auth.length > 0 && (b.auth.length === 0 || b.auth.some((name) => !a.auth.includes(name)));
  return asksForOtherCredentials || a.rules.some((rule) => !b.rules.includes(rule));
}

export function reportLenientGuards(drafts: readonly Draft[], backends: readonly CompiledBackend[], report: Report): void {
  if (drafts.every(({ route }) => route.guard === "strict")) return;
  /** Per origin, one route for each distinct set of requirements: few, however many routes there are. */
  const byOrigin = new Map<string, Map<string, { requirements: Requirements; position: string }>>();
  const all = drafts.map((draft) => ({ draft, requirements: requirementsOf(draft), origins: originsOf(draft, backends) }));
  for (const { draft, requirements, origins } of all) {
    for (const origin of origins) {
      const known = byOrigin.get(origin) ?? new Map<string, { requirements: Requirements; position: string }>();
      const key = JSON.stringify(requirements);
      if (!known.has(key)) known.set(key, { requirements, position: draft.route.position });
      byOrigin.set(origin, known);
    }
  }
  for (const { draft, requirements, origins } of all) {
    if (draft.route.guard === "strict") continue;
    const stricter = origins
      .flatMap((origin) => [...byOrigin.get(origin)!.values()])
      .find((other) => isStricter(other.requirements, requirements));
    if (!stricter) continue;
    report.error(
      "lenient-guard",
      [...draft.place, "guard"],
      `a lenient guard here would open ${stricter.position}, which leads to the same server and asks for more.`,
      'Use `guard: "strict"`, or `encodedSlash: "keep"` if only %2F must pass.',
    );
  }
}

function requirementsOf({ route }: Draft): Requirements {
  // `auth` is the same for every method.
  const step = route.variants.at(-1)!.steps.find(({ policy, mode }) => policy === "auth" && mode === "enforce");
  const { accept, need, optional } = (step?.options ?? { accept: [], need: "any", optional: true }) as unknown as AuthOptions;
  const auth = optional ? [] : accept;
  const rules = route.variants.flatMap(({ steps }) =>
    steps.flatMap(({ policy, custom, mode, options }) => {
      if (mode === "shadow") return [];
      if (policy === "auth") return need === "all" ? `all of ${JSON.stringify(accept)}` : [];
      if (!(custom || SCREENS.includes(policy))) return [];
      return custom ? policy : `${policy} ${JSON.stringify(options)}`;
    }),
  );
  return { auth, rules: [...new Set(rules)].sort() };
}

function originsOf({ route }: Draft, backends: readonly CompiledBackend[]): string[] {
  if (route.backend === null) return [];
  return backends[route.backend]!.targets.map(({ url }) => {
    // An address that is a reference is known by its text; the same server under two names can't be told.
    if (isReference(url)) return JSON.stringify((url as { $ref: unknown }).$ref);
    return URL.canParse(url) ? new URL(url).origin : url;
  });
}
