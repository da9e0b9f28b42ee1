/**
 * Leases: where a limit says `exact: false`, an instance takes units ahead and spends them without asking. What it takes is
 * charged when it is taken and is good only until the window, refill or period that it was charged to ends, so no window ever
 * holds more than its limit; what instances hold and do not spend is missing from it instead (docs/limits.md has the bound).
 * It advances on requests: nothing here depends on a timer, which a frozen instance would stop.
 */
import type { Count, CounterRule, Counters, Take, Taken } from "../contract/stores/counters.ts";
import { ok, type Pending, type StoreReply } from "../contract/stores/reply.ts";
import { RecencyList, type Recent } from "./memory/recency-list.ts";
import { ownText } from "./own-text.ts";

/** Units that one instance takes of one key at once, at most; an eighth of what is left where that is less (`Take.upTo`). */
export const MAX_LEASE = 1_000;
/** A lease is meant for this much of the traffic that its key has here, or a tenth of its window where that is shorter. */
export const LEASE_MS = 5_000;
/** What was not used for so long is given back, on somebody's request. */
export const IDLE_MS = 10_000;
/** Keys that are known at once, some 3 MB; the one not used for longest goes, and gives back what it holds. */
const MAX_LEASES = 10_000;
/** Of them, as many as one request gives back, so that none pays for all. */
const MAX_GIVEN_BACK = 8;

type Leasable = Exclude<CounterRule, { algorithm: "concurrency" }>;

interface Lease extends Recent<Lease> {
  readonly key: string;
  /** As it was last asked with: of a quota, each period has its own. */
  rule: Leasable;
  /** In hand, and the time within which they may be spent. */
  units: number;
  fromMs: number;
  untilMs: number;
  /** What the store had left when it was last asked. */
  left: number;
  /** The last lease: how large, since when, and how much was asked for since. */
  size: number;
  takenMs: number;
  wanted: number;
  usedMs: number;
  /** A request is fetching one. Those that come meanwhile take what they need themselves: nobody waits, nobody fetches twice. */
  isFetching: boolean;
}

export class LeasedCounters implements Counters {
  readonly #inner: Counters;
  readonly #leases = new Map<string, Lease>();
  readonly #byUse = new RecencyList<Lease>();

  constructor(inner: Counters) {
    this.#inner = inner;
  }

