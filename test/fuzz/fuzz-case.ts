/** A case of the fuzzer as plain data: what a client does on one connection, and what backends answer. It is replayed from JSON. */

/** Bytes are latin-1 text. */
export type Step =
  | { readonly write: string }
  | { readonly waitMs: number }
  /** Stops reading, or reads again. */
  | { readonly reads: boolean }
  /** A half-close: the FIN of this side. */
  | { readonly end: true }
  | { readonly reset: true };

export type AnswerStep =
  | Step
  /** Waits for the whole request. An answer without it begins while the body is still on its way. */
  | { readonly takeRequest: true }
  /** Accepts a WebSocket with the right proof, then sends what is written. */
  | { readonly accept: string };

export interface FuzzCase {
  readonly id: string;
  readonly kind: string;
  readonly steps: readonly Step[];
  /** By the number of the request that asks: `x-fuzz: <id>.<number>`. */
  readonly answers: readonly (readonly AnswerStep[])[];
  /** Bytes have been changed at random: what a backend gets is not known. */
  readonly isMutated: boolean;
}

/** Names the request, so that the odd backend knows its answer. Both sides spell it so. */
export const CASE_FIELD = "x-fuzz";
/** A backend's answer says which request it is for. */
export const ANSWER_FIELD = "x-fuzz-answer";
export const CASE_NAME = /^x-fuzz: *(c\d+)\.(\d+) *$/im;

/** Stands in every field that a caller must not be able to say. */
export const FORGED = "forged-by-the-caller";
/** The target of a request that a body pretends to be. */
export const SMUGGLED_TARGET = "/smuggled";
