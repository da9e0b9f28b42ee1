/**
 * Stricter routes beside a laxer one to the same server: `/admin` with `auth` beside an open `/*`. A server that reads paths
 * more laxly than the gateway takes `/Admin/` for `/admin`. Found when the config is loaded; for these routes alone a request's path is
 * read once more (lib/engine/match.ts).
 */

import type { Report } from "../../config/issue.ts";
import { isReference } from "../../config/references.ts";
import type { CompiledBackend, CompiledVariant } from "../../contract/compiled/config.ts";
import { foldCase, type PathComparison } from "../../http/path-readings.ts";
import { isStepOf, stepsOfPolicy } from "../../policies/policy-step.ts";
import type { Draft } from "../compile-route.ts";
import { policySchemaOf } from "../policy-steps.ts";

/** What a request must bring for a route to let it through. */
export interface Requirements {
  /** Any one of these; empty lets everyone in. */
  readonly auth: readonly string[];
  /** All of these. */
  readonly rules: readonly string[];
  /** Undefined where it hangs on a variable. */
  readonly maxBodyBytes?: number | undefined;
}

/** By method; `""` for those without settings of their own. */
type ByMethod = Readonly<Record<string, Requirements>>;

/** Routes with equal rules, to equal servers. */
interface Group {
  readonly requirements: ByMethod;
  readonly origins: ReadonlySet<string>;
  readonly drafts: Draft[];
}

/** Whether `a` refuses a request that `b` lets through. */
export function isStricter(a: Requirements, b: Requirements): boolean {
  const asksForOtherCredentials = a.auth.length > 0 && (b.auth.length === 0 || b.auth.some((name) => !a.auth.includes(name)));
  const takesLess = a.maxBodyBytes !== undefined && b.maxBodyBytes !== undefined && a.maxBodyBytes < b.maxBodyBytes;
  return asksForOtherCredentials || takesLess || a.rules.some((rule) => !b.rules.includes(rule));
}

/** The same drafts, each with the groups of rules that a laxer reading must not get round by way of it. */
export function withStricterRoutes(
  drafts: readonly Draft[],
  backends: readonly CompiledBackend[],
  comparison: PathComparison,
  report: Report,
): Draft[] {
  const groups = groupsOf(drafts, backends);
  const stricter = new Map<Draft, number[]>();
  const compared = new Set<number>();
  for (const group of groups) {
    const above = groups.filter((other) => other !== group && sharesServer(other, group) && isStricterForSome(other, group));
    if (above.length === 0) continue;
    for (const draft of group.drafts) {
      const reached = above.filter((other) => other.drafts.some((target) => isReached(target, draft)));
      if (reached.length === 0) continue;
      const numbers = reached.map((other) => groups.indexOf(other));
      stricter.set(draft, numbers);
      for (const number of numbers) compared.add(number);
      reportPairs(draft, reached, comparison, report);
    }
  }
  if (stricter.size === 0) return [...drafts];
  const numberOf = new Map(groups.flatMap((group, number) => group.drafts.map((draft) => [draft, number] as const)));
  return drafts.map((draft) => {
    const rules = numberOf.get(draft)!;
    const above = stricter.get(draft);
    const route = { ...draft.route, ...(compared.has(rules) && { rules }), ...(above && { stricter: above }) };
    return { ...draft, route };
  });
}

const SHOWN = 3;

function reportPairs(draft: Draft, groups: readonly Group[], comparison: PathComparison, report: Report): void {
  const { route, place } = draft;
  const isLenient = route.guard === "lenient";
  const isSaid = comparison.caseSensitive !== undefined && comparison.trailingSlash !== undefined;
  if (isSaid && !isLenient && route.encodedSlash === "refuse") return;
  const targets = groups.flatMap((group) => group.drafts.filter((other) => isLenient || isNarrower(other, draft)));
  const isSpelling = !isSaid && targets.some((other) => isNarrower(other, draft));
  if (targets.length === 0) return;
  const shown = targets.slice(0, SHOWN).map(({ route: { position, path } }) => `${position} (${path})`);
  const others = targets.length > SHOWN ? ` and ${targets.length - SHOWN} more` : "";
  report.warn(
    "stricter-route",
    [...place, "path"],
    `${shown.join(", ")}${others} ${targets.length > 1 ? "ask" : "asks"} for more at the same server. Paths that servers often read as such a path (other case, a trailing slash, \`;\`, trailing dots, encoded slashes) get 404 here.`,
    isSpelling ? "Say how the backend reads paths: `caseSensitive` and `trailingSlash`." : undefined,
  );
}

