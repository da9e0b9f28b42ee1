/**
 * Upstash's REST interface over undici's dispatcher: one POST, one attempt, within a budget. `fetch` under the SDK takes three
 * times the CPU, which would be the dearest step of a request; the SDK keeps the commands, this is its transport.
 */
import { type Dispatcher, Pool } from "undici";
import type { Unavailable } from "../../contract/stores/reply.ts";
import { ClockSkew } from "./clock-skew.ts";

/** A trip that brought no answer. It holds no text of Redis's, which can quote the command, keys included. */
export class TripFailure extends Error {
  override readonly name = "TripFailure";
  readonly reason: Unavailable["reason"];

  constructor(reason: Unavailable["reason"]) {
    super(`the trip to Redis failed: ${reason}`);
    this.reason = reason;
  }
}

/** A socket idle for longer is closed before it is used again: a frozen instance wakes with dead ones. */
const IDLE_SOCKET_MS = 4_000;
/** Busy sockets never idle out, so without an end to pools a name that moves would never be looked up again. */
const POOL_LIFE_MS = 60_000;
/** Longer than a trip may take: a slow handshake costs the first trips their budget and is there for the next. */
const CONNECT_MS = 2_000;
/** A turn needs one; this many trips may be under way at once. */
const MAX_CONNECTIONS = 64;

export interface RestOptions {
  readonly url: string;
  readonly token: string;
  now(): number;
  /** This machine's clock is so far ahead; once a minute at most. */
  onSkew(aheadMs: number): void;
}

export class Rest {
  readonly #origin: string;
  readonly #path: string;
  readonly #headers: Record<string, string>;
  readonly #now: () => number;
  #pool: Pool | undefined;
  #openedMs = 0;
  #usedMs = 0;
  /** What Redis has written for this client so far: replicas wait for it, so that a read finds its own writes. */
  #syncToken = "";

  readonly #skew: ClockSkew;

  constructor({ url, token, now, onSkew }: RestOptions) {
    const { origin, pathname } = new URL(url);
    this.#origin = origin;
    this.#path = pathname.replace(/\/$/, "");
    this.#headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    this.#now = now;
    this.#skew = new ClockSkew(onSkew);
  }

  /** The answer's JSON; rejects with a TripFailure after `budgetMs` at the latest. */
  post(path: string, body: unknown, budgetMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const done = (outcome: Outcome) => {
        if (outcome instanceof TripFailure) return reject(outcome);
        this.#syncToken = outcome.syncToken ?? "";
        this.#skew.look(outcome.date, this.#now());
        resolve(outcome.answer);
      };
      this.#freshPool().dispatch(
        {
          method: "POST",
          path: `${this.#path}/${path}`,
          headers: { ...this.#headers, "upstash-sync-token": this.#syncToken },
          body: JSON.stringify(body),
        },
        new Trip(budgetMs, done),
      );
    });
  }

  async close(): Promise<void> {
    await this.#pool?.destroy();
    this.#pool = undefined;
  }

  /** By the wall clock, since timers stand still in a frozen instance. */
  #freshPool(): Pool {
    const nowMs = this.#now();
    const isStale = nowMs - this.#usedMs > IDLE_SOCKET_MS || nowMs - this.#openedMs > POOL_LIFE_MS || nowMs < this.#usedMs;
    this.#usedMs = nowMs;
    if (this.#pool && !isStale) return this.#pool;
    // Ends when its last trip has, which is a budget away.
    void this.#pool?.close();
    this.#openedMs = nowMs;
    this.#pool = new Pool(this.#origin, {
      connections: MAX_CONNECTIONS,
      pipelining: 1,
      keepAliveTimeout: IDLE_SOCKET_MS,
      keepAliveMaxTimeout: IDLE_SOCKET_MS,
      connect: { timeout: CONNECT_MS },
      // The trip's own budget is shorter, and covers the wait for a socket too.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
    });
    return this.#pool;
  }
}

type Outcome = { readonly answer: unknown; readonly syncToken: string | undefined; readonly date: DateField } | TripFailure;
type DateField = string | string[] | undefined;

class Trip implements Dispatcher.DispatchHandler {
  readonly #done: (outcome: Outcome) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #isOver = false;
  #status = 0;
  #syncToken: string | undefined;
  #date: DateField;

  constructor(budgetMs: number, done: (outcome: Outcome) => void) {
    this.#done = done;
    this.#timer = setTimeout(() => this.#end(new TripFailure("timeout")), budgetMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // It waited for a socket until its budget was over: it must not charge anybody now.
    if (this.#isOver) controller.abort(new TripFailure("timeout"));
    else this.#controller = controller;
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    this.#date = headers["date"];
    const syncToken = headers["upstash-sync-token"];
    if (typeof syncToken === "string") this.#syncToken = syncToken;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#end(this.#status === 200 ? this.#read() : new TripFailure("error"));
  }

  onResponseError(): void {
    this.#end(new TripFailure("refused"));
  }

  #read(): Outcome {
    try {
      const text = this.#chunks.length === 1 ? this.#chunks[0]!.toString() : Buffer.concat(this.#chunks).toString();
      return { answer: JSON.parse(text), syncToken: this.#syncToken, date: this.#date };
    } catch {
      return new TripFailure("error");
    }
  }

  #end(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#done(outcome);
    if (outcome instanceof TripFailure) this.#controller?.abort(outcome);
  }
}
