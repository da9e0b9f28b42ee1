/**
 * Exceptions for single consumers, set through the admin API and in force without a deployment. All of them stand in one value, of
 * which every instance keeps a copy that is never more than 5 s old while the store answers.
 */
import type { Json } from "../../contract/json.ts";
import type { Blob, Blobs } from "../../contract/stores/blobs.ts";
import { ok, type StoreReply } from "../../contract/stores/reply.ts";
import { BlobSnapshot } from "../../stores/blob-snapshot.ts";

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

export async function readOverrides(blobs: Blobs, nowMs: number): Promise<StoreReply<Overrides>> {
  return overridesIn(await blobs.get(KEY, nowMs));
}

export async function writeOverrides(blobs: Blobs, overrides: Overrides, nowMs: number): Promise<StoreReply<void>> {
  const text = JSON.stringify(Object.fromEntries(overrides));
  return blobs.set(KEY, new TextEncoder().encode(text), { ttlMs: TTL_MS }, nowMs);
}

function overridesIn(reply: StoreReply<Blob | undefined>): StoreReply<Overrides> {
  return reply.state === "ok" ? ok(parse(reply.value)) : reply;
}

function parse(blob: Blob | undefined): Overrides {
  if (blob === undefined) return new Map();
  try {
    return new Map(Object.entries(JSON.parse(new TextDecoder().decode(blob.value)) as Record<string, Override>));
  } catch {
    return new Map();
  }
}

/** What one instance knows of them. */
export class OverridesSnapshot extends BlobSnapshot<Overrides> {
  constructor() {
    super(KEY, parse);
  }

  of(consumer: string): Override | undefined {
    return this.value.get(consumer);
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
