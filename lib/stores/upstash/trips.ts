/**
 * Trips to Redis over HTTP: every question of one turn of the event loop goes into one POST, reads and writes alike (the SDK's
 * own auto-pipelining sends those apart). One attempt, within the budget; a failure is a reply, never an exception.
 */
import { type Pipeline, Redis, type Requester, type SetCommandOptions, type UpstashRequest } from "@upstash/redis";
import { ok, type StoreReply, unavailable } from "../../contract/stores/reply.ts";
import type { StoreStatus } from "../../contract/stores/stores.ts";
import { Outage, type OutageEvent } from "../outage.ts";
import { Rest, TripFailure } from "./rest.ts";
import { type Script, script } from "./script.ts";

export type AddCommand = (pipeline: Pipeline) => unknown;

export interface TripsOptions {
  readonly url: string;
  readonly token: string;
  /** For all that one question needs, a second POST included. */
  readonly budgetMs: number;
  /** Epoch milliseconds. */
  now?(): number;
  /** Redis does not answer, or does again. */
  onOutage?(event: OutageEvent): void;
  /** Redis answers, and refuses to write (out of memory, a replica), or does it again. */
  onRefusal?(event: OutageEvent): void;
  /** This machine's clock is so far ahead of Redis's, or behind where it is negative. */
  onSkew?(aheadMs: number): void;
}

interface Waiting {
  readonly add: AddCommand;
  /** Whether it asks Redis to write, so that its result tells whether Redis does. */
  readonly writes: boolean;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** A turn that asks more than this is sent as several requests, so that none is held up by a giant. */
const MAX_COMMANDS = 500;

export class Trips {
  readonly #sdk: Sdk;
  readonly #rest: Rest;
  readonly #budgetMs: number;
  readonly #now: () => number;
  readonly #outage: Outage;
  readonly #refusal: Outage;
  /** Scripts that this process has sent by their text. */
  readonly #sent = new Set<string>();
  /** Until when a script that Redis did not know may be sent again by its text, by digest. */
  readonly #resendUntilMs = new Map<string, number>();
  #waiting: Waiting[] = [];

  constructor({
    url,
    token,
    budgetMs,
    now = Date.now,
    onOutage = () => {},
    onRefusal = () => {},
    onSkew = () => {},
  }: TripsOptions) {
    this.#rest = new Rest({ url, token, now, onSkew });
    this.#sdk = new Sdk(this.#rest, url, token);
    this.#budgetMs = budgetMs;
    this.#now = now;
    this.#outage = new Outage({ now, onChange: onOutage });
    this.#refusal = new Outage({ now, onChange: onRefusal });
  }

  get status(): StoreStatus {
    const silence = this.#outage.status;
    const refusal = this.#refusal.status;
    return {
      away: silence.away ?? refusal.away,
      outages: silence.outages + refusal.outages,
      unanswered: silence.unanswered + refusal.unanswered,
    };
  }

  close(): Promise<void> {
    return this.#rest.close();
  }

