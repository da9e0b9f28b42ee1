/**
 * The gateway's own cache, between the decision and the backend: what is fresh is sent at once, what is stale may be sent while
 * a new one is fetched, and of many who miss the same answer one asks the backend. RFC 9111 for a shared cache.
 */

import type { CacheRule } from "../contract/caching.ts";
import type { Deps } from "../contract/deps.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import { refuse } from "../contract/problem.ts";
import type { Blobs } from "../contract/stores/blobs.ts";
import type { StoreReply } from "../contract/stores/reply.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { HeaderList } from "../http/header-list.ts";
import type { ResponseCache, Run } from "../proxy/run.ts";
import { boundedKey } from "../stores/bounded-key.ts";
import { Generations } from "../stores/memory/generations.ts";
import { AnswerStore, type Found, type Wanted } from "./answer-store.ts";
import { ByteBudget } from "./byte-budget.ts";
import { purgePath, variantKey } from "./cache-key.ts";
import { statusText } from "./cache-status.ts";
import type { Entry, StoredAnswer } from "./entry.ts";
import { Fill } from "./fill.ts";
import type { Caller, FetchReason, FillOwner } from "./fill-options.ts";
import { leftMs } from "./freshness.ts";
import { type RequestTraits, readRequestTraits } from "./request-traits.ts";
import { sendEntry, sentFields } from "./respond.ts";

export interface CacheBounds {
  readonly maxBytes: number;
  readonly maxEntryBytes: number;
}

export const CACHE_BOUNDS: CacheBounds = { maxBytes: 64 * 1024 * 1024, maxEntryBytes: 8 * 1024 * 1024 };

/** For so long after an answer that could not be shared, callers of its key do not wait for each other. */
const HIT_FOR_MISS_MS = 10_000;
const MAX_HIT_FOR_MISS_BYTES = 512 * 1024;

/** One request of a caller to a route with a cache. */
class Lookup implements Wanted, Caller {
  readonly run: Run;
  readonly ctx: RequestContext;
  readonly traits: RequestTraits;
  readonly deps: Deps;
  readonly rule: CacheRule;
  readonly key: string;
  /** Whether it bears cookies that may mean another answer, as far as its key tells. */
  readonly hasCookies: boolean;
  /** Asks anew, where the answer that it waited for is not for it, or takes too long. */
  refetch: Caller["refetch"] = () => {};

  constructor(run: Run, traits: RequestTraits) {
    const { ctx } = run;
    this.run = run;
    this.ctx = ctx;
    this.traits = traits;
    this.deps = run.proxy.deps;
    this.rule = ctx.pipeline.cache!;
    this.key = this.rule.keyFor(ctx);
    this.hasCookies = traits.hasCookies && this.rule.mindsCookies(ctx);
  }

  get headers(): HeaderList {
    return this.ctx.request.headers;
  }

  get path(): string {
    return purgePath(this.ctx.target.path);
  }

  /** Whether it shows credentials that its key does not tell apart. */
  get isAuthenticated(): boolean {
    return this.ctx.consumer ? !this.rule.options.perConsumer : this.traits.hasCredentials;
  }

  /** Under what it waits for others: of callers with cookies each may turn out to need an answer of its own. */
  get shareKey(): string {
    return this.hasCookies ? `${this.key}\n\ncookies` : this.key;
  }

  /** Whether a stored answer may be given to it. */
  mayGet(entry: Entry): boolean {
    // One that was not meant for those who show who they are may be another than theirs.
    if (this.isAuthenticated && !entry.isPublic) return false;
    return !this.hasCookies || !entry.freshness.isOurs || entry.vary.includes("cookie");
  }

  sentOf(answer: StoredAnswer): readonly string[] {
    return sentFields(answer, this.rule.options);
  }
}

export class GatewayCache implements ResponseCache {
  readonly #store: AnswerStore;
  readonly #maxEntryBytes: number;
  /** Of answers under way, while they are kept for entries and for callers who read slowly. */
  readonly #held: ByteBudget;
  readonly #fills = new Map<string, Fill>();
  /** Every fill, also those that nobody may join. */
  readonly #running = new Set<Fill>();
  readonly #hitForMiss = new Generations<number>({ maxBytes: MAX_HIT_FOR_MISS_BYTES, maxAgeMs: HIT_FOR_MISS_MS });

