/**
 * Trips to Redis over HTTP: every question of one turn of the event loop goes into one POST, reads and writes alike (the SDK's
 * own auto-pipelining sends those apart). One attempt, within the budget; a failure is a reply, never an exception.
 */
import { type Pipeline, Redis, type SetCommandOptions } from "@upstash/redis";
import { ok, type StoreReply, type Unavailable, unavailable } from "../reply.ts";
import type { Script } from "./script.ts";

export type AddCommand = (pipeline: Pipeline) => unknown;

interface Waiting {
  readonly add: AddCommand;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** A turn that asks more than this is sent as several requests, so that none is held up by a giant. */
const MAX_COMMANDS = 500;

export class Trips {
  readonly #redis: Redis;
  #waiting: Waiting[] = [];

  constructor(options: { readonly url: string; readonly token: string; readonly budgetMs: number }) {
    this.#redis = new Redis({
      url: options.url,
      token: options.token,
      retry: { retries: 0 },
      // A function: with a plain signal the SDK turns the abort into an answer of status 200.
      signal: () => AbortSignal.timeout(options.budgetMs),
      enableTelemetry: false,
      enableAutoPipelining: false,
      // "123" stays text.
      automaticDeserialization: false,
      // All we store is text, so JSON carries it as it is; base64 would cost a third more.
      responseEncoding: false,
      // A key that this instance wrote is found by its next read, also where reads go to a replica.
      readYourWrites: true,
    });
  }

  /** One command in this turn's request. Rejects like the SDK does: for @upstash/ratelimit; everything else uses `reply`. */
  send<T>(add: AddCommand): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ add, resolve: resolve as (result: unknown) => void, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#depart());
      if (this.#waiting.length === MAX_COMMANDS) this.#depart();
    });
  }

  /** These four are what @upstash/ratelimit needs of a client. */
  get<T>(key: string): Promise<T | null> {
    return this.send((pipeline) => pipeline.get(key));
  }

  set<T>(key: string, value: T, options?: SetCommandOptions): Promise<"OK" | T | null> {
    return this.send((pipeline) => pipeline.set(key, value, options));
  }

  evalsha<T>(sha: string, keys: string[], args: unknown[]): Promise<T> {
    return this.send<T>((pipeline) => pipeline.evalsha(sha, keys, args));
  }

  eval<T>(text: string, keys: string[], args: unknown[]): Promise<T> {
    return this.send<T>((pipeline) => pipeline.eval(text, keys, args));
  }

  /** By digest; the text follows only where Redis does not know it (first use, flush, failover). */
  async run<T>(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<T> {
    try {
      return await this.evalsha<T>(script.sha, [...keys], [...args]);
    } catch (error) {
      if (!String(error).includes("NOSCRIPT")) throw error;
      return await this.eval<T>(script.text, [...keys], [...args]);
    }
  }

  #depart(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    const pipeline = this.#redis.pipeline();
    for (const { add } of waiting) add(pipeline);
    pipeline.exec<unknown[]>({ keepErrors: true }).then(
      (results) => {
        for (const [index, { resolve, reject }] of waiting.entries()) {
          const result = results[index];
          if (!result || result.error !== undefined) reject(new Error(result?.error ?? "no result"));
          else resolve(result.result);
        }
      },
      (error) => {
        for (const { reject } of waiting) reject(error);
      },
    );
  }
}

/** Turns what a trip brought into a reply. An error's message can hold the command, keys included: it goes no further. */
export async function reply<T>(work: Promise<T>): Promise<StoreReply<T>> {
  try {
    return ok(await work);
  } catch (error) {
    return unavailable(reasonOf(error));
  }
}

function reasonOf(error: unknown): Unavailable["reason"] {
  if (!(error instanceof Error)) return "error";
  if (error.name === "TimeoutError" || error.name === "AbortError") return "timeout";
  // What `fetch` throws where there was no connection, or it broke.
  return error instanceof TypeError && error.message === "fetch failed" ? "refused" : "error";
}
