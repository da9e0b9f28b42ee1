/** Why an attempt at a backend failed: the error, what it means for the caller and for the target, and its words for the record. */
import { errors } from "undici";
import type { Result } from "../backends/resilience/circuit.ts";
import { type ProblemCode, type Refusal, refuse } from "../contract/problem.ts";
import { BodyFault } from "./request-body.ts";

export class CallerGone extends Error {
  constructor() {
    super("the caller has gone");
  }
}

/** One of the route's time-outs; `total` is for all attempts together. */
export class TimedOut extends Error {
  readonly which: "firstByte" | "idle" | "total";

  constructor(which: TimedOut["which"]) {
    super(`${which} time-out`);
    this.which = which;
  }
}

export function isTotal(error: Error): boolean {
  return error instanceof TimedOut && error.which === "total";
}

/** The backend answered, but with something that can't be passed on. */
export class UnfitAnswer extends Error {
  readonly refusedWith: ProblemCode;

  constructor(message: string, refusedWith: ProblemCode = "response-invalid") {
    super(message);
    this.refusedWith = refusedWith;
  }
}

/** A policy threw while it shaped the answer. */
export class PolicyFault extends Error {
  constructor(thrown: unknown) {
    super(thrown instanceof Error ? describe(thrown) : String(thrown), { cause: thrown });
  }
}

/** What the backend sent is not HTTP. */
export class MalformedAnswer extends Error {}

export function asRefusal(error: Error): Refusal {
  if (error instanceof PolicyFault) return refuse("internal", { reason: error.message });
  if (error instanceof BodyFault) return refuse(error.code, { detail: error.message });
  if (error instanceof TimedOut) return refuse("backend-timeout", { reason: error.message });
  if (error instanceof errors.ConnectTimeoutError) return refuse("backend-timeout", { reason: "connect time-out" });
  if (error instanceof UnfitAnswer) return refuse(error.refusedWith, { reason: error.message });
  if (isMalformed(error)) return refuse("response-invalid", { reason: describe(error) });
  return refuse("backend-unreachable", { reason: describe(error) });
}

interface Ending {
  readonly status: number | undefined;
  readonly error: Error | undefined;
  /** The caller has got the head. */
  readonly hasHead: boolean;
}

/** Failures that are not the target's. */
const OURS = [CallerGone, BodyFault, UnfitAnswer, PolicyFault];

/** What an attempt says of its target. */
export function resultOf({ status, error, hasHead }: Ending): Result {
  // A 5xx counts also where a cache gives up the rest of it.
  if (status !== undefined && status >= 500) return "failure";
  if (!error) return "success";
  if (OURS.some((kind) => error instanceof kind)) return "ignored";
  // How long a whole answer takes is up to the caller, too.
  return isTotal(error) && hasHead ? "ignored" : "failure";
}

/** Also by undici's judgement, before a head: what its parser can't read, a head over the bound, lengths that contradict each other. */
function isMalformed(error: Error): boolean {
  return (
    error instanceof MalformedAnswer ||
    error instanceof errors.HTTPParserError ||
    error instanceof errors.HeadersOverflowError ||
    error instanceof errors.ResponseContentLengthMismatchError ||
    // A 101 without a request for it has no class of its own.
    (error instanceof errors.SocketError && error.message === "bad upgrade")
  );
}

function codeOf(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** For the record: an error's code and words, with those of its cause (undici wraps what the socket said). */
export function describe(error: Error): string {
  const code = codeOf(error);
  return code ? `${code}: ${error.message}` : error.message;
}
