/**
 * A share of a route's requests, copied to another backend whose answers nobody sees: to try a new version on real traffic. The caller's
 * own request never waits for its copy, and never fails with it.
 */
import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { BodyTaps } from "../engine/body-taps.ts";
import type { MirrorRule, Step } from "../engine/pipeline.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { signsInConnection } from "../http/connection-credential.ts";
import { makeOutgoing } from "./outgoing.ts";
import type { ProxyDeps } from "./run.ts";

/** Copies that are sent at once, for each route: a mirror that hangs must not take the memory and the connections of everybody else. */
const MAX_AT_ONCE = 32;
/** The bounds of an answer, which no caller waits for. A longer one is given up. */
const MAX_MS = 30_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/** How many copies of each rule are under way. */
const underWay = new WeakMap<MirrorRule, number>();

/** What goes to the route's own backend in place of `body`, which it is but for a copy that is taken on the way. */
export function watchForMirror(
  rule: MirrorRule,
  ctx: RequestContext,
  body: Readable | Uint8Array | null,
  proxy: ProxyDeps,
): Readable | Uint8Array | null {
  const { share, maxBodyBytes, upstream } = rule;
  if (upstream.backend.random() >= share) return body;
  const bytes = body instanceof Uint8Array ? body.length : ctx.facts.contentLength;
  if (bytes !== undefined && bytes > maxBodyBytes) {
    ctx.record.mirror = "too-large";
    return body;
  }
  if (!(body instanceof Readable)) {
    send(rule, ctx, body, proxy);
    return body;
  }
  // Sent once all of it is there: a copy that broke off half way would tell nothing of the new version.
  return copied(body, maxBodyBytes, (whole) => {
    if (whole) send(rule, ctx, whole, proxy);
    else ctx.record.mirror = "too-large";
  });
}

function send(rule: MirrorRule, ctx: RequestContext, body: Uint8Array | null, proxy: ProxyDeps): void {
  const { deps } = proxy;
  const count = underWay.get(rule) ?? 0;
  if (count >= MAX_AT_ONCE) {
    ctx.record.mirror = "busy";
    return;
  }
  underWay.set(rule, count + 1);
  const sent = new Promise<void>((resolve) => {
    const done = () => {
      underWay.set(rule, underWay.get(rule)! - 1);
      resolve();
    };
    try {
      dispatch(rule, ctx, body, proxy, done);
    } catch (error) {
      // A policy threw, which is no fault of the caller's request.
      deps.log.error("a request could not be mirrored", {
        requestId: ctx.requestId,
        route: ctx.route.id,
        error: String(error),
      });
      done();
    }
  });
  deps.defer(sent);
}

function dispatch(
  { upstream, requestBody }: MirrorRule,
  ctx: RequestContext,
  body: Uint8Array | null,
  { deps, host, pools, via }: ProxyDeps,
  done: () => void,
): void {
  const { backend } = upstream;
  const own = ctx.forBackend(upstream);
  const target = backend.pick(own);
  const outgoing = target && makeOutgoing(own, own.pipeline, target, via, host.passesContentEncoding ? undefined : "identity");
  if (!target || !outgoing || signsInConnection(outgoing.headers.pairs)) {
    ctx.record.mirror = "no-target";
    done();
    return;
  }
  outgoing.headers.set("x-gateway-mirror", "true");
  ctx.record.mirror = "sent";
  const { connectMs, firstByteMs, totalMs } = backend.compiled.timeouts;
  const isTrial = backend.begin(target);
  const handler = new Discarding(Math.min(totalMs ?? MAX_MS, MAX_MS), (isGood) => {
    backend.end(target, isGood ? "success" : "failure", isTrial, undefined);
    done();
  });
  pools.poolFor(target.origin, connectMs, deps.clock.now()).dispatch(
    {
      path: outgoing.target,
      method: outgoing.method as "GET",
      headers: outgoing.headers.pairs,
      body: body && shaped(body, requestBody, own),
      headersTimeout: firstByteMs ?? 0,
      reset: false,
      servername: target.serverName,
    } as Dispatcher.DispatchOptions,
    handler,
  );
}

/** The same stream; `onWhole` gets all of it when it has ended, or nothing where that is over the bound. Not called where it breaks off. */
function copied(body: Readable, maxBytes: number, onWhole: (bytes: Uint8Array | undefined) => void): Readable {
  async function* passing(): AsyncGenerator<Uint8Array> {
    let chunks: Uint8Array[] | undefined = [];
    let total = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      total += chunk.length;
      if (total > maxBytes) chunks = undefined;
      chunks?.push(chunk);
      yield chunk;
    }
    onWhole(chunks && Buffer.concat(chunks));
  }
  // The reader hears of a fault. Without a reader, an error without a listener would end the process.
  return Readable.from(passing(), { objectMode: false }).on("error", () => {});
}

/** As the steps that transform bodies make of it what the other backend gets. */
function shaped(body: Uint8Array, requestBody: readonly Step[], ctx: RequestContext): Uint8Array {
  if (requestBody.length === 0) return body;
  const taps = new BodyTaps(requestBody, "requestBody", ctx);
  return Buffer.concat([taps.chunk(body) ?? new Uint8Array(), ...taps.end()]);
}

/** Reads an answer to its end, so that its connection can be used again, and keeps none of it. */
class Discarding implements Dispatcher.DispatchHandler {
  readonly #done: (isGood: boolean) => void;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #bytes = 0;
  #isOver = false;

  constructor(mostMs: number, done: (isGood: boolean) => void) {
    this.#done = done;
    this.#timer = setTimeout(() => this.#end(false), mostMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new Error("it took too long"));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_ANSWER_BYTES) this.#end(this.#status < 500);
  }

  onResponseEnd(): void {
    this.#controller = undefined;
    this.#end(this.#status < 500);
  }

  onResponseError(): void {
    this.#end(false);
  }

  #end(isGood: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#controller?.abort(new Error("nobody wants the rest of it"));
    this.#done(isGood);
  }
}
