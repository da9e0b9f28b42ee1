/**
 * One request to the backend for everybody who waits for the same answer (request collapsing), and for the entry that is made of
 * it. Its request is the cache's own, so that it outlives the caller who came first.
 */

import type { Outgoing } from "../contract/exchange.ts";
import type { Refusal } from "../contract/problem.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { isNotModified, type Validators } from "../http/conditions.ts";
import { HeaderList } from "../http/header-list.ts";
import type { BackendHead } from "../http/sanitize-headers.ts";
import { cacheTags, targetedCacheControl } from "../http/targeted-cache-control.ts";
import { fieldsForOne, type SharedHead } from "../proxy/response-head.ts";
import type { FillHooks, Run } from "../proxy/run.ts";
import { namedTag, pathTag } from "./answer-store.ts";
import { variantKey } from "./cache-key.ts";
import { type CacheStatus, statusText } from "./cache-status.ts";
import { type Entry, type StoredAnswer, toEntry, validatorsOf } from "./entry.ts";
import type { Caller, FillOptions } from "./fill-options.ts";
import { leftMs } from "./freshness.ts";
import { isOfThat, updatedPairs } from "./renewal.ts";
import type { RequestTraits } from "./request-traits.ts";
import { earlierAge, notModified, sendEntry, sendHead, sentFields, without } from "./respond.ts";
import { type AnswerFacts, judgeAnswer, type Storable } from "./storable.ts";
import { Tee } from "./tee.ts";

interface Received {
  readonly shared: SharedHead;
  readonly backend: BackendHead;
  readonly names: readonly string[];
}

/** An answer that is being stored. */
interface Open {
  readonly answer: Omit<StoredAnswer, "body">;
  /** What everybody gets, and what the one gets whose request was made. */
  readonly sent: readonly string[];
  readonly first: readonly string[];
  readonly text: string;
}

/** RFC 5861 section 4. */
const ERRORS = new Set([500, 502, 503, 504]);

/** Bounds a backend's silence in an answer that no caller waits for: otherwise the entry would never be asked for anew. */
const SILENCE_MS = 30_000;
/** So long callers wait for the head of somebody else's answer; then they ask by themselves, all but the first. */
const MAX_WAIT_MS = 10_000;
/** So long after its head an answer that is still under way is joined: one without an end is not given from its beginning for ever. */
const MAX_JOIN_MS = 10_000;

export class Fill implements FillHooks {
  readonly options: FillOptions;
  readonly silenceMs: number | undefined;
  readonly sink: Tee;
  /** Resolves when there is nothing more to come. */
  readonly done: Promise<void>;
  /** The answer was overtaken by a change: it is for waiting callers, and is not stored. */
  #isOutdated = false;
  #resolve!: () => void;
  readonly #askedMs: number;
  #waiting: Caller[] = [];
  #waitTimer: NodeJS.Timeout | undefined;
  #received: Received | undefined;
  /** Set while callers can join an answer that is under way. */
  #open: Open | undefined;
  #openedMs = 0;

  constructor(options: FillOptions) {
    this.options = options;
    this.silenceMs = options.isBackground ? SILENCE_MS : undefined;
    this.#askedMs = options.now();
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.sink = new Tee(
      {
        head: (text) => this.#decide(text),
        whole: (body) => this.#keep(body),
        lost: () => this.#lose(),
      },
      options.held,
    );
  }

  /** False where what is under way is not for this caller. */
  join(caller: Caller): boolean {
    if (this.#open && !this.#isFor(caller)) return false;
    if (this.#open && this.options.now() - this.#openedMs > MAX_JOIN_MS) {
      this.options.owner.shut();
      return false;
    }
    caller.run.onClose = (isComplete) => this.#leave(caller, isComplete);
    if (this.#open) this.#attach(caller, true);
    else this.#wait(caller);
    return true;
  }

  /** Something has changed since the backend was asked: later callers ask anew. */
  invalidate(): void {
    this.#isOutdated = true;
    this.options.owner.close(true);
  }

  shape(outgoing: Outgoing): void {
    const { headers } = outgoing;
    // The whole answer is fetched; what of it a caller wants is decided for each.
    for (const name of ["if-none-match", "if-modified-since", "range", "if-range"]) headers.delete(name);
    const { etag, lastModified } = this.options.stale?.validators ?? {};
    if (etag !== undefined) headers.set("if-none-match", etag);
    if (lastModified !== undefined) headers.set("if-modified-since", lastModified);
    const query = this.options.rule.queryFor(this.options.own);
    // A parameter that is in no key must not shape what everybody gets (cache poisoning).
    if (query !== undefined) outgoing.target = outgoing.target.split("?", 1)[0]! + query;
  }

  receive(shared: SharedHead, backend: BackendHead, names: readonly string[]): void {
    this.#received = { shared, backend, names };
  }

  fail(refusal: Refusal): void {
    const { owner } = this.options;
    owner.close(true);
    const waiting = this.#take();
    if (this.#mayServeStale()) this.#serveStale(waiting, undefined);
    else
      for (const { run } of waiting) {
        this.#say(run, {});
        run.refuse(refusal);
      }
    this.#resolve();
  }

  #wait(caller: Caller): void {
    this.#waiting.push(caller);
    if (this.#waiting.length === 2) this.#waitTimer ??= setTimeout(() => this.#disband(), MAX_WAIT_MS).unref();
  }

  /** No head came. The first goes on waiting: the request that was made is its own. */
  #disband(): void {
    const [first, ...others] = this.#take();
    if (!first) return;
    this.#waiting = [first];
    this.options.owner.shut();
    for (const caller of others) caller.refetch(false);
  }

  #leave({ run }: Caller, isComplete: boolean): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.run !== run);
    this.sink.remove(run.sink);
    if (!isComplete) this.#abandonUnlessWanted();
  }

  /** A caller's abort reaches the backend, as everywhere, where nobody else asked for the answer. */
  #abandonUnlessWanted(): void {
    if (this.#waiting.length > 0 || this.sink.readers > 0 || this.options.isBackground) return;
    this.options.owner.close(true);
    this.#end();
  }

  /** What may still come from the backend is not read. */
  #end(): void {
    this.#open = undefined;
    this.sink.abandon();
    this.#resolve();
  }