  constructor(blobs: Blobs, name: string, bounds: CacheBounds = CACHE_BOUNDS) {
    this.#store = new AnswerStore(bounds.maxBytes, blobs, name);
    this.#maxEntryBytes = bounds.maxEntryBytes;
    this.#held = new ByteBudget(bounds.maxBytes);
  }

  /** Answers from what is stored, or forwards. */
  serve(run: Run): void {
    const { ctx, body } = run;
    const { method, headers } = ctx.request;
    const { store } = ctx.pipeline.cache!.options;
    const isRead = method === "GET" || method === "HEAD";
    const traits = readRequestTraits(headers);
    // A GET with a body ("fat GET") may be answered by what the body says, which is in no key.
    if (!isRead || traits.mustBypass || body !== null) {
      if (store) ctx.cacheStatus = statusText({ fwd: isRead ? "bypass" : "method" });
      run.forward();
      return;
    }
    const lookup = new Lookup(run, traits);
    if (!store) {
      if (method === "GET" && !traits.hasRange) this.#start(lookup, undefined, undefined);
      else run.forward();
      return;
    }
    const found = this.#store.find(lookup, lookup.deps.clock.now());
    if (!(found instanceof Promise)) this.#answer(lookup, found);
    else found.then((known) => this.#answer(lookup, known)).catch((error: unknown) => run.crash(error));
  }

  #answer(lookup: Lookup, { entry: known, why }: Found): void {
    const { run, ctx, traits, deps } = lookup;
    const nowMs = deps.clock.now();
    const entry = known && lookup.mayGet(known) ? known : undefined;
    if (entry) {
      const left = leftMs(entry.freshness, nowMs);
      const { alwaysValidate, staleWhileRevalidateMs } = entry.freshness;
      if (!alwaysValidate && left > -staleWhileRevalidateMs) {
        const ttl = Math.floor(left / 1000);
        ctx.cacheStatus = left > 0 ? hitText(ttl) : statusText({ hit: true, ttl, detail: "stale-while-revalidate" });
        sendEntry(run, traits, entry, nowMs);
        if (left <= 0) this.#refresh(lookup, entry);
        return;
      }
    }
    if (traits.onlyIfCached) {
      ctx.cacheStatus = statusText({ fwd: "request", detail: "only-if-cached" });
      run.refuse(refuse("not-in-cache"));
      return;
    }
    const reason = entry ? "stale" : known ? "bypass" : (why ?? "uri-miss");
    if (ctx.request.method === "HEAD" || traits.hasRange) {
      ctx.cacheStatus = statusText({ fwd: reason });
      run.forward();
      return;
    }
    lookup.refetch = (mayWait) =>
      mayWait ? this.#fetch(lookup, undefined, reason) : void this.#start(lookup, undefined, reason);
    this.#fetch(lookup, entry, reason);
  }

  /** Joins a request that is under way, or makes one. */
  #fetch(lookup: Lookup, stale: Entry | undefined, reason: FetchReason): void {
    const mayShare = !lookup.isAuthenticated && !this.#isAlone(lookup);
    const fillKey = mayShare ? this.#fillKey(lookup) : undefined;
    if (fillKey !== undefined && this.#fills.get(fillKey)?.join(lookup)) return;
    this.#start(lookup, stale, reason, fillKey);
  }

  #refresh(lookup: Lookup, stale: Entry): void {
    const fillKey = this.#fillKey(lookup);
    if (!this.#fills.has(fillKey)) lookup.deps.defer(this.#start(lookup, stale, "stale", fillKey, true));
  }

