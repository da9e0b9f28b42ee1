/** Backends of a config, compiled: addresses, how one of them is chosen, time limits and headers. */

import type { z } from "zod";
import { Fields } from "../config/fields.ts";
import { headerName, TOKEN } from "../config/header-fields.ts";
import type { ConfigPath, Report } from "../config/issue.ts";
import { reportLiteralSecret } from "../config/literal-secret.ts";
import { compileRegion } from "../config/region-setting.ts";
import { checkSettings } from "../config/schema-issues.ts";
import {
  type Balance,
  type CompiledAssertion,
  type CompiledBackend,
  type CompiledCanary,
  type CompiledTarget,
  STANDARD_BODY_PACE,
  type Timeouts,
} from "../contract/compiled/backend.ts";
import type { CompiledRetry } from "../contract/compiled/resilience.ts";
import { compileResilience, retryOver } from "./compile-resilience.ts";
import type { DefaultSettings } from "./defaults.ts";
import { type assertionObject, backendObject, type targets, type timeout } from "./schema/backend.ts";

export const STANDARD_TIMEOUTS: Timeouts = { connectMs: 2000, firstByteMs: 30_000 };
const STANDARD_BALANCE: Balance = { by: "round-robin" };
const STANDARD_SLOW_START_MS = 5000;
const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

type Settings = Partial<z.output<typeof backendObject>>;
type Canary = NonNullable<Settings["canary"]>;

/** A compiled backend with what it says for its routes. */
export interface BackendDraft {
  readonly backend: CompiledBackend;
  readonly fallback: Settings["fallback"];
}

/** What `defaults` say of a thing that a backend can say too, which then counts. */
interface Inherited {
  readonly timeouts: Timeouts;
  /** Undefined where they say nothing. */
  readonly retry: CompiledRetry | false | undefined;
}

export function compileBackends(
  backends: Readonly<Record<string, unknown>>,
  { timeout, retry }: Pick<DefaultSettings, "timeout" | "retry">,
  report: Report,
): BackendDraft[] {
  const fields = new Fields(report);
  const inherited: Inherited = {
    timeouts: timeoutsOver(STANDARD_TIMEOUTS, timeout, ["defaults", "timeout"], fields),
    retry: retry && (retryOver(undefined, retry, ["defaults", "retry"], fields) ?? false),
  };
  return Object.entries(backends).map(([name, input]) => {
    const place = ["backends", name];
    if (!NAME.test(name))
      report.error(
        "name-grammar",
        place,
        `"${name}" is no name for a backend: letters, digits, - and _, beginning with a letter.`,
      );
    return compileBackend(name, input, inherited, place, report);
  });
}

function compileBackend(name: string, input: unknown, inherited: Inherited, place: ConfigPath, report: Report): BackendDraft {
  const fields = new Fields(report);
  if (typeof input === "string")
    return { backend: fromSettings(name, [targetOf(input, place, fields)], {}, inherited, place, fields), fallback: undefined };
  const checked = checkSettings(backendObject, input, place, report, "a URL or { url, targets, … }");
  const { url, targets: list, fallback, ...settings } = checked?.settings ?? {};
  const isBroken = checked?.broken.has("url") || checked?.broken.has("targets");
  if (url !== undefined && list !== undefined) {
    report.error("said-twice", [...place, "targets"], "`url` and `targets` exclude each other.", "Put `url` into the list.");
  } else if (checked && url === undefined && list === undefined && !isBroken) {
    report.error("missing-key", place, "`url` or `targets` is missing.");
  }
  const own = list ? targetsOf(list, [...place, "targets"], fields) : [targetOf(url, [...place, "url"], fields)];
  const { canary } = settings;
  const added = canary ? targetOf(canary.url, [...place, "canary", "url"], fields) : undefined;
  if (added && own.some(({ url }) => JSON.stringify(url) === JSON.stringify(added.url)))
    report.error("said-twice", [...place, "canary", "url"], "this is where everybody goes already.");
  reportPlaces(own, settings, place, fields);
  return { backend: fromSettings(name, added ? [...own, added] : own, settings, inherited, place, fields), fallback };
}

