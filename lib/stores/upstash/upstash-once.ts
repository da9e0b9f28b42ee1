/** Claims in Redis: SET NX, so that exactly one of any number of instances wins. Redis ends them by its own clock. */
import { randomUUID } from "node:crypto";
import type { Claim, Once } from "../../contract/stores/once.ts";
import type { StoreReply } from "../../contract/stores/reply.ts";
import { boundedKey } from "../bounded-key.ts";
import { script } from "./script.ts";
import { reply, type Trips } from "./trips.ts";

/** A value's first letter says what it is. */
const HELD = "h";
const DONE = "d";

/** KEYS: the claim. ARGV: what its holder wrote, the new value or "", its life. */
const finishScript = script(`#!lua flags=allow-key-locking
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == "" then redis.call("DEL", KEYS[1]) else redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3]) end
return 1
`);

export class UpstashOnce implements Once {
  readonly #trips: Trips;
  readonly #prefix: string;

  constructor(trips: Trips, prefix: string) {
    this.#trips = trips;
    this.#prefix = prefix;
  }

  claim(key: string, ttlMs: number): Promise<StoreReply<Claim>> {
    return reply(this.#claim(this.#name(key), ttlMs));
  }

  complete(key: string, token: string, value: string, ttlMs: number): Promise<StoreReply<boolean>> {
    const run = this.#trips.run<number>(finishScript, [this.#name(key)], [HELD + token, DONE + value, ttlMs]);
    return reply(run.then((done) => done === 1));
  }

  release(key: string, token: string): Promise<StoreReply<void>> {
    return reply(this.#trips.run(finishScript, [this.#name(key)], [HELD + token, "", 0]).then(() => {}));
  }

  /** Both commands travel in one request; a claim that ends between them reads as held, which is safe: the caller tries again. */
  async #claim(name: string, ttlMs: number): Promise<Claim> {
    const token = randomUUID();
    const [set, standing] = await Promise.all([
      this.#trips.set(name, HELD + token, { nx: true, px: ttlMs }),
      this.#trips.get<string>(name),
    ]);
    if (set === "OK") return { state: "claimed", token };
    return standing?.startsWith(DONE) ? { state: "done", value: standing.slice(1) } : { state: "held" };
  }

  #name(key: string): string {
    return `${this.#prefix}once:${boundedKey(key)}`;
  }
}
