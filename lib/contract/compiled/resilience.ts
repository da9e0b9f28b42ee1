/** What a backend and its routes do about targets that fail: plain data, as in compiled.ts. Null is always "not at all". */

export interface BackendResilience {
  /** For routes that say nothing of their own. */
  readonly retry?: CompiledRetry | undefined;
  readonly passive?: CompiledPassive | undefined;
  readonly active?: CompiledActive | undefined;
  readonly breaker?: CompiledBreaker | undefined;
  readonly bulkhead?: CompiledBulkhead | undefined;
  /** The backend carries out a request with a known Idempotency-Key only once. */
  readonly idempotencyKeys: boolean;
}

export interface CompiledRetry {
  /** How often a request is sent at most, the first time included. */
  readonly attempts: number;
  /** Where no connection came about. */
  readonly connect: boolean;
  /** Of the backend's answers; 502 and 504 also stand for a connection that broke and for an answer that did not come. */
  readonly statuses: readonly number[];
  /** Retries for each request: 0.2 is one for five. */
  readonly budget: number;
}

/** A target that fails so often in a row is left out for a while. */
export interface CompiledPassive {
  readonly failures: number;
  /** For the first time; longer while it goes on failing. */
  readonly ejectMs: number;
}

/** Asked for by the gateway: by itself on the Node host, when a scheduler asks for it on Vercel. */
export interface CompiledActive {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly from: number;
  readonly to: number;
}

/** A target that fails, or is slow, for so large a share of its requests gets none for a while. */
export interface CompiledBreaker {
  readonly windowMs: number;
  /** With fewer requests in the window a share says nothing. */
  readonly requests: number;
  readonly failures: number;
  readonly slow: number;
  /** Null: no answer counts as slow. */
  readonly slowAfterMs?: number | undefined;
  readonly openMs: number;
}

export interface CompiledBulkhead {
  /** Requests under way at the backend. */
  readonly requests: number;
  /** Requests that wait for a place. */
  readonly queue: number;
  readonly waitMs: number;
}