function fromSettings(
  name: string,
  compiled: readonly CompiledTarget[],
  {
    balance,
    canary,
    strict = false,
    slowStart,
    timeout,
    forwardCredential = false,
    preserveHost = false,
    headers = {},
    assertion = false,
    ...resilience
  }: Settings,
  inherited: Inherited,
  place: ConfigPath,
  fields: Fields,
): CompiledBackend {
  const timeouts = timeoutsOver(inherited.timeouts, timeout, [...place, "timeout"], fields);
  if (resilience.bulkhead && timeouts.idleMs === undefined && timeouts.totalMs === undefined)
    fields.report.warn(
      "bulkhead-unbounded",
      [...place, "bulkhead"],
      "an answer that stops in the middle keeps its place for as long as its caller waits.",
      'Write `timeout: { idle: "30s" }`, or `total`.',
    );
  return {
    name,
    targets: compiled,
    canary: canary ? canaryOf(canary, [...place, "canary"], fields) : undefined,
    strict: strict || undefined,
    balance: balance === undefined ? STANDARD_BALANCE : balanceOf(balance, [...place, "balance"], fields),
    slowStartMs: slowStartOf(slowStart, [...place, "slowStart"], fields),
    resilience: compileResilience(resilience, compiled.length > 1, inherited.retry, place, fields),
    timeouts,
    forwardCredential,
    headers: Object.entries(headers).flatMap(([key, value]) => {
      const at = [...place, "headers", key];
      const lower = headerName(key, "request", at, fields);
      reportLiteralSecret(key, value, at, fields.report);
      return lower === undefined ? [] : [[lower, fields.value(value, at, "header") ?? ""] as const];
    }),
    preserveHost: fields.value(preserveHost, [...place, "preserveHost"], "boolean") ?? false,
    ...(assertion === false
      ? {}
      : { assertion: compileAssertion(name, assertion === true ? {} : assertion, [...place, "assertion"], fields) }),
  };
}

/** Reserved, so that a caller's own never passes anywhere. */
const ASSERTION_FIELD = "x-gateway-assertion";

function compileAssertion(
  backend: string,
  given: z.output<typeof assertionObject>,
  place: ConfigPath,
  fields: Fields,
): CompiledAssertion {
  const { audience = backend, issuer, ttl = "1m", header = ASSERTION_FIELD, claims } = given;
  const isOwn = header.toLowerCase() === ASSERTION_FIELD;
  return {
    audience: fields.value(audience, [...place, "audience"], "secret") ?? "",
    issuer: issuer === undefined ? undefined : fields.value(issuer, [...place, "issuer"], "secret"),
    ttlSeconds: fields.value(ttl, [...place, "ttl"], "shortSeconds") ?? 60,
    header: (isOwn ? ASSERTION_FIELD : headerName(header, "request", [...place, "header"], fields)) ?? ASSERTION_FIELD,
    claims: fields.list(claims, [...place, "claims"], "string").map((name) => ({ from: "claim", name })),
  };
}

function targetsOf(list: z.output<typeof targets>, place: ConfigPath, fields: Fields): CompiledTarget[] {
  const compiled = list.map((item, index): CompiledTarget => {
    const at = [...place, index];
    if (typeof item === "string") return targetOf(item, at, fields);
    const { url, weight = 1, priority = 0, where, at: point } = item;
    return {
      ...targetOf(url, [...at, "url"], fields),
      weight: fields.value(weight, [...at, "weight"], "weight") ?? 1,
      priority: fields.value(priority, [...at, "priority"], "count") ?? 0,
      ...(where === undefined ? {} : { where: compileRegion(where, [...at, "where"], fields) }),
      ...(point === undefined ? {} : { at: point }),
    };
  });
  const seen = new Set<string>();
  for (const [index, { url }] of compiled.entries()) {
    const text = JSON.stringify(url);
    if (seen.has(text))
      fields.report.error("said-twice", [...place, index], "this address is in the list already.", "Use `weight`.");
    seen.add(text);
  }
  if (compiled.every(({ weight }) => weight === 0))
    fields.report.error("wrong-value", place, "every weight is 0: no target would take a request.");
  return compiled;
}

function targetOf(url: string | undefined, place: ConfigPath, fields: Fields): CompiledTarget {
  return { url: (url === undefined ? undefined : fields.value(url, place, "url")) ?? "", weight: 1, priority: 0 };
}

/** What `where`, `strict`, `canary` and `nearest` ask of each other. */
function reportPlaces(
  targets: readonly CompiledTarget[],
  { strict, canary, balance }: Settings,
  place: ConfigPath,
  { report }: Fields,
): void {
  const isPlaced = targets.some(({ where }) => where);
  if (strict && !isPlaced)
    report.error("missing-key", [...place, "strict"], "`strict` means nothing while no target says `where`.");
  if (strict && canary)
    report.error(
      "strict-place",
      [...place, "canary"],
      "with `strict` a request stays where its caller's `where` is, and a canary is another place.",
      "Make it a backend of its own, for routes with `when`.",
    );
  for (const [index, { at }] of targets.entries()) {
    const where = [...place, "targets", index, "at"];
    if (balance === "nearest" && !at) report.error("missing-key", where, '`at` is missing: "nearest" goes by it.');
    if (balance !== "nearest" && at) report.error("wrong-value", where, '`at` means nothing without `balance: "nearest"`.');
  }
}

