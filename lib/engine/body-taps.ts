/** The steps that see or replace a body's chunks, as one: each chunk passes by all of them, in order. */
import type { Exchange } from "../contract/exchange.ts";
import type { BodyPart, BodyTap } from "../contract/policy.ts";
import type { Step } from "./pipeline.ts";

export class BodyTaps {
  readonly #taps: readonly { readonly tap: BodyTap; readonly replaces: boolean }[];

  constructor(steps: readonly Step[], side: "requestBody" | "responseBody", exchange: Exchange) {
    this.#taps = steps.map(({ policy }) => {
      const part: BodyPart = policy[side]!;
      return { tap: part.open!(exchange), replaces: part.mode !== "observe" };
    });
  }

  /** Undefined where a step kept the bytes for later. */
  chunk(bytes: Uint8Array, from = 0): Uint8Array | undefined {
    let current: Uint8Array = bytes;
    for (let i = from; i < this.#taps.length; i++) {
      const { tap, replaces } = this.#taps[i]!;
      const replaced = tap.chunk(current);
      if (!replaces) continue;
      if (!replaced || replaced.length === 0) return undefined;
      current = replaced;
    }
    return current;
  }

  /** What the steps still held, each by way of those after it. */
  end(): Uint8Array[] {
    const left: Uint8Array[] = [];
    for (const [index, { tap, replaces }] of this.#taps.entries()) {
      const last = tap.end?.();
      if (!replaces || !last || last.length === 0) continue;
      const passed = this.chunk(last, index + 1);
      if (passed) left.push(passed);
    }
    return left;
  }
}

/** Whether any of the steps changes bytes, so that a length stated before no longer holds. */
export function replacesBytes(steps: readonly Step[], side: "requestBody" | "responseBody"): boolean {
  return steps.some(({ policy }) => policy[side]!.mode !== "observe");
}
