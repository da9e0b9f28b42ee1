/** A batch: calls of one or more steps that leave for the stores in one tick, so that a store over HTTP makes one request of them. */
import type { Deps } from "../contract/deps.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import type { Count, Take, Taken } from "../contract/stores/counters.ts";
import { ok, type Pending } from "../contract/stores/reply.ts";
import type { StoreCall, StoreResult, TakenPart } from "../contract/stores/store-calls.ts";
import type { Stores } from "../contract/stores/stores.ts";
import { takeOrDegrade } from "../stores/degraded-take.ts";

export type StoreBatch = readonly StoreCall[];

/** All takes of the batch are one call, which is charged whole or not at all. */
export function sendBatch(
  batch: StoreBatch,
  { stores, clock }: Pick<Deps, "stores" | "clock">,
): MaybePromise<readonly StoreResult[]> {
  const nowMs = clock.now();
  const takes = takesOf(batch);
  const taken = takes.length > 0 ? takeOrDegrade(takes, stores, nowMs) : undefined;
  const results: MaybePromise<StoreResult>[] = [];
  let next = 0;
  for (const call of batch) {
    if (call.kind === "take") {
      results.push(partOf(taken!, next, next + call.takes.length));
      next += call.takes.length;
    } else results.push(callStore(call, stores, nowMs));
  }
  return results.some(isPending) ? Promise.all(results) : (results as readonly StoreResult[]);
}

function takesOf(batch: StoreBatch): readonly Take[] {
  const [first] = batch;
  // Most batches are one call.
  if (batch.length === 1 && first?.kind === "take") return first.takes;
  return batch.flatMap((call) => (call.kind === "take" ? call.takes : []));
}

/** Whether the batch changes a store: a take or a claim does, the others read. */
export function changesStore(batch: StoreBatch): boolean {
  return batch.some(({ kind }) => kind === "take" || kind === "claim");
}

function callStore(
  call: Exclude<StoreCall, { kind: "take" }>,
  { keys, once, blobs }: Stores,
  nowMs: number,
): MaybePromise<StoreResult> {
  switch (call.kind) {
    case "key":
      return keys.get(call.digest);
    case "key-changes":
      return keys.changes(call.since);
    case "claim":
      return once.claim(call.key, call.ttlMs, nowMs);
    case "blob":
      return blobs.get(call.key, nowMs);
  }
}

/** The counts of one call, from `first` to before `end`. */
function partOf(reply: Pending<Taken>, first: number, end: number): Pending<TakenPart> {
  if (reply instanceof Promise) return reply.then((settled) => partOf(settled, first, end));
  if (reply.state !== "ok") return reply;
  const { allowed: charged, counts: all } = reply.value;
  const counts = end - first === all.length ? all : all.slice(first, end);
  return ok({ allowed: counts.every(isAllowed), charged, counts });
}

function isAllowed({ allowed }: Count): boolean {
  return allowed;
}

function isPending(result: MaybePromise<StoreResult>): boolean {
  return result instanceof Promise;
}