function balanceOf(input: NonNullable<Settings["balance"]>, place: ConfigPath, fields: Fields): Balance {
  const [by, of, ...rest] = input.split(":") as [string, string?, ...string[]];
  if (by !== "hash") return { by: by as "round-robin" };
  if (of !== "header" && of !== "cookie") return { by, of: of as "ip" };
  const name = rest.join(":");
  // A cookie's name is a token too (RFC 6265 section 4.1.1), and is compared by case.
  if (!TOKEN.test(name)) fields.report.error("header-name", place, `${JSON.stringify(name)} is not the name of a ${of}.`);
  return { by, of, name: of === "header" ? name.toLowerCase() : name };
}

function canaryOf({ percent, sticky = "caller", when }: Canary, place: ConfigPath, fields: Fields): CompiledCanary {
  if (percent === undefined && when === undefined)
    fields.report.error("missing-key", place, "`percent` or `when` is missing: nobody would go there.");
  const pairs = (kind: "headers" | "cookies") =>
    Object.entries(when?.[kind] ?? {}).flatMap(([name, input]): [string, string | true][] => {
      const at = [...place, "when", kind, name];
      if (!TOKEN.test(name))
        fields.report.error("header-name", at, `${JSON.stringify(name)} is not the name of a header or cookie.`);
      const value = input === true ? true : fields.value(input, at, "string");
      return value === undefined ? [] : [[kind === "headers" ? name.toLowerCase() : name, value]];
    });
  const [headers, cookies] = [pairs("headers"), pairs("cookies")];
  return {
    share: (percent === undefined ? undefined : fields.value(percent, [...place, "percent"], "percent")) ?? 0,
    sticky: sticky || undefined,
    // With nothing to bring, everybody would bring it.
    when: headers.length + cookies.length > 0 ? { headers, cookies } : undefined,
  };
}

function slowStartOf(input: Settings["slowStart"], place: ConfigPath, fields: Fields): number {
  if (input === false) return 0;
  return (input === undefined ? undefined : fields.value(input, place, "wait")) ?? STANDARD_SLOW_START_MS;
}

/** `input` laid over `base`, value by value. */
export function timeoutsOver(
  base: Timeouts,
  input: z.output<typeof timeout> | undefined,
  place: ConfigPath,
  fields: Fields,
): Timeouts {
  const given = typeof input === "string" ? { firstByte: input } : (input ?? {});
  const orNone = (key: "firstByte" | "idle" | "total", standard: number | undefined): number | undefined => {
    const value = given[key];
    if (value === undefined) return standard;
    const ms = fields.value(value, typeof input === "string" ? place : [...place, key], "waitOrNone");
    return ms === undefined ? standard : (ms ?? undefined);
  };
  return {
    connectMs:
      (given.connect === undefined ? undefined : fields.value(given.connect, [...place, "connect"], "wait")) ?? base.connectMs,
    firstByteMs: orNone("firstByte", base.firstByteMs),
    idleMs: orNone("idle", base.idleMs),
    totalMs: orNone("total", base.totalMs),
    ...bodyPaceOver(base, given.body, [...place, "body"], fields),
  };
}

function bodyPaceOver(
  { body: base }: Timeouts,
  input: Exclude<z.output<typeof timeout>, string>["body"],
  place: ConfigPath,
  fields: Fields,
): Pick<Timeouts, "body"> {
  if (input === undefined) return base === undefined ? {} : { body: base };
  const { bytesPerSecond, graceMs } = base ?? STANDARD_BODY_PACE;
  if (typeof input !== "object") {
    const rate = fields.value(input, place, "byteRateOrNone");
    return rate === undefined ? {} : { body: { bytesPerSecond: rate ?? undefined, graceMs } };
  }
  const { rate, grace } = input;
  return {
    body: {
      bytesPerSecond: (rate === undefined ? undefined : fields.value(rate, [...place, "rate"], "byteRate")) ?? bytesPerSecond,
      graceMs: (grace === undefined ? undefined : fields.value(grace, [...place, "grace"], "wait")) ?? graceMs,
    },
  };
}
