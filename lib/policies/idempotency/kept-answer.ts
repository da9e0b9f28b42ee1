/** An answer as it is kept for those who send the same request again: text, since that is what claims are completed with. */

import type { LocalResponse } from "../../contract/problem.ts";
import { HeaderList } from "../../http/header-list.ts";

export interface KeptAnswer {
  /** Of the request that it answers. */
  readonly print: string;
  readonly status: number;
  /** Name, value, name, value. */
  readonly pairs: readonly string[];
  /** In base64; null where it was too large. */
  readonly body: string | null;
}

/** Somebody's session must not be handed out again, and the length is told anew. */
const NOT_KEPT = new Set(["set-cookie", "content-length"]);

export function keptPairs({ pairs }: HeaderList): string[] {
  const kept: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    if (!NOT_KEPT.has(pairs[i]!.toLowerCase())) kept.push(pairs[i]!, pairs[i + 1]!);
  }
  return kept;
}

export function readKept(text: string): KeptAnswer | undefined {
  try {
    return JSON.parse(text) as KeptAnswer;
  } catch {
    return undefined;
  }
}

export function answerOf({ status, pairs, body }: KeptAnswer & { readonly body: string }): LocalResponse {
  const headers = new HeaderList([...pairs, "idempotency-replayed", "true"]);
  return { status, headers, body: body === "" ? null : Buffer.from(body, "base64") };
}
