/** An ask: calls to the stores, and the function that decides by their results. It keeps what the policy knew when it asked. */
import type { MaybePromise } from "./maybe-promise.ts";
import type { StoreCall, StoreResult, StoreResults } from "./stores/store-calls.ts";

export interface Ask<Result> {
  readonly calls: readonly StoreCall[];
  /** Gets one result for each call, in order. */
  conclude(results: readonly StoreResult[]): MaybePromise<Result>;
}

/** The calls leave together with those of other policies of the request. */
export function ask<const Calls extends readonly StoreCall[], Result>(
  calls: Calls,
  conclude: (results: StoreResults<Calls>) => MaybePromise<Result>,
): Ask<Result> {
  return { calls, conclude };
}

export function isAsk<Result>(value: Result | Ask<Result>): value is Ask<Result> {
  return typeof value === "object" && value !== null && "calls" in value;
}
