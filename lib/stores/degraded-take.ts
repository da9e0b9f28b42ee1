/**
 * Takes that go on while the counters' store is away, each as its limit says: counted by this instance alone, let through, or refused.
 * One trip is one decision here too: where one limit refuses, none is charged.
 */
import { type Count, type OnUnavailable, shareOf, type Take, type Taken } from "../contract/stores/counters.ts";
import { ok, type Pending, type StoreReply } from "../contract/stores/reply.ts";
import type { Stores } from "../contract/stores/stores.ts";

/** An outage is met by every instance at once: two that let half through each stay within the limit together. */
export const LOCAL_SHARE = 0.5;

export function takeOrDegrade(takes: readonly Take[], stores: Stores, nowMs: number): Pending<Taken> {
  const taken = stores.counters.take(takes, nowMs);
  return taken instanceof Promise
    ? taken.then((reply) => orHere(reply, takes, stores, nowMs))
    : orHere(taken, takes, stores, nowMs);
}

function orHere(reply: StoreReply<Taken>, takes: readonly Take[], stores: Stores, nowMs: number): StoreReply<Taken> {
  if (reply.state === "ok" || takes.every(({ onUnavailable }) => onUnavailable === undefined)) return reply;
  return takeHere(takes, stores, nowMs);
}

function takeHere(takes: readonly Take[], { local }: Stores, nowMs: number): StoreReply<Taken> {
  const ways = takes.map(({ onUnavailable = "deny" }) => onUnavailable);
  const counted = takes.flatMap((take, index) =>
    ways[index] === "local" ? [{ ...take, rule: shareOf(take.rule, LOCAL_SHARE) }] : [],
  );
  const isDenied = takes.some(({ enforce }, index) => enforce && ways[index] === "deny");
  const reply = isDenied ? looked(local.peek(counted, nowMs)) : local.take(counted, nowMs);
  if (reply.state !== "ok") return reply;
  const { allowed, counts } = reply.value;
  let next = 0;
  return ok({
    allowed,
    counts: ways.map((degraded) => (degraded === "local" ? { ...counts[next++]!, degraded } : uncounted(degraded, nowMs))),
  });
}

function looked(reply: StoreReply<readonly Count[]>): StoreReply<Taken> {
  return reply.state === "ok" ? ok({ allowed: false, counts: reply.value }) : reply;
}

function uncounted(degraded: OnUnavailable, nowMs: number): Count {
  return { allowed: degraded === "allow", remaining: 0, resetMs: nowMs, degraded };
}
