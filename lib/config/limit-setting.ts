/** The settings `limit`, `quota` and `limitHeaders` of a route, and `tiers` of the config: how much anybody may ask for. */
import { z } from "zod";
import { duration, oneOf, oneOrMore, ownMode, reference, size, strict } from "./schema-fields.ts";

const amount = oneOf("a whole number", [z.number(), reference]);
const algorithm = z.enum(["sliding-window", "fixed-window", "token-bucket", "concurrency"]);

const cost = oneOf("a number, { header }, { json, reserve }, { usage, reserve } or { size }", [
  z.number(),
  reference,
  strict("limit.cost", {
    header: z
      .string()
      .optional()
      .describe("A field of the backend's answer that holds the cost; it is taken off. Without it the `reserve` stays charged"),
    json: z.string().optional().describe("A field of a JSON answer that holds the cost: `usage.credits`"),
    usage: z
      .enum(["openai", "anthropic"])
      .optional()
      .describe(
        "The tokens that an answer reports in OpenAI's or Anthropic's form, streams included. For OpenAI `stream_options.include_usage` is asked for where a request did not",
      ),
    size: size.optional().describe("One unit for each so many bytes of the request's body that have begun: `1kb`"),
    reserve: amount
      .optional()
      .describe("Charged before the answer is known, and all that is charged where it never tells; 1 by default"),
  }),
]);

/** What is written as an object. */
const limit = strict("limit", {
  requests: amount
    .optional()
    .describe("How many in each `per`. One of `requests`, `tokens` and `units`: they only differ in name"),
  tokens: amount.optional().describe("As `requests`, for limits whose `cost` is counted in tokens"),
  units: amount.optional().describe("As `requests`, for limits with another `cost`"),
  per: duration.optional().describe("The window, in whole seconds up to 31d: `10s`, `1m`, `1d`. Not with `concurrency`"),
  by: oneOrMore("what is counted by, or a list taken together", z.string())
    .optional()
    .describe(
      "Who shares a count: `caller` (default: the consumer, else the ip), `ip` (IPv6 by /64), `consumer`, `key`, `route`, `backend`, `global`, `header:NAME`, `claim:NAME`, `param:NAME` (one count for all spellings that servers take for one: `a`, `A`, `a;1`), or a list taken together. Where the value is absent the ip counts",
    ),
  algorithm: algorithm
    .optional()
    .describe("`sliding-window` (default), `fixed-window`, `token-bucket`, or `concurrency`: so many at once"),
  burst: amount.optional().describe("How many tokens a bucket holds; as many as arrive in each `per` by default"),
  cost: cost.optional().describe("What a request takes: 1 by default, a number, or what the answer tells"),
  count: z
    .literal("auth-failures")
    .optional()
    .describe(
      "Counts only requests with wrong credentials (`credentials-invalid`, and a backend's 401), by ip unless said otherwise",
    ),
  exact: z
    .boolean()
    .optional()
    .describe("`false` lets an instance take blocks at once and spend them without asking; true by default"),
  onUnavailable: z
    .enum(["local", "allow", "deny"])
    .optional()
    .describe(
      'While the store is away: "local" (default: each instance counts by itself, up to half), "allow", or "deny" (503 `store-unavailable`)',
    ),
  mode: ownMode,
  name: z
    .string()
    .optional()
    .describe("As callers read it. Limits of one name share one count, on whatever routes, and must agree"),
});

const limitForms = [z.string(), limit] as const;
const limitSetting = oneOf('a rate such as "100/m", "tier", { requests, per, … }, or a list of them', [
  ...limitForms,
  z.array(oneOf('a rate such as "100/m", "tier" or { requests, per, … }', limitForms)).min(1),
]);

const quota = strict("quota", {
  requests: amount.describe("How many in each period"),
  per: z.enum(["day", "month"]).describe("`day` or `month` of the calendar in UTC"),
  anchor: z
    .string()
    .optional()
    .describe(
      "A date from which periods are counted: `2027-01-15` begins one on each 15th. Where a month has no such day, on its last",
    ),
});
const quotaSetting = oneOf('a quota such as "10000/month", or { requests, per, anchor }', [z.string(), quota]);

export const limitSettings = {
  limit: limitSetting.describe(
    'How many requests are let through: `"100/m"`, `"tier"`, `{ requests, per, by, algorithm, … }`, or a list, all of which must allow',
  ),
  quota: quotaSetting.describe(
    'How many in a day or month, by caller: `"10000/month"`, or `{ requests, per, anchor }`. It outlives restarts',
  ),
};

export const limitHeaders = z
  .enum(["ietf", "both", "none"])
  .describe(
    'What answers tell of limits: "ietf" (default: `RateLimit-Policy` and `RateLimit`), "both" (`X-RateLimit-*` too), "none"',
  );

export const tierSchema = strict("tier", {
  limit: limitSetting.optional().describe('What `limit: "tier"` stands for, counted over all routes that say it'),
  quota: quotaSetting.optional().describe("Comes with it"),
});

export type LimitSetting = z.output<typeof limitSetting>;
export type LimitObject = z.output<typeof limit>;
export type CostSetting = z.output<typeof cost>;
export type QuotaSetting = z.output<typeof quotaSetting>;
export type TierSettings = z.output<typeof tierSchema>;
