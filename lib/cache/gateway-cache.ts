/**
 * The gateway's own cache, between the decision and the backend: what is fresh is sent at once, what is stale may be sent while
 * a new one is fetched, and of many who miss the same answer one asks the backend. RFC 9111 for a shared cache.
 */
import type { ExecuteContext, Forward } from "../backends/execute.ts";
import type { HeaderList } from "../http/header-list.ts";
import type { MaybePromise } from "../policy.ts";
import { refuse } from "../problem.ts";
import { sendStop } from "../send.ts";
import type { Sink } from "../sink.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { StoreReply } from "../stores/reply.ts";
import type { Visit } from "../visit.ts";
import { AnswerStore, type Found, pathTag, type Wanted } from "./answer-store.ts";
import { purgePath, variantKey } from "./cache-key.ts";
import type { CacheRule } from "./cache-rule.ts";
import { statusText } from "./cache-status.ts";
import type { Entry, StoredAnswer } from "./entry.ts";
import { type Caller, type FetchReason, Fill, type FillOwner } from "./fill.ts";
import { leftMs } from "./freshness.ts";
import { type RequestTraits, readRequestTraits } from "./request-traits.ts";
import { sendEntry, sentFields } from "./respond.ts";

export interface CacheBounds {
  readonly maxBytes: number;
  readonly maxEntryBytes: number;
}

export const CACHE_BOUNDS: CacheBounds = { maxBytes: 64 * 1024 * 1024, maxEntryBytes: 8 * 1024 * 1024 };

/** For so long after an answer that could not be shared, callers of its key do not wait for each other. */
const ALONE_MS = 10_000;
const MAX_ALONE = 10_000;

/** One request of a caller to a route with a cache. */
class Lookup implements Wanted, Caller {
  readonly visit: Visit;
  readonly traits: RequestTraits;
  readonly sink: Sink;
  readonly context: ExecuteContext;
  readonly rule: CacheRule;
  readonly forward: Forward;
  readonly key: string;
  /** Asks anew, where the answer that it waited for is not for it. */
  again: () => void = () => {};

  constructor(visit: Visit, traits: RequestTraits, sink: Sink, context: ExecuteContext, forward: Forward) {
    this.visit = visit;
    this.traits = traits;
    this.sink = sink;
    this.context = context;
    this.rule = visit.pipeline.cache!;
    this.forward = forward;
    this.key = this.rule.keyFor(visit);
  }

  get headers(): HeaderList {
    return this.visit.request.headers;
  }

  get path(): string {
    return purgePath(this.visit.target.path);
  }

  /** Whether it shows credentials that its key does not tell apart. */
  get isAuthenticated(): boolean {
    return this.visit.consumer ? !this.rule.options.perConsumer : this.traits.hasCredentials;
  }

  sentOf(answer: StoredAnswer): readonly string[] {
    return sentFields(answer, this.rule.options);
  }
}

export class GatewayCache {
  readonly #store: AnswerStore;
  readonly #maxEntryBytes: number;
  readonly #fills = new Map<string, Fill>();
  /** Every fill, also those that nobody may join. */
  readonly #running = new Set<Fill>();
  readonly #alone = new Map<string, number>();

  constructor(blobs: Blobs, name: string, bounds: CacheBounds = CACHE_BOUNDS) {
    this.#store = new AnswerStore(bounds.maxBytes, blobs, name);
    this.#maxEntryBytes = bounds.maxEntryBytes;
  }