  #take(): Caller[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    clearTimeout(this.#waitTimer);
    return waiting;
  }

  #decide(text: string): void {
    const { shared, backend } = this.#received!;
    const { stale, owner, maxBytes } = this.options;
    if (shared.status === 304 && stale) {
      if (isOfThat(stale, shared.pairs)) this.#freshen(stale);
      else this.#askAgain();
      return;
    }
    if (ERRORS.has(shared.status) && this.#mayServeStale()) {
      owner.close(true);
      this.#serveStale(this.#take(), shared.status);
      this.#end();
      return;
    }
    const targeted = targetedCacheControl(backend.forCaches);
    const headers = new HeaderList(shared.pairs);
    const storable = this.#judge({ ...shared, headers, targeted, isFramed: backend.isFramed || shared.status === 204 });
    if (typeof storable === "string") this.#passThrough(text, storable);
    else if (Number(headers.get("content-length") ?? 0) > maxBytes) this.#passThrough(text, "too-large");
    else this.#serve(storable, targeted, text);
  }

  #judge(answer: AnswerFacts): Storable | string {
    const { isAuthenticated, hasCookies, traits, rule, now } = this.options;
    const asked = { isAuthenticated, hasCookies, forbidsStoring: traits.forbidsStoring };
    return judgeAnswer(answer, asked, rule.options, { askedMs: this.#askedMs, receivedMs: now() });
  }

  /** The caller who came first gets the answer as if there were no cache; nobody else may. */
  #passThrough(text: string, detail: string): void {
    const { owner } = this.options;
    const { shared } = this.#received!;
    owner.close(false);
    // What was stored is no longer what the backend says.
    if (shared.status < 500) owner.evict();
    const [first, ...others] = this.#take();
    if (first) {
      const { run, traits } = first;
      this.#say(run, { detail });
      const whole = fieldsForOne(shared);
      const isKnown = this.#isKnown(traits, run.ctx, shared.pairs);
      const head = isKnown ? notModified(whole, isKnown) : { status: shared.status, pairs: whole };
      const isSent = sendHead(run, { ...head, source: "backend", statusText: text, isStorable: false });
      if (isSent && !isKnown) this.sink.add(run.ctx, run.sink);
      else if (isKnown) run.sink.end();
    }
    if (this.sink.readers === 0) this.#end();
    for (const caller of others) caller.refetch(true);
  }

  /** The validators of an answer that the caller has already. */
  #isKnown(traits: RequestTraits, { request }: RequestContext, pairs: readonly string[]): Validators | undefined {
    if (!traits.isConditional || this.#received!.shared.status !== 200) return undefined;
    const nowMs = this.options.now();
    const validators = validatorsOf(new HeaderList(pairs as string[]), nowMs);
    return isNotModified(request.headers, validators, nowMs) ? validators : undefined;
  }

  #serve(storable: Storable, targeted: string | undefined, text: string): void {
    const { rule, path, own, maxBytes } = this.options;
    const { shared, backend } = this.#received!;
    const { status, cacheControl } = shared;
    const tags = [...cacheTags(backend.forCaches), ...rule.tagsFor(own)].flatMap(namedTag);
    const answer = {
      status,
      pairs: without(shared.pairs, ["age", ...storable.leaveOut]),
      cacheControl,
      targeted,
      freshness: storable.freshness,
      vary: storable.vary,
      isPublic: storable.isPublic,
      tags: [pathTag(path), ...new Set(tags)],
    };
    const sent = sentFields(answer, rule.options);
    // What may not be used again is for the one whose request it answers.
    const first =
      storable.leaveOut.length === 0 ? sent : sentFields({ ...answer, pairs: without(shared.pairs, ["age"]) }, rule.options);
    this.#open = { answer, sent, first, text };
    this.#openedMs = this.options.now();
    if (rule.options.store) this.sink.keep(maxBytes);
    const waiting = this.#take();
    const [served, others] = [waiting.filter((caller) => this.#isFor(caller)), waiting.filter((caller) => !this.#isFor(caller))];
    served.forEach((caller, index) => this.#attach(caller, index > 0));
    for (const caller of others) caller.refetch(true);
  }

  /** Whether a caller's request says the same as the one that was made, in the fields by which the answer was chosen. */
  #isFor({ run }: Caller): boolean {
    const { vary } = this.#open!.answer;
    return variantKey(vary, run.ctx.request.headers) === variantKey(vary, this.options.own.request.headers);
  }

  #attach(caller: Caller, isCollapsed: boolean): void {
    const { run, traits } = caller;
    const { answer, sent, first, text } = this.#open!;
    const source = isCollapsed ? "cache" : "backend";
    this.#say(run, { stored: !this.#isOutdated, collapsed: isCollapsed });
    const fields = isCollapsed ? sent : first;
    const known = this.#isKnown(traits, run.ctx, fields);
    if (known) {
      if (sendHead(run, { ...notModified(fields, known), source, statusText: "", isStorable: true })) run.sink.end();
      return;
    }
    const pairs = [...fields, ...earlierAge(answer.freshness)];
    if (sendHead(run, { status: answer.status, pairs, source, statusText: text, isStorable: true }))
      this.sink.add(run.ctx, run.sink);
  }

  #keep(body: Uint8Array): void {
    const { owner, own } = this.options;
    const { answer, sent } = this.#open!;
    owner.close(true);
    this.#open = undefined;
    if (!this.#isOutdated) {
      const hasLength = answer.status === 204 || new HeaderList(answer.pairs as string[]).has("content-length");
      const length = hasLength ? [] : ["content-length", String(body.length)];
      const entry = toEntry({ ...answer, pairs: [...answer.pairs, ...length], body }, [...sent, ...length]);
      owner.store(variantKey(answer.vary, own.request.headers), entry);
    }
    this.#resolve();
  }

  #lose(): void {
    this.options.owner.close(true);
    this.#open = undefined;
    this.#resolve();
    if (this.sink.readers === 0) this.sink.abandon();
  }

  /** The backend says that the stored answer is still right: its fields are renewed (RFC 9111 section 4.3.4). */
  #freshen(stale: Entry): void {
    const { owner, rule, own, now } = this.options;
    const { shared, backend, names } = this.#received!;
    const headers = new HeaderList(updatedPairs(stale.pairs, shared.pairs, names));
    const ageField = new HeaderList(shared.pairs).get("age");
    const targeted = targetedCacheControl(backend.forCaches) ?? stale.targeted;
    const cacheControl = shared.cacheControl ?? stale.cacheControl;
    const facts = { status: stale.status, headers, targeted, cacheControl, isFramed: true };
    const withAge = ageField === undefined ? headers : new HeaderList([...headers.pairs, "age", ageField]);
    const storable = this.#judge({ ...facts, headers: withAge });
    owner.close(true);
    const isStorable = typeof storable !== "string";
    const answer = {
      ...stale,
      pairs: headers.pairs,
      cacheControl,
      targeted,
      ...(isStorable && { freshness: storable.freshness, vary: storable.vary, isPublic: storable.isPublic }),
    };
    const entry = toEntry(answer, sentFields(answer, rule.options));
    if (isStorable && !this.#isOutdated) owner.store(variantKey(answer.vary, own.request.headers), entry);
    else owner.evict();
    for (const [index, { run, traits }] of this.#take().entries()) {
      run.ctx.cacheStatus = statusText({ fwd: "stale", fwdStatus: 304, stored: isStorable, collapsed: index > 0 });
      sendEntry(run, traits, entry, now());
    }
    this.#resolve();
  }

  /** A 304 that is about another answer than the stored one. */
  #askAgain(): void {
    const { owner } = this.options;
    owner.evict();
    owner.close(true);
    const waiting = this.#take();
    this.#end();
    for (const caller of waiting) caller.refetch(true);
  }

  #say({ ctx }: Run, more: CacheStatus): void {
    const { reason } = this.options;
    if (reason !== undefined) ctx.cacheStatus = statusText({ fwd: reason, ...more });
  }

  #mayServeStale(): boolean {
    const { stale, now } = this.options;
    if (!stale || stale.freshness.alwaysValidate || stale.status >= 500) return false;
    return -leftMs(stale.freshness, now()) <= stale.freshness.staleIfErrorMs;
  }

  #serveStale(waiting: readonly Caller[], fwdStatus: number | undefined): void {
    const { stale, now } = this.options;
    const ttl = Math.floor(leftMs(stale!.freshness, now()) / 1000);
    for (const { run, traits } of waiting) {
      run.ctx.cacheStatus = statusText({ fwd: "stale", fwdStatus, ttl, detail: "stale-if-error" });
      sendEntry(run, traits, stale!, now());
    }
  }
}
