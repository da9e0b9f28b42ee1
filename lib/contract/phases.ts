/** The rows of a request in which policies decide. */

/**
 * The rows in which verdicts are reported, in order (docs/design.md, life of a request). Rows after `pool` run in the half
 * that executes. A row is where a policy's refusal ranks; policies in one row run in the order of policies/index.ts.
 */
export const ROWS = [
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
export type Row = (typeof ROWS)[number];

/** The first row of the execute half. */
export const FIRST_EXECUTE_ROW = ROWS.indexOf("validate");

/** The rows a custom policy may stand in: before anyone is identified, once the caller is known, or beside validation. */
export type CustomRow = Extract<Row, "screen" | "authorize" | "validate">;
