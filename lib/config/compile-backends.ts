/** Backends of a config, compiled: addresses, time limits and headers. */

import type { z } from "zod";
import type { CompiledAssertion, CompiledBackend, Timeouts } from "./compiled.ts";
import { Fields } from "./fields.ts";
import { headerName } from "./header-fields.ts";
import type { Place, Report } from "./issue.ts";
import { type assertionObject, backendObject, type timeout } from "./schema-backend.ts";
import { checkSettings } from "./schema-issues.ts";

export const STANDARD_TIMEOUTS: Timeouts = { connectMs: 2000, firstByteMs: 30_000, idleMs: null, totalMs: null };
const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

export function compileBackends(backends: Readonly<Record<string, unknown>>, report: Report): CompiledBackend[] {
  return Object.entries(backends).map(([name, input]) => {
    const place = ["backends", name];
    if (!NAME.test(name))
      report.error(
        "name-grammar",
        place,
        `"${name}" is no name for a backend: letters, digits, - and _, beginning with a letter.`,
      );
    return compileBackend(name, input, place, report);
  });
}

function compileBackend(name: string, input: unknown, place: Place, report: Report): CompiledBackend {
  const fields = new Fields(report);
  if (typeof input === "string")
    return {
      name,
      targets: [{ url: fields.value(input, place, "url") ?? "" }],
      timeouts: STANDARD_TIMEOUTS,
      forwardCredential: false,
      preserveHost: false,
      headers: [],
    };
  const checked = checkSettings(backendObject, input, place, report, "a URL or { url, timeout, headers }");
  const {
    url,
    timeout,
    forwardCredential = false,
    preserveHost = false,
    headers = {},
    assertion = false,
  } = checked?.settings ?? {};
  // A key that is not built, `targets`, has been reported already where it stands for the missing one.
  const hasOtherAddress = typeof input === "object" && input !== null && "targets" in input;
  if (checked && url === undefined && !checked.broken.has("url") && !hasOtherAddress) {
    report.error("missing-key", place, "`url` is missing.");
  }
  return {
    name,
    targets: [{ url: (url === undefined ? undefined : fields.value(url, [...place, "url"], "url")) ?? "" }],
    timeouts: timeoutsOver(STANDARD_TIMEOUTS, timeout, [...place, "timeout"], fields),
    forwardCredential,
    headers: Object.entries(headers).flatMap(([key, value]) => {
      const at = [...place, "headers", key];
      const lower = headerName(key, "request", at, fields);
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
  place: Place,
  fields: Fields,
): CompiledAssertion {
  const { audience = backend, issuer, ttl = "1m", header = ASSERTION_FIELD, claims } = given;
  const isOwn = header.toLowerCase() === ASSERTION_FIELD;
  return {
    audience: fields.value(audience, [...place, "audience"], "secret") ?? "",
    issuer: (issuer === undefined ? undefined : fields.value(issuer, [...place, "issuer"], "secret")) ?? null,
    ttlSeconds: fields.value(ttl, [...place, "ttl"], "shortSeconds") ?? 60,
    header: (isOwn ? ASSERTION_FIELD : headerName(header, "request", [...place, "header"], fields)) ?? ASSERTION_FIELD,
    claims: fields.list(claims, [...place, "claims"], "string").map((name) => ({ from: "claim", name })),
  };
}

/** `input` laid over `base`, value by value. */
export function timeoutsOver(
  base: Timeouts,
  input: z.output<typeof timeout> | undefined,
  place: Place,
  fields: Fields,
): Timeouts {
  const given = typeof input === "string" ? { firstByte: input } : (input ?? {});
  const orNone = (key: "firstByte" | "idle" | "total", standard: number | null): number | null => {
    const value = given[key];
    if (value === undefined) return standard;
    const ms = fields.value(value, typeof input === "string" ? place : [...place, key], "waitOrNone");
    return ms === undefined ? standard : ms;
  };
  return {
    connectMs:
      (given.connect === undefined ? undefined : fields.value(given.connect, [...place, "connect"], "wait")) ?? base.connectMs,
    firstByteMs: orNone("firstByte", base.firstByteMs),
    idleMs: orNone("idle", base.idleMs),
    totalMs: orNone("total", base.totalMs),
  };
}
