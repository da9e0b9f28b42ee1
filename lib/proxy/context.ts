/** What the second half of a request needs beside the request itself. */
import type { Readable } from "node:stream";
import type { Pools } from "../backends/pools.ts";
import type { Outgoing } from "../contract/exchange.ts";
import type { HostTraits } from "../contract/host-traits.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import type { Refusal } from "../contract/problem.ts";
import type { Sink } from "../contract/sink.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { SendContext } from "../engine/send.ts";
import type { BackendHead } from "../http/hygiene.ts";
import type { Target } from "../http/target.ts";
import type { SharedHead } from "./answer-head.ts";

export interface ExecuteContext extends SendContext {
  readonly pools: Pools;
  readonly host: HostTraits;
  /** Our element of Via. */
  readonly via: string;
  readonly cache: ResponseCache;

  /** Whether answers for this path may be stored. */
  isCached(target: Target): boolean;
  /** A bug, after the decision. */
  crash(error: unknown, ctx: RequestContext, sink: Sink, fetch?: Fetch): void;
  /** No answer came: another backend's takes its place, one of the config's, or the problem. */
  refuse(refusal: Refusal, ctx: RequestContext, sink: Sink): void;
}

/** Asks the backend, for the sink's caller or, with a fetch, for a cache. */
export type Forward = (
  ctx: RequestContext,
  body: Readable | Uint8Array | null,
  sink: Sink,
  context: ExecuteContext,
  fetch?: Fetch,
) => void;

/** The gateway's cache, as far as a request goes by way of it. */
export interface ResponseCache {
  serve(ctx: RequestContext, body: Readable | Uint8Array | null, sink: Sink, context: ExecuteContext, forward: Forward): void;
  invalidate(ctx: RequestContext, pairs: readonly string[]): MaybePromise<unknown>;
}

/** An answer that a cache fetches, for several callers or for none yet: how its forward differs from that for one caller. */
export interface Fetch {
  /** How long the backend may be silent where the route sets no bound and no caller waits who could leave; undefined where one does. */
  readonly silenceMs: number | undefined;
  /** Changes what the backend is asked, after all policies. */
  shape(outgoing: Outgoing): void;
  /** The head of the backend's answer, shaped for everybody; the sink gets it next. `names` are of the fields that it came with. */
  receive(shared: SharedHead, backend: BackendHead, names: readonly string[]): void;
  /** Instead of an answer; at most once, only before a head. */
  fail(refusal: Refusal): void;
}
