/** What `onEnd` was told of each request. Node and the test runner may each load this file: they share one list. */
import type { Outcome } from "#lib/contract/record.ts";

const shared = globalThis as { [key: symbol]: { id: string; outcome: Outcome }[] | undefined };
const key = Symbol.for("frontdesk.test.outcomes");
shared[key] ??= [];

export const outcomes = shared[key];