  /** Answers from what is stored, or by `forward`. */
  serve(visit: Visit, body: Parameters<Forward>[1], sink: Sink, context: ExecuteContext, forward: Forward): void {
    const { method, headers } = visit.request;
    const { store } = visit.pipeline.cache!.options;
    const isRead = method === "GET" || method === "HEAD";
    const traits = readRequestTraits(headers);
    // A GET with a body ("fat GET") may be answered by what the body says, which is in no key.
    if (!isRead || traits.mustBypass || body !== null) {
      if (store) visit.cacheStatus = statusText({ fwd: isRead ? "bypass" : "method" });
      forward(visit, body, sink, context);
      return;
    }
    const lookup = new Lookup(visit, traits, sink, context, forward);
    if (!store) {
      if (method === "GET" && !traits.hasRange) this.#start(lookup, undefined, undefined);
      else forward(visit, null, sink, context);
      return;
    }
    const found = this.#store.find(lookup, context.deps.clock.now());
    if (!(found instanceof Promise)) this.#answer(lookup, found);
    else found.then((known) => this.#answer(lookup, known)).catch((error: unknown) => context.crash(error, visit, sink));
  }

  #answer(lookup: Lookup, { entry: known, why }: Found): void {
    const { visit, traits, sink, context } = lookup;
    const nowMs = context.deps.clock.now();
    // An answer that was not meant for those who show who they are may be another than theirs.
    const entry = known && lookup.isAuthenticated && !known.isForEverybody ? undefined : known;
    if (entry) {
      const left = leftMs(entry.freshness, nowMs);
      const { alwaysValidate, staleWhileRevalidateMs } = entry.freshness;
      if (!alwaysValidate && left > -staleWhileRevalidateMs) {
        const ttl = Math.floor(left / 1000);
        visit.cacheStatus = left > 0 ? hitText(ttl) : statusText({ hit: true, ttl, detail: "stale-while-revalidate" });
        sendEntry(visit, traits, entry, sink, nowMs, context);
        if (left <= 0) this.#refresh(lookup, entry);
        return;
      }
    }
    if (traits.onlyIfCached) {
      visit.cacheStatus = statusText({ fwd: "request", detail: "only-if-cached" });
      sendStop(visit, refuse("not-in-cache"), sink, context);
      return;
    }
    const reason = known ? "stale" : (why ?? "uri-miss");
    if (visit.request.method === "HEAD" || traits.hasRange) {
      visit.cacheStatus = statusText({ fwd: reason });
      lookup.forward(visit, null, sink, context);
      return;
    }
    lookup.again = () => this.#fetch(lookup, undefined, reason);
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
    if (!this.#fills.has(fillKey)) lookup.context.deps.defer(this.#start(lookup, stale, "stale", fillKey, true));
  }

  #start(
    lookup: Lookup,
    stale: Entry | undefined,
    reason: FetchReason | undefined,
    fillKey?: string,
    isBackground = false,
  ): Promise<void> {
    const { visit, traits, rule, key, path, context, isAuthenticated } = lookup;
    const { clock, defer } = context.deps;
    const owner: FillOwner = {
      store: (variant, entry) => {
        const behind = this.#store.put({ key, path }, variant, entry, clock.now());
        if (behind) defer(behind);
      },
      forget: () => {
        if (stale) this.#forget(lookup, stale);
      },
      close: (isShareable) => {
        if (fillKey !== undefined && this.#fills.get(fillKey) === fill) this.#fills.delete(fillKey);
        this.#running.delete(fill);
        if (!isShareable && reason !== undefined) this.#leaveAlone(lookup);
      },
    };
    const fill = new Fill({
      path,
      rule,
      own: visit.forCache(clock.now(), clock.monotonic(), isBackground),
      traits,
      isAuthenticated,
      stale,
      reason,
      isBackground,
      maxBytes: this.#maxEntryBytes,
      now: () => clock.now(),
      owner,
    });
    if (fillKey !== undefined) this.#fills.set(fillKey, fill);
    this.#running.add(fill);
    if (!isBackground) fill.join(lookup);
    try {
      lookup.forward(fill.options.own, null, fill.sink, context, fill);
    } catch (error) {
      // A policy threw. Left as it is, the fill would keep everybody waiting who comes after.
      fill.fail(refuse("internal", { reason: String(error) }));
      context.deps.log.error("the gateway failed", { requestId: visit.requestId, route: visit.route.id, error: String(error) });
    }
    return fill.done;
  }

  /** By what is known of how answers of this key vary: callers who would get different ones do not wait for each other. */
  #fillKey({ key, headers }: Lookup): string {
    return `${key}\n\n${variantKey(this.#store.varyOf(key), headers)}`;
  }

  #forget(lookup: Lookup, stale: Entry): void {
    const { deps } = lookup.context;
    const gone = this.#store.forget(lookup, variantKey(stale.vary, lookup.headers));
    if (gone) deps.defer(gone);
  }

  #isAlone({ key, context }: Lookup): boolean {
    return (this.#alone.get(key) ?? 0) > context.deps.clock.now();
  }

  #leaveAlone({ key, context }: Lookup): void {
    if (this.#alone.size >= MAX_ALONE) this.#alone.delete(this.#alone.keys().next().value!);
    this.#alone.set(key, context.deps.clock.now() + ALONE_MS);
  }

  /**
   * A request that may have changed something was answered without an error (RFC 9111 section 4.4): what is stored for its path
   * is no longer right, nor for the paths on this host that the answer names.
   */
  invalidate({ request, target }: Visit, pairs: readonly string[]): MaybePromise<unknown> {
    const paths = new Set([purgePath(target.path)]);
    for (let i = 0; i < pairs.length; i += 2) {
      if (!/^(?:content-)?location$/i.test(pairs[i]!)) continue;
      const base = `${request.scheme}://${request.host}${target.raw}`;
      const named = URL.canParse(pairs[i + 1]!, base) ? new URL(pairs[i + 1]!, base) : undefined;
      // Other hosts are not this one's to empty (section 4.4: denial of service).
      if (named?.host === new URL(base).host) paths.add(purgePath(named.pathname));
    }
    return Promise.all([...paths].map((path) => this.#outdate((fill) => fill.options.path === path, pathTag(path))));
  }

  /** How many answers were dropped, as far as is known. */
  purge(what: Purge): MaybePromise<StoreReply<number>> {
    if ("tag" in what) return this.#outdate(() => true, `tag:${what.tag}`);
    if ("path" in what) {
      const path = purgePath(what.path);
      return this.#outdate((fill) => fill.options.path === path, pathTag(path));
    }
    const prefix = purgePath(what.prefix);
    for (const fill of this.#running) if (fill.options.path.startsWith(prefix)) fill.outdate();
    return this.#store.dropBelow(prefix);
  }

  /** What is under way may have been asked before the change: it is not stored. */
  #outdate(isMeant: (fill: Fill) => boolean, tag: string): MaybePromise<StoreReply<number>> {
    for (const fill of this.#running) if (isMeant(fill)) fill.outdate();
    return this.#store.dropTagged(tag);
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
