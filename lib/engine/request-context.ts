/** One request inside the engine: the exchange that policies see, and what only the gateway needs to know of it. */
import { randomFillSync } from "node:crypto";
import type { Exchange, TargetOrder } from "../contract/exchange.ts";
import type { Json } from "../contract/json.ts";
import { Locals } from "../contract/local.ts";
import type { Refusal, RefusalCode } from "../contract/problem.ts";
import type { RecordDraft } from "../contract/record.ts";
import type { Consumer, GatewayRequest } from "../contract/request.ts";
import { type RequestFacts, withoutOverrides } from "../http/sanitize-headers.ts";
import type { Target } from "../http/target.ts";
import { continueTrace } from "../http/trace-context.ts";
import type { Pipeline, Upstream } from "./pipeline.ts";
import type { Plan } from "./plan.ts";
import type { Route } from "./route.ts";

/** Writes down how a request ended. */
export interface Recorder {
  write(ctx: RequestContext, isComplete: boolean): void;
}

export class RequestContext implements Exchange {
  request: GatewayRequest;
  facts: RequestFacts;
  readonly target: Target;
  requestId: string;
  traceparent: string;
  /** The caller's, where its trace goes on. */
  readonly tracestate: string | undefined;
  record: RecordDraft;
  readonly startedMs: number;
  route: Route;
  pipeline: Pipeline;
  /** The backend that is asked: the route's own, or its fallback. */
  upstream: Upstream | undefined;
  params: Readonly<Record<string, string>>;
  consumer: Consumer | undefined = undefined;
  pool: TargetOrder | undefined = undefined;
  state: Record<string, Json> = {};
  locals = new Locals();
  body: Uint8Array | undefined = undefined;
  granted: readonly string[] | undefined = undefined;
  bytesIn = 0;
  bytesOut = 0;
  status = 0;
  source: "gateway" | "backend" | "cache" = "gateway";
  code: RefusalCode | undefined = undefined;
  /** What the gateway's cache says of it (RFC 9211); undefined where it had no part in it. */
  cacheStatus: string | undefined = undefined;
  /** Undefined once the end has been written down, and for copies: the requests of a cache or a mirror leave no record. */
  #recorder: Recorder | undefined;
  /** What gives back what the request holds, such as its place in a bulkhead. Most hold nothing. */
  #releases: (() => void)[] | undefined;
  #webRequest: Request | undefined;

  constructor(
    request: GatewayRequest,
    facts: RequestFacts,
    target: Target,
    unrouted: Route,
    nowMs: number,
    monotonicMs: number,
    recorder?: Recorder,
    { requestId, traceparent, tracestate }: Ids = idsOf(facts),
  ) {
    this.request = request;
    this.facts = facts;
    this.target = target;
    this.route = unrouted;
    this.pipeline = unrouted.pipelineFor(request.method);
    this.upstream = this.pipeline.upstream;
    this.params = {};
    this.startedMs = monotonicMs;
    this.requestId = requestId;
    this.traceparent = traceparent;
    this.tracestate = tracestate;
    this.#recorder = recorder;
    this.record = { startedAt: nowMs, steps: [], attempts: [], reason: undefined };
  }

  get carry(): Record<string, Json> {
    return this.state;
  }

  get webRequest(): Request {
    const { method, scheme, host, headers } = this.request;
    this.#webRequest ??= new Request(`${scheme}://${host}${this.target.raw}`, { method, headers: [...headers] });
    return this.#webRequest;
  }

  /** For a preflight, `method` is that of the request that it asks about. */
  setRoute(route: Route, params: Readonly<Record<string, string>>, method = this.request.method): void {
    this.route = route;
    this.params = params;
    this.pipeline = route.pipelineFor(method);
    this.upstream = this.pipeline.upstream;
    if (this.facts.hasOverrides && route.overrides !== "pass") this.#dropOverrides();
  }

