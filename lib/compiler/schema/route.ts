/** The schema of a route and of `defaults`. The descriptions are the documentation: docs/config.md and gateway.schema.json are made of them. */
import { z } from "zod";
import { limitHeaders } from "../../config/limit-setting.ts";
import { duration, oneOf, oneOrMore, shadow, size, strict } from "../../config/schema-fields.ts";
import { PRIORITIES } from "../../contract/load.ts";
import type { CustomPolicy } from "../../contract/policy.ts";
import { timeout } from "./backend.ts";
import { byMethodKeys, destinationKeys, policyKeys } from "./policy-keys.ts";
import { percent, retry } from "./resilience.ts";

const NOT_BUILT = ["compose", "validate", "transform"] as const;

const maxBody = size
  .optional()
  .describe(
    "The largest request body that is let through: 4mb by default. Over 4.5mb is an error on Vercel, which refuses more itself",
  );

/** Functions, so that only a TypeScript config can hold one; its parts are checked by the compiler (custom-policies.ts). */
const customPolicy = z.custom<CustomPolicy>((value) => typeof value === "object" && value !== null, {
  error: () => "a policy made by definePolicy",
});

const conditions = (what: string) =>
  z
    .record(z.string(), oneOf("a text, or true for any value", [z.string(), z.literal(true)]))
    .optional()
    .describe(`${what} by name: a value, or true for any`);

const mirror = strict("mirror", {
  backend: z.string().describe("The name of the backend that gets the copies. They say `x-gateway-mirror: true`"),
  percent: percent.optional().describe("Of the requests, chosen at random: all by default"),
  maxBody: size.optional().describe("Requests with a larger body are not copied: `64kb` by default"),
});

/** What `defaults` may hold as well. */
const shared = {
  ...policyKeys,
  limitHeaders: limitHeaders.optional(),
  byMethod: z
    .record(z.string(), strict("byMethod", { ...byMethodKeys, maxBody }, ["validate"]))
    .optional()
    .describe("`{ POST: { scopes, maxBody, limit, quota, cache } }` replaces those settings for that method"),
  maxBody,
  priority: z
    .enum(PRIORITIES)
    .optional()
    .describe('What is refused first while the Node host is overloaded: "low", then "normal" (default), then "high"'),
  guard: z
    .enum(["strict", "lenient"])
    .optional()
    .describe(
      '"strict" (default) refuses paths that can be read in two ways: dot segments, `//`, backslashes, `%00`, broken escapes, `%2F`. "lenient" forwards the target byte for byte. Where a route to the same origin has stricter rules, what a laxer server reads as its path gets 404',
    ),
  encodedSlash: z
    .enum(["refuse", "keep"])
    .optional()
    .describe('`%2F` in the path: "refuse" (default) or "keep". With "keep" request values in `rewrite` may hold it too'),
  overrides: z
    .enum(["drop", "pass"])
    .optional()
    .describe(
      'Header fields that name another method, path or host than the request line, such as `X-HTTP-Method-Override` and `X-Original-URL`: "drop" (default) or "pass" to the backend. The rules of the gateway go by the request line',
    ),
  timeout: timeout
    .optional()
    .describe(
      "How long the backend is waited for, as its own `timeout`. Value by value a route comes before its backend, and that before `defaults`",
    ),
  retry: retry.describe(
    "What is sent again, as the backend's own `retry`; `false`: every request is sent once. Key by key a route comes before its backend, and that before `defaults`",
  ),
  mirror: oneOf("the name of a backend, { backend, percent, maxBody }, or false", [z.string(), mirror, z.literal(false)])
    .optional()
    .describe(
      "Copies a share of the requests to another backend and drops its answers: the backend's name, or `{ backend, percent, maxBody }`. `false` switches a default off",
    ),
  heartbeat: oneOf("a duration or false", [duration, z.literal(false)])
    .optional()
    .describe(
      "How long an event stream (`text/event-stream`) may be silent between two events before the gateway sends the caller a comment, so that nothing on the way takes it for dead: `15s`. Never without this key. `false` switches a default off",
    ),
  use: oneOf("policies made by definePolicy, or false", [customPolicy, z.array(customPolicy), z.literal(false)])
    .optional()
    .describe("Custom policies, in gateway.config.ts only. `false` switches a default off"),
  mode: shadow.optional().describe('"shadow": every policy of the route is evaluated and recorded, and refuses nothing'),
};

export const routeSchema = strict(
  "route",
  {
    path: z
      .string()
      .describe(
        "Literal segments, `:name` for one segment, `*` or `:name*` at the end for the rest. Compared decoded. Case counts and `/a` and `/a/` differ, unless `caseSensitive` and `trailingSlash` say otherwise; `/x/*` matches `/x`, `/x/` and below. Most specific first",
      ),
    host: z.string().optional().describe("Only for this host: `api.example.com`, or `*.example.com` for every host below it"),
    methods: oneOrMore("a method such as GET, or a list of methods", z.string())
      .optional()
      .describe("Only these methods; all by default. GET serves HEAD too"),
    when: strict("when", {
      headers: conditions("Header fields of the request"),
      query: conditions("Parameters of the query"),
    })
      .optional()
      .describe("Only for requests that fulfil all of these: `{ headers, query }`"),
    backend: z
      .string()
      .optional()
      .describe("The name of the backend that answers. A route has exactly one of `backend`, `respond`, `redirect`"),
    ...destinationKeys,
    stripPrefix: z.string().optional().describe("The first segments of the path, not sent on: `/api`"),
    rewrite: z
      .string()
      .optional()
      .describe(
        "The path sent on; may hold request values, `${params.rest}` is what `*` matched. The query is kept as received (a `redirect` drops it, without `keepQuery`)",
      ),
    ...shared,
  },
  NOT_BUILT,
);

const routeOnly = Object.keys(routeSchema.shape).filter((key) => !(key in shared));
export const defaultsSchema = strict("defaults", shared, NOT_BUILT, routeOnly);
