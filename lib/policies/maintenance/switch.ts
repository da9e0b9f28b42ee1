/** The switch that `frontdesk maintenance on` turns: where it stands in the stores, and what an instance remembers of it. */
import type { Blobs } from "../../stores/blobs.ts";
import type { Question, Reply } from "../../stores/questions.ts";
import { ok, type Pending, type StoreReply } from "../../stores/reply.ts";

/** How the switch stands, and since when. */
export interface SwitchState {
  readonly on: boolean;
  /** ISO 8601; undefined where it was never turned. */
  readonly since: string | undefined;
}

const KEY = "maintenance";
/** It stays as it was left: ten years are as good as for ever. */
const TTL_MS = 10 * 365 * 86_400_000;
const QUESTIONS: readonly Question[] = [{ ask: "blob", key: KEY }];
const NEVER: SwitchState = { on: false, since: undefined };

/** For the command: what stands in the store. */
export function readSwitch(blobs: Blobs, nowMs: number): Pending<SwitchState> {
  const reply = blobs.get(KEY, nowMs);
  return reply instanceof Promise ? reply.then(stateIn) : stateIn(reply);
}

/** For the command: turns it, for every instance on this store within 5 s. */
export function writeSwitch(blobs: Blobs, on: boolean, nowMs: number): Pending<void> {
  const state: SwitchState = { on, since: new Date(nowMs).toISOString() };
  return blobs.set(KEY, new TextEncoder().encode(JSON.stringify(state)), { ttlMs: TTL_MS }, nowMs);
}

function stateIn(reply: Awaited<ReturnType<Blobs["get"]>>): StoreReply<SwitchState> {
  if (reply.state !== "ok") return reply;
  if (reply.value === undefined) return ok(NEVER);
  try {
    const { on, since } = JSON.parse(new TextDecoder().decode(reply.value.value)) as Partial<SwitchState>;
    return ok({ on: on === true, since });
  } catch {
    return ok(NEVER);
  }
}

/** A state older than this is not acted on while the store answers. */
const MAX_AGE_MS = 5_000;
/** From this age on, one request at a time asks; the others go on with what is known. */
const REFRESH_MS = 4_000;
const ASK_AGAIN_MS = 500;

/** What one instance knows of the switch. While the store is away, that is how it stood last. */
export class SwitchSnapshot {
  on = false;
  #checkedMs = Number.NEGATIVE_INFINITY;
  #askedMs = Number.NEGATIVE_INFINITY;

  /** The question for the stores, where what is known is getting old. */
  questions(nowMs: number): readonly Question[] | undefined {
    const ageMs = nowMs - this.#checkedMs;
    if (ageMs < REFRESH_MS || (ageMs < MAX_AGE_MS && nowMs - this.#askedMs < ASK_AGAIN_MS)) return undefined;
    this.#askedMs = nowMs;
    return QUESTIONS;
  }

  update(reply: Reply, nowMs: number): void {
    this.#checkedMs = nowMs;
    const state = stateIn(reply as Awaited<ReturnType<Blobs["get"]>>);
    if (state.state === "ok") this.on = state.value.on;
  }
}