  take(takes: readonly Take[], nowMs: number): Pending<Taken> {
    if (!takes.some(isLeasable)) return this.#inner.take(takes, nowMs);
    this.#giveBackIdle(nowMs);
    const leases = takes.map((take) => (isLeasable(take) ? this.#leaseOf(take.key, take.rule, nowMs) : undefined));
    /** Of each take that is paid from what is in hand, until when that may be spent; undefined: the store is asked. */
    const paid = takes.map(({ cost }, index) => pay(leases[index], cost, nowMs));
    const asked = takes.flatMap((_, index) => (paid[index] === undefined ? [index] : []));
    if (asked.length === 0) return ok({ allowed: true, counts: leases.map((lease) => inHand(lease!)) });

    const fetching = new Set<number>();
    const asks = asked.map((index) => {
      const take = takes[index]!;
      const lease = leases[index];
      if (!lease || lease.isFetching || take.cost === 0) return take;
      fetching.add(index);
      lease.isFetching = true;
      const size = nextSize(lease, nowMs);
      return size > take.cost ? { ...take, upTo: size } : take;
    });
    const settle = (reply: StoreReply<Taken>): StoreReply<Taken> => {
      for (const index of fetching) leases[index]!.isFetching = false;
      const isCharged = reply.state === "ok" && reply.value.allowed;
      for (const [index, untilMs] of paid.entries()) {
        const lease = leases[index];
        // All or nothing: what was paid for a refused whole is put back, unless its time is over.
        if (!isCharged && lease && untilMs !== undefined && lease.untilMs === untilMs) lease.units += takes[index]!.cost;
      }
      if (reply.state !== "ok") return reply;
      const found = new Map(asked.map((index, place) => [index, reply.value.counts[place]!]));
      const counts = takes.map((take, index): Count => {
        const lease = leases[index];
        const count = found.get(index);
        if (!count) return inHand(lease!);
        if (!lease || count.unasked) return count;
        const { taken = take.cost, ...own } = count;
        if (isCharged && count.allowed) {
          keep(lease, taken - take.cost, count);
          if (fetching.has(index)) began(lease, taken, nowMs);
        }
        return lease.untilMs === count.resetMs ? { ...own, remaining: count.remaining + lease.units } : own;
      });
      return ok({ allowed: reply.value.allowed, counts });
    };
    const reply = this.#inner.take(asks, nowMs);
    return reply instanceof Promise ? reply.then(settle) : settle(reply);
  }

  /** What this instance holds is still to be had; what others hold is not seen. */
  async peek(takes: readonly Take[], nowMs: number): Promise<StoreReply<readonly Count[]>> {
    const reply = await this.#inner.peek(takes, nowMs);
    if (reply.state !== "ok") return reply;
    return ok(
      reply.value.map((count, index) => {
        const lease = this.#leases.get(takes[index]!.key);
        if (!lease || !isCurrent(lease, nowMs)) return count;
        const remaining = count.remaining + lease.units;
        return { ...count, remaining, allowed: remaining >= Math.max(1, takes[index]!.cost) };
      }),
    );
  }

  settle(key: string, rule: CounterRule, delta: number, nowMs: number): Pending<void> {
    return this.#inner.settle(key, rule, delta, nowMs);
  }

  renew(key: string, rule: CounterRule, lease: string, nowMs: number): Pending<boolean> {
    return this.#inner.renew(key, rule, lease, nowMs);
  }

  release(key: string, rule: CounterRule, lease: string): Pending<void> {
    return this.#inner.release(key, rule, lease);
  }

  reset(key: string, rule: CounterRule, nowMs: number): Pending<void> {
    const lease = this.#leases.get(key);
    if (lease) this.#drop(lease);
    return this.#inner.reset(key, rule, nowMs);
  }

  /** All that is held, when the process ends in peace. */
  async giveBack(nowMs: number): Promise<void> {
    await Promise.all([...this.#leases.values()].map((lease) => this.#return(lease, nowMs)));
  }

  #leaseOf(key: string, rule: Leasable, nowMs: number): Lease {
    const known = this.#leases.get(key);
    // A clock that was set back is in a window that this lease is not of.
    if (known && isSame(known.rule, rule) && nowMs >= known.fromMs) {
      // A bucket takes back what it refilled too late for; a window that is over has no use for it.
      if (known.units > 0 && rule.algorithm === "token-bucket" && nowMs >= known.untilMs) void this.#return(known, nowMs);
      known.rule = rule;
      known.usedMs = nowMs;
      this.#byUse.use(known);
      return known;
    }
    if (known) this.#drop(known);
    else if (this.#leases.size >= MAX_LEASES) this.#retire(this.#byUse.oldest!, nowMs);
    const lease: Lease = {
      key: ownText(key),
      rule,
      units: 0,
      fromMs: 0,
      untilMs: 0,
      left: 0,
      size: 0,
      takenMs: nowMs,
      wanted: 0,
      usedMs: nowMs,
      isFetching: false,
      older: undefined,
      newer: undefined,
    };
    this.#leases.set(lease.key, lease);
    this.#byUse.use(lease);
    return lease;
  }

  #giveBackIdle(nowMs: number): void {
    for (let given = 0; given < MAX_GIVEN_BACK; given++) {
      const oldest = this.#byUse.oldest;
      if (!oldest || nowMs - oldest.usedMs < IDLE_MS) return;
      this.#retire(oldest, nowMs);
    }
  }

  #retire(lease: Lease, nowMs: number): void {
    this.#drop(lease);
    void this.#return(lease, nowMs);
  }

  /** At most once, whatever comes of it: to try again could give back twice, and so let the limit be passed. */
  #return(lease: Lease, nowMs: number): Pending<void> {
    const { key, rule, units } = lease;
    lease.units = 0;
    const isOfUse = rule.algorithm === "token-bucket" || isCurrent(lease, nowMs);
    return units > 0 && isOfUse ? this.#inner.settle(key, rule, -units, nowMs) : ok(undefined);
  }

  #drop(lease: Lease): void {
    this.#leases.delete(lease.key);
    this.#byUse.remove(lease);
  }
}

function isLeasable(take: Take): take is Take & { readonly rule: Leasable } {
  return take.exact === false && take.rule.algorithm !== "concurrency";
}

/** A changed config starts anew. */
function isSame(a: Leasable, b: Leasable): boolean {
  return a === b || (a.algorithm === b.algorithm && a.limit === b.limit && lengthMs(a) === lengthMs(b));
}

function lengthMs(rule: Leasable): number {
  return rule.algorithm === "period" ? rule.endMs - rule.startMs : rule.windowMs;
}

function isCurrent({ fromMs, untilMs }: Lease, nowMs: number): boolean {
  return fromMs <= nowMs && nowMs < untilMs;
}

/** Takes the cost from what is in hand; undefined where that is not enough, or not for now. */
function pay(lease: Lease | undefined, cost: number, nowMs: number): number | undefined {
  if (!lease) return undefined;
  lease.wanted += cost;
  if (lease.units < Math.max(1, cost) || !isCurrent(lease, nowMs)) return undefined;
  lease.units -= cost;
  return lease.untilMs;
}

function inHand({ left, units, untilMs }: Lease): Count {
  return { allowed: true, remaining: left + units, resetMs: untilMs };
}

/**
 * As much as its traffic since the last lease asks for, and at most twice that lease: so a caller who came once holds nothing, and
 * nobody holds much more than it has spent.
 */
function nextSize({ wanted, takenMs, size, rule }: Lease, nowMs: number): number {
  const aheadMs = Math.min(LEASE_MS, lengthMs(rule) / 10);
  const rate = wanted / Math.max(1, nowMs - takenMs);
  return Math.min(Math.ceil(rate * aheadMs), 2 * size, MAX_LEASE);
}

/** A reply that comes when its window is over brings nothing: what it took stays taken. */
function keep(lease: Lease, extra: number, { remaining, resetMs }: Count): void {
  if (resetMs < lease.untilMs) return;
  if (resetMs > lease.untilMs) lease.units = 0;
  lease.units += extra;
  lease.left = remaining;
  lease.untilMs = resetMs;
  lease.fromMs = resetMs - lengthMs(lease.rule);
}

function began(lease: Lease, size: number, nowMs: number): void {
  lease.size = size;
  lease.takenMs = nowMs;
  lease.wanted = 0;
}
