/** A backend of a compiled config: plain data, as in compiled.ts. */

import type { Region } from "../../http/region.ts";
import type { BackendResilience } from "./resilience.ts";

export interface CompiledBackend {
  readonly name: string;
  /** Where there is a canary, it is the last. */
  readonly targets: readonly CompiledTarget[];
  readonly canary?: CompiledCanary | undefined;
  /** A request stays with the targets that `where` has chosen, whatever becomes of them. */
  readonly strict?: true | undefined;
  readonly balance: Balance;
  /** How long a target takes to its full share once it is back; 0 for at once. */
  readonly slowStartMs: number;
  /** Null: nothing is done about a target that fails. */
  readonly resilience?: BackendResilience | undefined;
  readonly timeouts: Timeouts;
  /** The caller's own token goes on to it. */
  readonly forwardCredential: boolean;
  /** Host goes on as received. */
  readonly preserveHost: boolean;
  /** Sent to the backend, replacing the caller's: name (lower case), value. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Absent: the backend asks for none. */
  readonly assertion?: CompiledAssertion;
}

export interface CompiledAssertion {
  readonly audience: string;
  /** Null: the gateway's own address. */
  readonly issuer?: string | undefined;
  readonly ttlSeconds: number;
  /** In lower case. */
  readonly header: string;
  readonly claims: readonly { readonly from: "claim"; readonly name: string }[];
}

export interface CompiledTarget {
  /** Absolute http or https URL: origin and base path, no query, no fragment, no trailing slash. */
  readonly url: string;
  /** Its share among targets of its priority; 0 takes no requests. */
  readonly weight: number;
  /** Targets of the lowest number are asked first, others while none of these can take the request. */
  readonly priority: number;
  /** Absent: for whoever is in no place that another target names. */
  readonly where?: Region;
  /** Degrees; only for `nearest`. */
  readonly at?: { readonly lat: number; readonly lon: number };
}

export interface CompiledCanary {
  /** Of the callers, or of the requests where none are told apart: 0.05 is one of twenty. */
  readonly share: number;
  /** By what a caller is known again; null: each request is drawn for by itself. */
  readonly sticky?: "caller" | "consumer" | "cookie" | undefined;
  /** Whoever brings all of these goes there. */
  readonly when?:
    | {
        readonly headers: readonly (readonly [name: string, value: string | true])[];
        readonly cookies: readonly (readonly [name: string, value: string | true])[];
      }
    | undefined;
}

/** How one of several targets is chosen. */
export type Balance =
  | { readonly by: "round-robin" | "least-inflight" | "p2c" | "nearest" }
  | { readonly by: "hash"; readonly of: "ip" | "consumer" }
  | { readonly by: "hash"; readonly of: "header" | "cookie"; readonly name: string };

/** Milliseconds; null means none. */
export interface Timeouts {
  readonly connectMs: number;
  readonly firstByteMs?: number | undefined;
  readonly idleMs?: number | undefined;
  readonly totalMs?: number | undefined;
  /** Absent: the standard one. */
  readonly body?: BodyPace;
}

/** The slowest that a caller may send its body. */
export interface BodyPace {
  /** Null: any pace. */
  readonly bytesPerSecond?: number | undefined;
  readonly graceMs: number;
}

/** As Kestrel has it. */
export const STANDARD_BODY_PACE: BodyPace = { bytesPerSecond: 240, graceMs: 5_000 };
