/** Retries, health, breakers and bulkheads of a config, compiled. */
import type { z } from "zod";
import type { Fields } from "../config/fields.ts";
import type { ConfigPath } from "../config/issue.ts";
import { asList } from "../config/schema-fields.ts";
import type { Kind, ValueOf } from "../config/value-kinds.ts";
import type {
  BackendResilience,
  CompiledActive,
  CompiledBreaker,
  CompiledBulkhead,
  CompiledPassive,
  CompiledRetry,
} from "../contract/compiled/resilience.ts";
import type { backendObject } from "./schema/backend.ts";
import type { retry as retrySchema } from "./schema/resilience.ts";

type Settings = Partial<z.output<typeof backendObject>>;
type RetryInput = z.output<typeof retrySchema>;

const STANDARD_RETRY: CompiledRetry = { attempts: 2, connect: true, statuses: [502, 503, 504], budget: 0.2 };
const STANDARD_PASSIVE: CompiledPassive = { failures: 5, ejectMs: 1000 };
const STANDARD_BREAKER: CompiledBreaker = {
  windowMs: 10_000,
  requests: 20,
  failures: 0.5,
  slow: 0.8,
  openMs: 1000,
};
const STANDARD_QUEUE = 10;

/** `inherited`: the retries of `defaults`; `false` for none, undefined where `defaults` have no `retry`. */
export function compileResilience(
  { retry, health, breaker, bulkhead, idempotencyKeys = false }: Settings,
  isSeveral: boolean,
  inherited: CompiledRetry | false | undefined,
  place: ConfigPath,
  fields: Fields,
): BackendResilience | undefined {
  const standard = isSeveral ? STANDARD_RETRY : undefined;
  const compiled = {
    retry: retryOver(inherited === undefined ? standard : inherited || undefined, retry, [...place, "retry"], fields),
    passive: passiveOf(health, isSeveral, [...place, "health"], fields),
    active: activeOf(health, [...place, "health"], fields),
    breaker: breakerOf(breaker, [...place, "breaker"], fields),
    bulkhead: bulkheadOf(bulkhead, [...place, "bulkhead"], fields),
    idempotencyKeys,
  };
  return Object.values(compiled).some(Boolean) ? compiled : undefined;
}

/** `input` laid over `base`, key by key; what neither says is the standard. */
export function retryOver(
  base: CompiledRetry | undefined,
  input: RetryInput,
  place: ConfigPath,
  fields: Fields,
): CompiledRetry | undefined {
  if (input === undefined) return base;
  if (input === false) return undefined;
  const { attempts, connect, statuses, budget } = base ?? STANDARD_RETRY;
  const { report } = fields;
  const own = asList(input.on);
  const wrong = own.find((item) => typeof item === "number" && !(Number.isInteger(item) && item >= 400 && item <= 599));
  if (wrong !== undefined) report.error("value-format", [...place, "on"], `${wrong} is no status from 400 to 599.`);
  return {
    attempts: valueOr(attempts, input.attempts, [...place, "attempts"], "attempts", fields),
    connect: input.on === undefined ? connect : own.includes("connect"),
    statuses: input.on === undefined ? statuses : own.filter((item) => typeof item === "number"),
    budget: valueOr(budget, input.budget, [...place, "budget"], "percent", fields),
  };
}

function passiveOf(
  health: Settings["health"],
  isSeveral: boolean,
  place: ConfigPath,
  fields: Fields,
): CompiledPassive | undefined {
  const input = typeof health === "object" ? health.passive : undefined;
  const at = [...place, "passive"];
  if (input && !isSeveral)
    fields.report.error("wrong-value", at, "there is one target: it can't be left out in favour of others.", "Use `breaker`.");
  if (health === false || input === false || !isSeveral) return undefined;
  return {
    failures: valueOr(STANDARD_PASSIVE.failures, input?.failures, [...at, "failures"], "positive", fields),
    ejectMs: valueOr(STANDARD_PASSIVE.ejectMs, input?.eject, [...at, "eject"], "wait", fields),
  };
}

function activeOf(health: Settings["health"], place: ConfigPath, fields: Fields): CompiledActive | undefined {
  const { path, interval, timeout, status } = typeof health === "object" ? health : { path: health || undefined };
  if (path === undefined) {
    if (interval !== undefined || timeout !== undefined || status !== undefined)
      fields.report.error("missing-key", place, "`path` is missing: without it nothing is asked for.");
    return undefined;
  }
  const plain = fields.plain(path, typeof health === "object" ? [...place, "path"] : place) ?? "/";
  if (!/^\/[\x21-\x7e]*$/.test(plain))
    fields.report.error("path-grammar", place, `${JSON.stringify(plain)} is not a path to ask for.`);
  const [from, to] = valueOr([200, 299] as const, status, [...place, "status"], "statuses", fields);
  return {
    path: plain,
    intervalMs: valueOr(10_000, interval, [...place, "interval"], "wait", fields),
    timeoutMs: valueOr(2000, timeout, [...place, "timeout"], "wait", fields),
    from,
    to,
  };
}

function breakerOf(input: Settings["breaker"], place: ConfigPath, fields: Fields): CompiledBreaker | undefined {
  if (input === undefined || input === false) return undefined;
  if (input === true) return STANDARD_BREAKER;
  const { windowMs, requests, failures, slow, openMs } = STANDARD_BREAKER;
  if (input.slow !== undefined && input.slowAfter === undefined)
    fields.report.error("missing-key", [...place, "slowAfter"], "`slowAfter` is missing: `slow` means nothing without it.");
  return {
    windowMs: valueOr(windowMs, input.window, [...place, "window"], "wait", fields),
    requests: valueOr(requests, input.requests, [...place, "requests"], "positive", fields),
    failures: valueOr(failures, input.failures, [...place, "failures"], "percent", fields),
    slow: valueOr(slow, input.slow, [...place, "slow"], "percent", fields),
    slowAfterMs: valueOr(undefined, input.slowAfter, [...place, "slowAfter"], "wait", fields),
    openMs: valueOr(openMs, input.open, [...place, "open"], "wait", fields),
  };
}

function bulkheadOf(input: Settings["bulkhead"], place: ConfigPath, fields: Fields): CompiledBulkhead | undefined {
  if (input === undefined || input === false) return undefined;
  const requests = valueOr(1, input.requests, [...place, "requests"], "positive", fields);
  return {
    requests,
    queue: valueOr(STANDARD_QUEUE, input.queue, [...place, "queue"], "count", fields),
    waitMs: valueOr(1000, input.wait, [...place, "wait"], "wait", fields),
  };
}

function valueOr<K extends Kind, Standard>(
  standard: Standard,
  input: string | number | undefined,
  place: ConfigPath,
  kind: K,
  fields: Fields,
): ValueOf<K> | Standard {
  return input === undefined ? standard : (fields.value(input, place, kind) ?? standard);
}
