/** Checks a part of the config against its schema setting by setting, so that one fault does not hide the next. */
import type { z } from "zod";
import type { ConfigPath, Report } from "./issue.ts";
import { didYouMean } from "./nearest.ts";
import { FORMS_NOT_BUILT, PLACES } from "./schema-fields.ts";

export interface Checked<T> {
  /** The settings that fit their schema; each of the others has been reported. */
  readonly settings: Partial<T>;
  readonly broken: ReadonlySet<string>;
}

/** Undefined where the value is no object at all, which has been reported; `expects` ends the sentence "expected …". */
export function checkSettings<Schema extends z.ZodObject>(
  schema: Schema,
  value: unknown,
  place: ConfigPath,
  report: Report,
  expects = "an object",
): Checked<z.output<Schema>> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    report.error("wrong-type", place, `expected ${expects}, got ${describe(value)}.`);
    return undefined;
  }
  const result = schema.safeParse(value);
  if (result.success) return { settings: result.data, broken: new Set() };
  for (const issue of result.error.issues) reportIssue(issue, value, place, report);
  const broken = new Set<string>();
  for (const { path, code } of result.error.issues)
    if (path.length > 0 || code !== "unrecognized_keys") broken.add(String(path[0]));
  const settings = Object.entries(value).filter(([key]) => key in schema.shape && !broken.has(key));
  return { settings: Object.fromEntries(settings) as Partial<z.output<Schema>>, broken };
}

type ZodIssue = z.core.$ZodIssue;

function reportIssue(issue: ZodIssue, root: unknown, base: ConfigPath, report: Report): void {
  const inner = issue.path as (string | number)[];
  const place = [...base, ...inner];
  const value = inner.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | undefined)?.[key], root);
  switch (issue.code) {
    case "unrecognized_keys":
      for (const key of issue.keys) reportKey(key, issue.message, place, report);
      return;
    case "invalid_union":
      reportUnion(issue, value, place, root, base, report);
      return;
    case "invalid_type":
      if (value === undefined) report.error("missing-key", place, `\`${String(inner.at(-1) ?? "config")}\` is missing.`);
      else report.error("wrong-type", place, `expected ${nameOfType(issue.expected)}, got ${describe(value)}.`);
      return;
    case "invalid_value":
      if (value === undefined) {
        report.error("missing-key", place, `\`${String(inner.at(-1))}\` is missing.`);
        return;
      }
      report.error(
        "wrong-value",
        place,
        `expected ${issue.values.map((allowed) => JSON.stringify(allowed)).join(" or ")}, got ${describe(value)}.`,
        didYouMean(String(value), issue.values.map(String)),
      );
      return;
    case "too_small":
      report.error("wrong-value", place, "expected at least one entry.");
      return;
    default:
      report.error("wrong-type", place, `expected ${issue.message}, got ${describe(value)}.`);
  }
}

function reportKey(key: string, placeName: string, place: ConfigPath, report: Report): void {
  const { shape, notBuilt, routeOnly } = PLACES.get(placeName)!;
  const known = Object.keys(shape).filter((name) => !name.startsWith("$"));
  const at = [...place, key];
  if (notBuilt.includes(key)) report.error("not-built", at, notBuiltMessage(key));
  else if (routeOnly.includes(key)) {
    report.error("unknown-key", at, `\`${key}\` has no default.`, "Say it on each route.");
  } else
    report.error(
      "unknown-key",
      at,
      `there is no key \`${key}\` here.`,
      didYouMean(key, [...known, ...notBuilt]) ?? `There are ${known.join(", ")}.`,
    );
}

function notBuiltMessage(key: string): string {
  return `\`${key}\` is part of the design but not built in this version.`;
}

/** Of several forms, the one that was meant is the one whose own type fits; its faults are told, not the others'. */
function reportUnion(
  issue: Extract<ZodIssue, { code: "invalid_union" }>,
  value: unknown,
  place: ConfigPath,
  root: unknown,
  base: ConfigPath,
  report: Report,
): void {
  if (value === undefined) {
    report.error("missing-key", place, `\`${String(place.at(-1))}\` is missing.`);
    return;
  }
  const meant = issue.errors.find((branch) =>
    branch.every(({ path, code }) => path.length > 0 || code === "unrecognized_keys" || code === "too_small"),
  );
  if (meant) {
    for (const inner of meant) reportIssue({ ...inner, path: [...issue.path, ...inner.path] } as ZodIssue, root, base, report);
    return;
  }
  const notBuilt =
    typeof value === "object" && value !== null
      ? Object.keys(value).filter((key) => FORMS_NOT_BUILT.get(issue.message)?.includes(key))
      : [];
  for (const key of notBuilt) report.error("not-built", [...place, key], notBuiltMessage(key));
  if (notBuilt.length === 0) report.error("wrong-type", place, `expected ${issue.message}, got ${describe(value)}.`);
}

function nameOfType(type: string): string {
  if (type === "array") return "a list";
  if (type === "string") return "a text";
  if (type === "object" || type === "record") return "an object";
  return `a ${type}`;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return value.length > 60 ? "a text" : JSON.stringify(value);
  return String(value);
}