  /** One command in this turn's request. Rejects like the SDK does: for @upstash/ratelimit; everything else uses `reply`. */
  send<T>(add: AddCommand, writes = false): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ add, writes, resolve: resolve as (result: unknown) => void, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#depart());
      if (this.#waiting.length === MAX_COMMANDS) this.#depart();
    });
  }

  /** These four are what @upstash/ratelimit needs of a client. */
  get<T>(key: string): Promise<T | null> {
    return this.send((pipeline) => pipeline.get(key));
  }

  set<T>(key: string, value: T, options?: SetCommandOptions): Promise<"OK" | T | null> {
    return this.send((pipeline) => pipeline.set(key, value, options), true);
  }

  async evalsha<T>(sha: string, keys: string[], args: unknown[]): Promise<T> {
    const untilMs = this.#now() + this.#budgetMs;
    try {
      return await this.send<T>((pipeline) => pipeline.evalsha(sha, keys, args), true);
    } catch (error) {
      if (isUnknownScript(error)) this.#resendUntilMs.set(sha, untilMs);
      throw error;
    }
  }

  /** After an `evalsha` that Redis did not know, alone and in what is left of that one's budget; otherwise with this turn's. */
  async eval<T>(text: string, keys: string[], args: unknown[]): Promise<T> {
    const { sha } = script(text);
    const add: AddCommand = (pipeline) => pipeline.eval(text, keys, args);
    const untilMs = this.#resendUntilMs.get(sha);
    const result = await (untilMs === undefined ? this.send<T>(add, true) : this.#sendAlone<T>(add, untilMs - this.#now()));
    this.#sent.add(sha);
    return result;
  }

  /** By its text the first time, so that a cold start is one trip; then by digest, until Redis has forgotten it (flush, failover). */
  async run<T>(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<T> {
    if (!this.#sent.has(script.sha)) return this.eval<T>(script.text, [...keys], [...args]);
    try {
      return await this.evalsha<T>(script.sha, [...keys], [...args]);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return await this.eval<T>(script.text, [...keys], [...args]);
    }
  }

  #sendAlone<T>(add: AddCommand, budgetMs: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      void this.#post([{ add, writes: true, resolve: resolve as (result: unknown) => void, reject }], budgetMs);
    });
  }

  #depart(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    void this.#post(waiting, this.#budgetMs);
  }

  async #post(waiting: readonly Waiting[], budgetMs: number): Promise<void> {
    const refused = this.#outage.refuses();
    if (refused) return rejectAll(waiting, new TripFailure(refused));
    try {
      const pipeline = this.#sdk.pipelineWithin(budgetMs);
      for (const { add } of waiting) add(pipeline);
      const results = await pipeline.exec<unknown[]>({ keepErrors: true });
      this.#outage.succeeded();
      for (const [index, { writes, resolve, reject }] of waiting.entries()) {
        const result = results[index];
        const error = result ? result.error : "no result";
        if (writes && error === undefined) this.#refusal.succeeded();
        else if (error !== undefined && REFUSES_TO_WRITE.test(error)) this.#refusal.failed("error");
        if (error === undefined) resolve(result!.result);
        else reject(new Error(error));
      }
    } catch (error) {
      const failure = error instanceof TripFailure ? error : new TripFailure("error");
      this.#outage.failed(failure.reason);
      rejectAll(waiting, failure);
    }
  }
}

/** What Redis says where it can't write: full, a replica, failing to save, loading, over its plan's requests. */
const REFUSES_TO_WRITE = /^(?:OOM|READONLY|MISCONF|LOADING|CLUSTERDOWN|MASTERDOWN|NOREPLICAS|ERR max)/;

/** The SDK for its commands and their pipelines; the transport is ours. */
class Sdk extends Redis {
  readonly #rest: Rest;

  constructor(rest: Rest, url: string, token: string) {
    // "123" stays text.
    super({ url, token, automaticDeserialization: false, enableTelemetry: false, enableAutoPipelining: false });
    this.#rest = rest;
  }

  /** A pipeline keeps the client that it was made with. */
  pipelineWithin(budgetMs: number): Pipeline {
    const post = async ({ path = [], body }: UpstashRequest) => {
      const answer = await this.#rest.post(path.join("/"), body, budgetMs);
      if (!Array.isArray(answer)) throw new TripFailure("error");
      return answer as unknown;
    };
    this.client = { request: post as Requester["request"] };
    return this.pipeline();
  }
}

function rejectAll(waiting: readonly Waiting[], error: Error): void {
  for (const { reject } of waiting) reject(error);
}

function isUnknownScript(error: unknown): boolean {
  return String(error).includes("NOSCRIPT");
}

/** Turns what a trip brought into a reply. An error's message can hold the command, keys included: it goes no further. */
export async function reply<T>(work: Promise<T>): Promise<StoreReply<T>> {
  try {
    return ok(await work);
  } catch (error) {
    return unavailable(error instanceof TripFailure ? error.reason : "error");
  }
}
