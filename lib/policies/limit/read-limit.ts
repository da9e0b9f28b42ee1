/** One limit or quota of a config, read: what it counts, by what, and what it takes. */
import type { Fields } from "../../config/fields.ts";
import { TOKEN } from "../../config/header-fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import type { CostSetting, LimitObject, QuotaSetting } from "../../config/limit-setting.ts";
import { didYouMean } from "../../config/nearest.ts";
import { asList } from "../../config/schema-fields.ts";
import type { CalendarRate, Rate } from "../../config/units.ts";
import type { Cost, CountedBy, Limit, LimitRule, Unit } from "./compiled-limit.ts";

/** The text of a rate can't be told apart from a reference to one by its type: only a number is known now. */
type Known<T> = T | undefined;

const UNITS = ["requests", "tokens", "units"] as const;
const SUBJECTS = ["caller", "ip", "consumer", "key", "route", "backend", "global"] as const;
const NAMED_SUBJECT = /^(header|claim|param):(.+)$/;
const NAME = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;
/** Where nothing better is known of it: no request counts as nothing, and a quota of tokens is seldom spent by one. */
const STANDARD_RESERVE = 1;

/** A limit with the name that it was given, which others may share. */
export interface ReadLimit extends Limit {
  readonly given: string | undefined;
}

/** Undefined after a fault that was reported. */
export function readLimit(input: string | LimitObject, place: ConfigPath, fields: Fields): ReadLimit | undefined {
  if (typeof input === "string") {
    const rate = fields.value(input, place, "rate");
    return rate && limitOf({ algorithm: "sliding-window", rate }, "requests", { name: undefined, place, fields });
  }
  const unit = unitOf(input, place, fields);
  if (unit === undefined) return undefined;
  const rule = ruleOf(input, unit, place, fields);
  const by = byOf(input, place, fields);
  const cost = input.cost === undefined ? ONE : costOf(input.cost, [...place, "cost"], fields);
  if (rule === undefined || by === undefined || cost === undefined) return undefined;
  const limit: ReadLimit = {
    ...limitOf(rule, unit, { name: input.name, place, fields }),
    by,
    cost,
    counts: input.count === undefined ? "requests" : "failures",
    exact: input.exact ?? true,
    onUnavailable: input.onUnavailable ?? "local",
    shadow: input.mode === "shadow",
  };
  checkTogether(input, limit, place, fields);
  return limit;
}

export function readQuota(input: QuotaSetting, place: ConfigPath, fields: Fields): ReadLimit | undefined {
  const { requests, per, anchor } = typeof input === "string" ? {} : { anchor: undefined, ...input };
  const rate =
    typeof input === "string"
      ? fields.value(input, place, "calendarRate")
      : calendarRate(fields.value(requests!, [...place, "requests"], "amount"), per!);
  const anchorSeconds = anchor === undefined ? null : fields.value(anchor, [...place, "anchor"], "date");
  if (rate === undefined || anchorSeconds === undefined) return undefined;
  return limitOf({ algorithm: "period", rate, anchorSeconds }, "requests", { name: undefined, place, fields });
}

const ONE: Cost = { kind: "fixed", units: 1 };

function limitOf(
  rule: LimitRule,
  unit: Unit,
  { name, place, fields }: { readonly name: string | undefined; readonly place: ConfigPath; readonly fields: Fields },
): ReadLimit {
  if (name !== undefined && !NAME.test(name)) {
    const message = `${JSON.stringify(name)} is no name for a limit: letters, digits, ".", "-" and "_", beginning with a letter.`;
    fields.report.error("limit-name", [...place, "name"], message);
  }
  return {
    given: name,
    name: name ?? ownName(rule, unit),
    scope: null,
    method: null,
    rule,
    unit,
    by: [{ from: "caller" }],
    cost: ONE,
    counts: "requests",
    exact: true,
    onUnavailable: "local",
    shadow: false,
  };
}

/** `requests-per-1m`; `requests` where the window hangs on a variable. */
function ownName(rule: LimitRule, unit: Unit): string {
  if (rule.algorithm === "concurrency") return `${unit}-at-once`;
  if (rule.algorithm === "period") return rule.rate.per === undefined ? "quota" : `quota-${rule.rate.per}`;
  const windowMs: unknown = rule.rate.windowMs;
  return typeof windowMs === "number" ? `${unit}-per-${formatWindow(windowMs)}` : unit;
}

function formatWindow(ms: number): string {
  const [unit, size] = (
    [
      ["d", 86_400_000],
      ["h", 3_600_000],
      ["m", 60_000],
    ] as const
  ).find(([, each]) => ms % each === 0) ?? ["s", 1000];
  return `${ms / size}${unit}`;
}