  /** The rules of a route go by the request line: a backend must not act on another method or path (CVE-2018-14773). */
  #dropOverrides(): void {
    this.facts = withoutOverrides(this.facts);
    this.request = { ...this.request, headers: this.facts.headers };
  }

  /** The head of the answer, as it leaves. */
  setAnswer(status: number, source: RequestContext["source"]): void {
    this.status = status;
    this.source = source;
  }

  setRefusal({ code, reason, detail }: Refusal): void {
    this.code = code;
    this.record.reason = reason ?? detail;
  }

  countReceived(bytes: number): void {
    this.bytesIn += bytes;
  }

  countSent(bytes: number): void {
    this.bytesOut += bytes;
  }

  /** The route's own backend has failed. The targets that were chosen are its own, and so is the place in its bulkhead. */
  fallBackTo(upstream: Upstream): void {
    this.upstream = upstream;
    this.pool = undefined;
    this.release();
  }

  /** `giveBack` is called once, however the request ends. */
  onRelease(giveBack: () => void): void {
    this.#releases ??= [];
    this.#releases.push(giveBack);
  }

  /** Ends the request: gives back what it holds, and writes its record, once. `isComplete`: the caller has got the whole answer. */
  complete(isComplete: boolean): void {
    this.release();
    const recorder = this.#recorder;
    this.#recorder = undefined;
    recorder?.write(this, isComplete);
  }

  /** Gives back all that the request holds. */
  release(): void {
    const releases = this.#releases;
    this.#releases = undefined;
    for (const giveBack of releases ?? []) giveBack();
  }

  /**
   * A copy of the request as a GET of the cache's own, which goes on when its caller has gone and leaves no record. Its attempts are
   * written into the record of the first caller; a refresh in the background has a draft of its own.
   */
  forCache(nowMs: number, monotonicMs: number, isBackground: boolean): RequestContext {
    const own = this.#alike({ ...this.request, method: "GET" }, nowMs, monotonicMs);
    own.pool = this.pool;
    if (isBackground) {
      // The caller's request has ended, with all that its policies kept.
      own.record = { startedAt: nowMs, steps: [], attempts: [], reason: undefined };
      own.locals = new Locals();
    }
    return own;
  }

  /** The same request on its way to another backend, which has other targets. It leaves no record. */
  forBackend(upstream: Upstream): RequestContext {
    const own = this.#alike(this.request, this.record.startedAt, this.startedMs);
    own.upstream = upstream;
    own.body = this.body;
    return own;
  }

  #alike(request: GatewayRequest, nowMs: number, monotonicMs: number): RequestContext {
    const own = new RequestContext(request, this.facts, this.target, this.route, nowMs, monotonicMs, undefined, this);
    own.setRoute(this.route, this.params);
    own.consumer = this.consumer;
    own.state = this.state;
    own.locals = this.locals;
    own.record = this.record;
    return own;
  }

  /** Takes up what the front half decided. */
  resume(plan: Plan): void {
    this.consumer = plan.consumer;
    this.pool = plan.pool;
    this.state = { ...plan.state };
    this.requestId = plan.requestId;
    this.traceparent = plan.traceparent;
    this.record = { startedAt: plan.startedAt, steps: [...plan.steps], attempts: [], reason: undefined };
  }

  /** What the front half hands over. */
  toPlan(): Plan {
    const { consumer, pool, state, requestId, traceparent, record } = this;
    const { ip, geo, frontend } = this.request.client;
    return {
      route: this.route.id,
      target: this.target.raw,
      client: frontend && { ip, geo, frontend },
      consumer,
      pool,
      state,
      requestId,
      traceparent,
      startedAt: record.startedAt,
      steps: record.steps,
    };
  }
}

/** The names that a request goes by. */
type Ids = Pick<Exchange, "requestId" | "traceparent" | "tracestate">;

/** The caller's own where they are fit for use; new ones otherwise. */
function idsOf({ traceparent, tracestate, requestId }: RequestFacts): Ids {
  const continued = continueTrace(traceparent, tracestate);
  const traceId = continued?.traceId ?? randomHex(16);
  return {
    traceparent: `00-${traceId}-${randomHex(8)}-${continued?.flags ?? "00"}`,
    tracestate: continued?.tracestate,
    requestId: acceptableId(requestId) ?? traceId,
  };
}

/** A client's own request id is kept if it is at most 128 visible ASCII characters: it is written into logs and headers. */
function acceptableId(id: string | undefined): string | undefined {
  return id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id) ? id : undefined;
}

/** Drawn in blocks: a call into the random source for each request costs more than the rest of a match. */
const block = Buffer.alloc(4096);
let drawn = block.length;

function randomHex(bytes: number): string {
  if (drawn + bytes > block.length) {
    randomFillSync(block);
    drawn = 0;
  }
  drawn += bytes;
  return block.toString("hex", drawn - bytes, drawn);
}
