/**
 * Exceptions for single consumers, set through the admin API and in force without a deployment. All of them stand in one value, of
 * which every instance keeps a copy that is never more than 5 s old while the store answers.
 */
import type { Json } from "../../exchange.ts";
import type { Blob, Blobs } from "../../stores/blobs.ts";
import type { Question, Reply } from "../../stores/questions.ts";
import { ok, type StoreReply } from "../../stores/reply.ts";

export interface Override {
  /** Counts as this tier, whatever the credentials say. */
  readonly tier?: string;
  /** Amounts by the names of limits, in place of the config's. */
  readonly limits?: Readonly<Record<string, number>>;
}

/** What an override says of a limit's amount; undefined where the config's holds. */
export function amountIn(override: Override | undefined, name: string): number | undefined {
  const limits = override?.limits;
  return limits && Object.hasOwn(limits, name) ? limits[name] : undefined;
}

export type Overrides = ReadonlyMap<string, Override>;

/** They are read whole, so they are exceptions and not a way to set every consumer's limit: that is what tiers are for. */
export const MAX_OVERRIDES = 1000;

const KEY = "overrides";
const TTL_MS = 10 * 365 * 86_400_000;
const QUESTION: Question = { ask: "blob", key: KEY };
const MAX_AGE_MS = 5_000;
/** From this age on, one request at a time asks; the others go on with what is known. */
const REFRESH_MS = 4_000;
const ASK_AGAIN_MS = 500;

export async function readOverrides(blobs: Blobs, nowMs: number): Promise<StoreReply<Overrides>> {
  return overridesIn(await blobs.get(KEY, nowMs));
}

export async function writeOverrides(blobs: Blobs, overrides: Overrides, nowMs: number): Promise<StoreReply<void>> {
  const text = JSON.stringify(Object.fromEntries(overrides));
  return blobs.set(KEY, new TextEncoder().encode(text), { ttlMs: TTL_MS }, nowMs);
}

function overridesIn(reply: StoreReply<Blob | undefined>): StoreReply<Overrides> {
  if (reply.state !== "ok") return reply;
  if (reply.value === undefined) return ok(new Map());
  try {
    const value = JSON.parse(new TextDecoder().decode(reply.value.value)) as Record<string, Override>;
    return ok(new Map(Object.entries(value)));
  } catch {
    return ok(new Map());
  }
}

/** What one instance knows of them. While the store is away, that is how they stood last. */
export class OverridesSnapshot {
  #overrides: Overrides = new Map();
  #checkedMs = Number.NEGATIVE_INFINITY;
  #askedMs = Number.NEGATIVE_INFINITY;

  of(consumer: string): Override | undefined {
    return this.#overrides.get(consumer);
  }

  /** The question for the stores, where what is known is getting old. */
  question(nowMs: number): Question | undefined {
    const ageMs = nowMs - this.#checkedMs;
    if (ageMs < REFRESH_MS || (ageMs < MAX_AGE_MS && nowMs - this.#askedMs < ASK_AGAIN_MS)) return undefined;
    this.#askedMs = nowMs;
    return QUESTION;
  }

  update(reply: Reply, nowMs: number): void {
    this.#checkedMs = nowMs;
    const read = overridesIn(reply as StoreReply<Blob | undefined>);
    if (read.state === "ok") this.#overrides = read.value;
  }
}

/** What may stand in a request to the admin API; a text says what is wrong with it. */
export function readOverride(value: Json): Override | string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "expected an object";
  const { tier, limits, ...rest } = value as Record<string, Json>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return `there is no ${JSON.stringify(unknown)}; there are "tier" and "limits"`;
  if (tier === undefined && limits === undefined) return '"tier" or "limits" is missing';
  if (tier !== undefined && (typeof tier !== "string" || tier === "")) return '"tier" is the name of a tier';
  if (limits === undefined) return { tier: tier as string };
  if (typeof limits !== "object" || limits === null || Array.isArray(limits)) return '"limits" is an object: { "name": amount }';
  const wrong = Object.entries(limits).find(([, amount]) => !Number.isSafeInteger(amount) || (amount as number) < 1);
  if (wrong) return `the limit ${JSON.stringify(wrong[0])} takes a whole number above 0`;
  return { ...(tier === undefined ? {} : { tier: tier as string }), limits: limits as Record<string, number> };
}
