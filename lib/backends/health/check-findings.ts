/** What a run of checks has found, as it stands in the blobs for every instance. What can't be read there is as if it were not. */
import type { Blob } from "../../contract/stores/blobs.ts";

export interface Down {
  readonly reason: string;
  /** When the check failed for the last time. */
  readonly checkedMs: number;
}

export interface Findings {
  /** When the run began: of two, the one that began later knows better. */
  readonly startedMs: number;
  /** Targets that failed, by id. */
  readonly down: ReadonlyMap<string, Down>;
}

export const FINDINGS_KEY = "target-checks";

/** Short, because every instance reads all of them every few seconds. */
const MAX_REASON = 100;
/** Clocks of instances agree to far less. A run from the future would be the latest for ever. */
const MAX_SKEW_MS = 60_000;

export function writeFindings({ startedMs, down }: Findings): Uint8Array {
  const entries = [...down].map(([id, { reason, checkedMs }]) => [id, checkedMs, reason.slice(0, MAX_REASON)]);
  return new TextEncoder().encode(JSON.stringify({ startedMs, down: entries }));
}

export function readFindings(blob: Blob | undefined, nowMs: number): Findings | undefined {
  if (blob === undefined) return undefined;
  try {
    const { startedMs, down } = JSON.parse(new TextDecoder().decode(blob.value)) as Record<string, unknown>;
    if (!isTime(startedMs, nowMs) || !Array.isArray(down)) return undefined;
    const entries = (down as readonly unknown[]).flatMap((entry): [string, Down][] => {
      const [id, checkedMs, reason] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
      if (typeof id !== "string" || !isTime(checkedMs, nowMs) || typeof reason !== "string") return [];
      return [[id, { checkedMs, reason: reason.slice(0, MAX_REASON) }]];
    });
    return { startedMs, down: new Map(entries) };
  } catch {
    return undefined;
  }
}

function isTime(value: unknown, nowMs: number): value is number {
  return typeof value === "number" && value <= nowMs + MAX_SKEW_MS;
}