  #start(
    lookup: Lookup,
    stale: Entry | undefined,
    reason: FetchReason | undefined,
    fillKey?: string,
    isBackground = false,
  ): Promise<void> {
    const { run, ctx, traits, rule, key, path, deps, isAuthenticated, hasCookies } = lookup;
    const { clock, defer } = deps;
    const owner: FillOwner = {
      store: (variant, entry) => {
        const behind = this.#store.put({ key, path }, variant, entry, clock.now());
        if (behind) defer(behind);
      },
      evict: () => {
        if (stale) this.#evict(lookup, stale);
      },
      shut: () => {
        if (fillKey !== undefined && this.#fills.get(fillKey) === fill) this.#fills.delete(fillKey);
      },
      close: (isShareable) => {
        owner.shut();
        this.#running.delete(fill);
        // Who could not share anyway says nothing of the others, or a made-up credential would send them all to the backend.
        if (!isShareable && fillKey !== undefined) this.#leaveAlone(lookup);
      },
    };
    const fill = new Fill({
      path,
      rule,
      own: ctx.forCache(clock.now(), clock.monotonic(), isBackground),
      traits,
      isAuthenticated,
      hasCookies,
      stale,
      reason,
      isBackground,
      maxBytes: this.#maxEntryBytes,
      held: this.#held,
      now: () => clock.now(),
      owner,
    });
    if (fillKey !== undefined) this.#fills.set(fillKey, fill);
    this.#running.add(fill);
    if (!isBackground) fill.join(lookup);
    run.forFill(fill.options.own, fill.sink, fill).forward();
    return fill.done;
  }

  /** By what is known of how answers of this key vary: callers who would get different ones do not wait for each other. */
  #fillKey({ key, shareKey, headers }: Lookup): string {
    return `${shareKey}\n\n${variantKey(this.#store.varyOf(key), headers)}`;
  }

  #evict(lookup: Lookup, stale: Entry): void {
    const { deps } = lookup;
    const gone = this.#store.evict(lookup, variantKey(stale.vary, lookup.headers));
    if (gone) deps.defer(gone);
  }

  #isAlone({ shareKey, deps }: Lookup): boolean {
    if (this.#hitForMiss.size === 0) return false;
    const nowMs = deps.clock.now();
    return (this.#hitForMiss.get(boundedKey(shareKey), nowMs) ?? 0) > nowMs;
  }

  #leaveAlone({ shareKey, deps }: Lookup): void {
    const nowMs = deps.clock.now();
    this.#hitForMiss.set(boundedKey(shareKey), nowMs + HIT_FOR_MISS_MS, 0, nowMs);
  }

  /**
   * A request that may have changed something was answered without an error (RFC 9111 section 4.4): what is stored for its path
   * is no longer right, nor for the paths on this host that the answer names.
   */
  invalidate({ request, target }: RequestContext, pairs: readonly string[]): MaybePromise<unknown> {
    const paths = new Set([purgePath(target.path)]);
    for (let i = 0; i < pairs.length; i += 2) {
      if (!/^(?:content-)?location$/i.test(pairs[i]!)) continue;
      const base = URL.parse(`${request.scheme}://${request.host}${target.raw}`);
      const named = base && URL.parse(pairs[i + 1]!, base);
      // Other hosts are not this one's to empty (section 4.4: denial of service).
      if (named && named.host === base.host) paths.add(purgePath(named.pathname));
    }
    return Promise.all([...paths].map((path) => this.#invalidatePath(path)));
  }

  /** How many answers were dropped, as far as is known. */
  purge(what: Purge): MaybePromise<StoreReply<number>> {
    if ("tag" in what) return this.#invalidateFills(() => true, what);
    if ("path" in what) return this.#invalidatePath(purgePath(what.path));
    const prefix = purgePath(what.prefix);
    for (const fill of this.#running) if (fill.options.path.startsWith(prefix)) fill.invalidate();
    return this.#store.dropBelow(prefix);
  }

  #invalidatePath(path: string): MaybePromise<StoreReply<number>> {
    return this.#invalidateFills((fill) => fill.options.path === path, { path });
  }

  /** What is under way may have been asked before the change: it is not stored. */
  #invalidateFills(
    isMeant: (fill: Fill) => boolean,
    what: Parameters<AnswerStore["dropNamed"]>[0],
  ): MaybePromise<StoreReply<number>> {
    for (const fill of this.#running) if (isMeant(fill)) fill.invalidate();
    return this.#store.dropNamed(what);
  }
}

/** One of these; everything is the prefix that is empty. */
export type Purge = { readonly tag: string } | { readonly path: string } | { readonly prefix: string };

/** The texts of hits by seconds left: they are many and alike. */
const hitTexts: string[] = [];

function hitText(ttl: number): string {
  if (ttl >= 3600) return statusText({ hit: true, ttl });
  hitTexts[ttl] ??= statusText({ hit: true, ttl });
  return hitTexts[ttl];
}