function unitOf(input: LimitObject, place: ConfigPath, { report }: Fields): Unit | undefined {
  const given = UNITS.filter((unit) => input[unit] !== undefined);
  if (given.length === 1) return given[0];
  if (given.length === 0) report.error("missing-key", place, "`requests` (or `tokens` or `units`) is missing.");
  else report.error("limit-conflict", place, `${given.map((unit) => `\`${unit}\``).join(" and ")} exclude each other.`);
  return undefined;
}

function ruleOf(input: LimitObject, unit: Unit, place: ConfigPath, fields: Fields): LimitRule | undefined {
  const amount = fields.value(input[unit]!, [...place, unit], "amount");
  const { algorithm = "sliding-window" } = input;
  if (algorithm === "concurrency") return amount === undefined ? undefined : { algorithm, amount };
  if (input.per === undefined) {
    fields.report.error("missing-key", place, "`per` is missing.", 'Write the window, such as `per: "1m"`.');
    return undefined;
  }
  const windowMs = fields.value(input.per, [...place, "per"], "window");
  if (amount === undefined || windowMs === undefined) return undefined;
  const rate: Rate = { amount, windowMs };
  if (algorithm !== "token-bucket") return { algorithm, rate };
  const burst = input.burst === undefined ? null : fields.value(input.burst, [...place, "burst"], "amount");
  return burst === undefined ? undefined : { algorithm, rate, burst };
}

function byOf(input: LimitObject, place: ConfigPath, fields: Fields): readonly CountedBy[] | undefined {
  if (input.by === undefined) return [{ from: input.count === undefined ? "caller" : "ip" }];
  const read = asList(input.by).map((subject, index) =>
    subjectOf(subject, Array.isArray(input.by) ? [...place, "by", index] : [...place, "by"], fields),
  );
  return read.every((subject) => subject !== undefined) ? read : undefined;
}

function subjectOf(input: string, place: ConfigPath, fields: Fields): CountedBy | undefined {
  const subject = fields.plain(input, place);
  if (subject === undefined) return undefined;
  const plain = SUBJECTS.find((name) => name === subject);
  // Which backend that is, the route says.
  if (plain) return plain === "backend" ? { from: plain, name: "" } : { from: plain };
  const [, from, name = ""] = NAMED_SUBJECT.exec(subject) ?? [];
  if (from === "header" && TOKEN.test(name)) return { from, name: name.toLowerCase() };
  if (from === "claim") return { from, name };
  if (from === "param") return fields.param(name, place) === undefined ? undefined : { from, name };
  fields.report.error(
    "wrong-value",
    place,
    `nothing can be counted by ${JSON.stringify(subject)}.`,
    didYouMean(subject, SUBJECTS) ?? `There are ${SUBJECTS.join(", ")}, header:NAME, claim:NAME and param:NAME.`,
  );
  return undefined;
}

function costOf(input: CostSetting, place: ConfigPath, fields: Fields): Cost | undefined {
  if (typeof input !== "object") {
    const units = fields.value(input, place, "amount");
    return units === undefined ? undefined : { kind: "fixed", units };
  }
  const kinds = (["header", "json", "usage", "size"] as const).filter((kind) => input[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const message =
      kind === undefined
        ? "one of `header`, `json`, `usage` and `size` is missing."
        : `${kinds.map((each) => `\`${each}\``).join(" and ")} exclude each other.`;
    fields.report.error(kind === undefined ? "missing-key" : "limit-conflict", place, message);
    return undefined;
  }
  const reserve = fields.value(input.reserve ?? STANDARD_RESERVE, [...place, "reserve"], "amount");
  if (reserve === undefined) return undefined;
  switch (kind) {
    case "size": {
      const bytes = fields.value(input.size!, [...place, "size"], "size");
      if (input.reserve !== undefined)
        fields.report.error(
          "limit-conflict",
          [...place, "reserve"],
          "`reserve` means nothing with `size`: the request itself tells.",
        );
      return bytes === undefined ? undefined : { kind, bytes };
    }
    case "header":
      if (TOKEN.test(input.header!)) return { kind, header: input.header!.toLowerCase(), reserve };
      fields.report.error(
        "header-name",
        [...place, "header"],
        `${JSON.stringify(input.header)} is not the name of a header field.`,
      );
      return undefined;
    case "json":
      return { kind, path: input.json!.split("."), reserve };
    case "usage":
      return { kind, of: input.usage!, reserve };
  }
}

/** Keys that mean nothing beside each other. */
function checkTogether(input: LimitObject, { rule, by, cost }: Limit, place: ConfigPath, { report }: Fields): void {
  const conflict = (key: keyof LimitObject, message: string) => {
    if (input[key] !== undefined) report.error("limit-conflict", [...place, key], message);
  };
  if (rule.algorithm !== "token-bucket") conflict("burst", '`burst` belongs to `algorithm: "token-bucket"`.');
  if (rule.algorithm === "concurrency") {
    conflict("per", "`concurrency` counts what is under way: it has no `per`.");
    conflict("cost", "with `concurrency` a request takes one place, whatever its cost.");
    conflict("count", "`concurrency` counts what is under way, not how it ends.");
    conflict("exact", "places are always counted exactly.");
  }
  if (input.count !== undefined) {
    conflict("cost", 'a failure counts once: `cost` means nothing with `count: "auth-failures"`.');
    conflict("exact", "failures are always counted exactly.");
    if (by.some(isIdentity))
      report.error("limit-conflict", [...place, "by"], "whose credentials are wrong is not known: count failures by ip.");
  }
  const capacity = capacityOf(rule);
  const taken = cost.kind === "fixed" ? cost.units : cost.kind === "size" ? 1 : cost.reserve;
  if (typeof capacity === "number" && typeof taken === "number" && taken > capacity) {
    report.error(
      "limit-cost",
      [...place, "cost"],
      `${taken} at a time never fit into ${capacity}: every request would be refused.`,
    );
  }
}

/** Whether only who is identified has it. */
export function isIdentity({ from }: CountedBy): boolean {
  return from === "caller" || from === "consumer" || from === "key" || from === "claim";
}

/** A reference where it hangs on a variable. */
function capacityOf(rule: LimitRule): Known<number> {
  if (rule.algorithm === "concurrency") return rule.amount;
  return rule.algorithm === "token-bucket" ? (rule.burst ?? rule.rate.amount) : rule.rate.amount;
}

function calendarRate(amount: number | undefined, per: CalendarRate["per"]): CalendarRate | undefined {
  return amount === undefined ? undefined : { amount, per };
}
