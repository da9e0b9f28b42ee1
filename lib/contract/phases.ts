/** The phases of a request in which policies decide. */

/**
 * The phases in which verdicts are reported, in order (docs/design.md, life of a request). Phases after `pool` run in the half
 * that executes. A phase is where a policy's refusal ranks; policies in one phase run in the order of policies/index.ts.
 */
export const PHASES = [
  "cors",
  "screen",
  "maintenance",
  "limit",
  "identify",
  "authorize",
  "consumer-limit",
  "pool",
  "validate",
  "idempotency",
  "cache",
  "answer",
] as const;
export type Phase = (typeof PHASES)[number];

/** The first phase of the execute half. */
export const FIRST_EXECUTE_PHASE = PHASES.indexOf("validate");

/** The phases a custom policy may stand in: before anyone is identified, once the caller is known, or beside validation. */
export type CustomPhase = Extract<Phase, "screen" | "authorize" | "validate">;