function groupsOf(drafts: readonly Draft[], backends: readonly CompiledBackend[]): Group[] {
  const groups = new Map<string, Group>();
  for (const draft of drafts) {
    const requirements = requirementsOf(draft);
    const origins = originsOf(draft, backends);
    const key = JSON.stringify([requirements, origins]);
    const group = groups.get(key) ?? { requirements, origins: new Set(origins), drafts: [] };
    group.drafts.push(draft);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** What a route refuses by itself it refuses in front of every server. */
function sharesServer(stricter: Group, { origins }: Group): boolean {
  return (
    origins.size > 0 &&
    !origins.has(ANY_ORIGIN) &&
    (stricter.origins.has(ANY_ORIGIN) || [...origins].some((origin) => stricter.origins.has(origin)))
  );
}

function isStricterForSome(a: Group, b: Group): boolean {
  const methods = new Set([...Object.keys(a.requirements), ...Object.keys(b.requirements)]);
  const of = ({ requirements }: Group, method: string) => requirements[method] ?? requirements[""]!;
  return [...methods].some((method) => isStricter(of(a, method), of(b, method)));
}

function requirementsOf({ route }: Draft): ByMethod {
  return Object.fromEntries(
    route.variants.flatMap((variant) => (variant.methods ?? [""]).map((method) => [method, requirementsIn(variant)] as const)),
  );
}

function requirementsIn({ steps, maxBodyBytes }: CompiledVariant): Requirements {
  const enforced = steps.filter(({ mode }) => mode === "enforce");
  const auth = enforced.find((step) => isStepOf("auth", step));
  const { accept, need, optional } = auth?.options ?? { accept: [], need: "any", optional: true };
  const rules = enforced.flatMap((step) => {
    const { policy, custom, options } = step;
    if (custom) return [`use ${policy}`];
    if (isStepOf("respond", step)) return step.options.status >= 400 ? ["refused here"] : [];
    return policySchemaOf(policy)?.restricts ? [`${policy} ${JSON.stringify(options)}`] : [];
  });
  if (auth && need === "all") rules.push(`all of ${JSON.stringify(accept)}`);
  return {
    auth: optional ? [] : accept,
    rules: [...new Set(rules)].sort(),
    maxBodyBytes: typeof maxBodyBytes === "number" ? maxBodyBytes : undefined,
  };
}

const ANY_ORIGIN = "*";

/** Every server that a request of the route may reach. */
function originsOf({ route }: Draft, backends: readonly CompiledBackend[]): string[] {
  const isRefusal = stepsOfPolicy("respond", [route]).some(({ options }) => options.status >= 400);
  if (isRefusal) return [ANY_ORIGIN];
  const used = [route.backend, route.fallback, route.mirror?.backend].filter((index) => typeof index === "number");
  const origins = used.flatMap((index) =>
    backends[index]!.targets.map(({ url }) => {
      // An address that is a reference is known by its text; the same server under two names can't be told.
      if (isReference(url)) return JSON.stringify((url as { $ref: unknown }).$ref);
      return URL.canParse(url) ? new URL(url).origin : url;
    }),
  );
  return [...new Set(origins)].sort();
}

/** Whether some path of `from`, read more laxly, could be one of `target`. */
function isReached(target: Draft, from: Draft): boolean {
  if (target === from || !sharesHost(target.route.host, from.route.host)) return false;
  // Byte for byte, dot segments lead everywhere.
  if (from.route.guard === "lenient") return true;
  const [wanted, given] = [foldedShape(target), foldedShape(from)];
  const literals = given.findIndex(isOpen);
  // A path without parameters has one text, and stays open for it.
  if (literals < 0) return false;
  for (let i = 0; i < literals; i++) {
    const segment = wanted[i];
    // Wider than `from`, whose own path wins for whatever is below it.
    if (segment === "*") return given[literals] !== "*";
    if (segment === undefined || (segment !== ":" && segment !== given[i])) return false;
  }
  return !(wanted[literals] === "*" && given[literals] === "*");
}

/** Whether paths of `target` are paths of `wide` too, and win there. */
function isNarrower(target: Draft, wide: Draft): boolean {
  if (!sharesHost(target.route.host, wide.route.host)) return false;
  const [narrow, open] = [foldedShape(target), foldedShape(wide)];
  let isMore = false;
  for (let i = 0; i < Math.max(narrow.length, open.length); i++) {
    const [one, other] = [narrow[i], open[i]];
    if (other === "*") return one !== "*";
    if (one === other) continue;
    if (other !== ":" || one === undefined || one === "*") return false;
    isMore = true;
  }
  return isMore;
}

function sharesHost(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return true;
  const covers = (wild: string, host: string) => wild.startsWith("*.") && host.endsWith(wild.slice(1));
  return covers(a, b) || covers(b, a);
}

function isOpen(segment: string): boolean {
  return segment === ":" || segment === "*";
}

/** Without a trailing slash. */
function foldedShape({ shape }: Draft): readonly string[] {
  const folded = shape.map(foldCase);
  return folded.length > 1 && folded.at(-1) === "" ? folded.slice(0, -1) : folded;
}
