/** What is written down about one request: each step's verdict, reason and time, each attempt at a backend, and how it ended. */
import type { ClientStatement } from "../http/client-statement.ts";
import type { RefusalCode } from "./problem.ts";

export interface StepRecord {
  readonly policy: string;
  readonly verdict: "passed" | "refused" | "answered" | "would-refuse" | "would-answer" | "failed";
  readonly code?: RefusalCode | undefined;
  readonly reason?: string | undefined;
  /** Time spent in the policy, in milliseconds. The trip of an ask, which policies share, is not included. */
  readonly ms: number;
}

/** One attempt at a backend. It is written down when the head of its answer has come, or when it has failed without one. */
export interface AttemptRecord {
  readonly target: string;
  readonly status?: number | undefined;
  /** Also of an answer that broke off after its head. */
  readonly error?: string | undefined;
  /** False where nothing of the request has left: no connection came about. */
  readonly wasSent: boolean;
  /** To the head of the answer; undefined where none came. */
  readonly headMs?: number | undefined;
  /** To the end. The same as `headMs` where the record left before the answer's end: a cache goes on reading for others. */
  readonly ms: number;
}

/** An attempt that may still be under way. */
export interface AttemptDraft extends AttemptRecord {
  error?: string | undefined;
  ms: number;
}

/** What became of the copy of a request that was drawn for `mirror`. Its answer is nobody's, and is not waited for. */
export type MirrorRecord = "sent" | "too-large" | "busy" | "no-target";

/** How the request ended, as `onEnd` and the record see it. */
export interface Outcome {
  readonly status: number;
  readonly source: "gateway" | "backend" | "cache";
  readonly code?: RefusalCode | undefined;
  /** True where the caller went away or the connection broke before the answer was whole. */
  readonly aborted: boolean;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
}

/** Filled while the request runs; the record gets copies. */
export interface RecordDraft {
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly steps: StepRecord[];
  readonly attempts: AttemptDraft[];
  reason: string | undefined;
  mirror?: MirrorRecord | undefined;
}

export interface RequestRecord extends Outcome {
  /** Epoch milliseconds of the request's arrival. */
  readonly startedAt: number;
  readonly requestId: string;
  readonly traceparent: string;
  readonly method: string;
  /** Without the query, which may hold credentials. */
  readonly path: string;
  readonly host: string;
  readonly clientIp: string | undefined;
  /** What became of a frontend's word about who calls. */
  readonly frontend: ClientStatement["verdict"] | undefined;
  readonly route: string | undefined;
  readonly consumer: string | undefined;
  /** The gateway's own member of Cache-Status (RFC 9211); undefined where its cache had no part in the answer. */
  readonly cacheStatus: string | undefined;
  readonly reason: string | undefined;
  readonly steps: readonly StepRecord[];
  readonly attempts: readonly AttemptRecord[];
  readonly mirror?: MirrorRecord | undefined;
}
