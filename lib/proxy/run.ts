/** The second half of one request, as its parts and the cache see it, and what it needs of its surroundings. */
import type { Readable } from "node:stream";
import type { BackendTarget } from "../backends/backend.ts";
import type { Pools } from "../backends/pools.ts";
import type { Deps } from "../contract/deps.ts";
import type { Outgoing } from "../contract/exchange.ts";
import type { HostTraits } from "../contract/host-traits.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import type { Refusal } from "../contract/problem.ts";
import type { Sink } from "../contract/sink.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { BackendHead } from "../http/sanitize-headers.ts";
import type { Target } from "../http/target.ts";
import type { SharedHead } from "./response-head.ts";

/** One object for each request that is sent to a backend or answered by the cache, from the end of the decision to the end of the answer. */
export interface Run {
  readonly ctx: RequestContext;
  /** The caller's, or that of a cache. The run alone listens to its end. */
  readonly sink: Sink;
  readonly proxy: ProxyDeps;
  /** Set where a cache asks, for several callers or for none yet. */
  readonly fill: FillHooks | undefined;
  /** The request's body, as it can still be sent. */
  readonly body: Readable | Uint8Array | null;
  /** Ends what is under way for the sink when that closes; at once where it has closed. */
  set onClose(listener: ((isComplete: boolean) => void) | undefined);

  /** Asks the backend. It never throws. */
  forward(): void;
  /** A run of the cache's own, which fetches an answer for this one and others. */
  forFill(ctx: RequestContext, sink: Sink, fill: FillHooks): Run;
  /** What takes the place of an answer with this head; undefined: it is passed on. */
  insteadOf(status: number, head: BackendHead): Replacement | undefined;
  replace(replacement: Replacement): void;
  /** An attempt ended without an answer. */
  fail(failure: Failure): void;
  /** There is no answer of the backend. */
  refuse(refusal: Refusal): void;
  /** A bug. */
  crash(error: unknown): void;
}

/** An attempt that ended before the head of an answer. */
export interface Failure {
  readonly refusal: Refusal;
  /** False where nothing of the request has left. */
  readonly wasSent: boolean;
  /** Another attempt would have no time, or the same answer. */
  readonly isFinal: boolean;
}

/** In place of an answer: another attempt, or the refusal that it is taken for. */
export type Replacement = NextAttempt | Refusal;

export interface NextAttempt {
  readonly target: BackendTarget;
  readonly waitMs: number;
}

/** What the second half of every request needs. */
export interface ProxyDeps {
  readonly deps: Deps;
  readonly pools: Pools;
  readonly host: HostTraits;
  /** Our element of Via. */
  readonly via: string;
  readonly cache: ResponseCache;
  /** Whether answers for this path may be stored. */
  isCached(target: Target): boolean;
}

/** The gateway's cache, as far as a request goes by way of it. */
export interface ResponseCache {
  serve(run: Run): void;
  invalidate(ctx: RequestContext, pairs: readonly string[]): MaybePromise<unknown>;
}

/** How an answer that a cache fetches differs from that for one caller. */
export interface FillHooks {
  /** Bounds the backend's silence where the route does not, for a fetch without callers; undefined where a caller waits. */
  readonly silenceMs: number | undefined;
  /** Changes the request to the backend, after all policies. */
  shape(outgoing: Outgoing): void;
  /** The head of the backend's answer, shaped for everybody; the sink gets it next. `names` are of the fields that it came with. */
  receive(shared: SharedHead, backend: BackendHead, names: readonly string[]): void;
  /** Instead of an answer; at most once, only before a head. */
  fail(refusal: Refusal): void;
}
