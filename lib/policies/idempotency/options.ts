/** `idempotency`: a request that is sent again under the same key is carried out once. */
import { z } from "zod";
import type { RedisOnVercel } from "../../config/env.ts";
import type { Fields } from "../../config/fields.ts";
import { TOKEN } from "../../config/header-fields.ts";
import type { ConfigPath, Report } from "../../config/issue.ts";
import { isOpen, type KeySchema, type RouteContext, type Setting } from "../../config/policy-schema.ts";
import { asList, duration, oneOf, oneOrMore, size, strict } from "../../config/schema-fields.ts";
import { formatSize } from "../../config/units.ts";
import type { Timeouts } from "../../contract/compiled/config.ts";

/** What the policy's `create` gets. */
export interface IdempotencyOptions {
  readonly required: boolean;
  readonly anonymous: boolean;
  /** Request fields, in lower case: another value of one is another key. */
  readonly by: readonly string[];
  readonly ttlMs: number;
  readonly lockMs: number;
  readonly maxBodyBytes: number;
  readonly maxAnswerBytes: number;
  readonly onUnavailable: "allow" | "deny";
}

/** Sent twice, they may do twice what they say (RFC 9110 section 9.2.2, RFC 5789 section 2). */
const KEYED_METHODS: readonly string[] = ["POST", "PATCH"];

const STANDARD = { ttlMs: 86_400_000, lockMs: 60_000, maxBodyBytes: 1024 * 1024, maxAnswerBytes: 64 * 1024 };
/** As text it grows by a third, and Redis over HTTP takes 1 MB at once. */
const MAX_ANSWER_BYTES = 512 * 1024;

const full = strict("idempotency", {
  required: z.boolean().optional().describe("A request without the field is refused: false by default"),
  ttl: duration.optional().describe("How long an answer is kept and given again: `24h` by default"),
  lock: duration
    .optional()
    .describe(
      "How long at most a request counts as being carried out: `1m` by default. Longer than the backend may take for its whole answer, and than `connect` and `firstByte` together",
    ),
  maxBody: size
    .optional()
    .describe(
      "The largest body of a request with a key, which is held in memory before it is sent: `1mb` by default, and never more than the route's own `maxBody`",
    ),
  maxAnswer: size.optional().describe("The largest body of an answer that is kept: `64kb` by default, `512kb` at most"),
  anonymous: z
    .boolean()
    .optional()
    .describe("Also for callers whom nobody has identified; their keys need 16 characters: false by default"),
  by: oneOrMore("`header:NAME` or a list of them", z.string())
    .optional()
    .describe("By what keys are told apart beside route, host and consumer: `header:NAME`, or a list; for tenants in a field"),
  onUnavailable: z
    .enum(["deny", "allow"])
    .optional()
    .describe(
      'While the store is away: "deny" (default) refuses requests with a key, "allow" carries them out as often as they are sent',
    ),
});
const setting = oneOf("true or { required, ttl, … }", [z.literal(true), full]);

export const idempotencySchema = {
  setting: setting.describe(
    "POST and PATCH with an `Idempotency-Key` are carried out once; sent again, they get the first answer: `true` or `{ required, ttl, lock, maxBody, maxAnswer, anonymous, by, onUnavailable }`",
  ),
  expects: "true, { required, ttl, … }",
  needsBackend: true,
  isPublic: true,
  ownMethods: keyedMethods,
  /** Callers who are not told apart would get each other's answers: the config has to say `anonymous`. */
  compile(
    input: z.output<typeof setting>,
    place: ConfigPath,
    fields: Fields,
    route: RouteContext,
  ): IdempotencyOptions | undefined {
    const { method, timeouts, isDefaults } = route;
    if (!timeouts || !KEYED_METHODS.includes(method ?? "")) return undefined;
    const options = optionsOf(input === true ? {} : input, place, fields, timeouts);
    if (isDefaults) return undefined;
    if (isOpen(route) && !options.anonymous) {
      if (!route.setting("idempotency").isDefault)
        fields.report.error(
          "needs-auth",
          place,
          '`idempotency` keeps answers by caller, and `auth: "none"` asks nobody who calls.',
          "Name an authenticator in `auth`, or say `anonymous: true`.",
        );
      return undefined;
    }
    checkStore(route.redis, place, fields.report);
    return options;
  },
} satisfies KeySchema;

function optionsOf(given: z.output<typeof full>, place: ConfigPath, fields: Fields, timeouts: Timeouts): IdempotencyOptions {
  const { required = false, anonymous = false, onUnavailable = "deny" } = given;
  const value = <K extends "ttl" | "lock" | "maxBody" | "maxAnswer">(
    key: K,
    kind: "period" | "wait" | "size",
    standard: number,
  ) => (given[key] === undefined ? standard : (fields.value(given[key], [...place, key], kind) ?? standard));
  const lockMs = value("lock", "wait", STANDARD.lockMs);
  const leastMs = Math.max(timeouts.connectMs + (timeouts.firstByteMs ?? 0), timeouts.totalMs ?? 0);
  // What hangs on a variable is no number yet: then it is the operator's to see to it.
  if (lockMs <= leastMs)
    fields.report.error(
      "value-format",
      [...place, "lock"],
      `a request may take ${leastMs} ms by its \`timeout\`, and another of its key would be let in after ${lockMs} ms.`,
      "Write a `lock` that is longer.",
    );
  const maxAnswerBytes = value("maxAnswer", "size", STANDARD.maxAnswerBytes);
  if (maxAnswerBytes > MAX_ANSWER_BYTES)
    fields.report.error(
      "value-format",
      [...place, "maxAnswer"],
      `answers of more than ${formatSize(MAX_ANSWER_BYTES)} are not kept.`,
    );
  return {
    required,
    anonymous,
    by: asList(given.by).flatMap((text) => fieldOf(text, [...place, "by"], fields) ?? []),
    ttlMs: value("ttl", "period", STANDARD.ttlMs),
    lockMs,
    maxBodyBytes: value("maxBody", "size", STANDARD.maxBodyBytes),
    maxAnswerBytes,
    onUnavailable,
  };
}

function fieldOf(text: string, place: ConfigPath, { report }: Fields): string | undefined {
  const [kind, name = ""] = text.split(":", 2);
  if (kind === "header" && TOKEN.test(name)) return name.toLowerCase();
  report.error("value-format", place, `expected \`header:NAME\`, got ${JSON.stringify(text)}.`);
  return undefined;
}

/** The other methods stream as ever. */
function keyedMethods({ place, isDefault }: Setting, methods: readonly string[] | undefined, report: Report): readonly string[] {
  const keyed = KEYED_METHODS.filter((method) => methods?.includes(method) ?? true);
  if (keyed.length === 0 && !isDefault)
    report.error(
      "method-not-on-route",
      place,
      `\`idempotency\` is for ${KEYED_METHODS.join(" and ")}, and the route serves neither.`,
    );
  return keyed;
}

function checkStore(redis: RedisOnVercel | undefined, place: ConfigPath, report: Report): void {
  if (redis === undefined || redis === "set") return;
  report[redis === "absent" ? "warn" : "error"](
    "needs-redis",
    place,
    "`idempotency` needs Redis on Vercel: without it each instance has keys of its own, and what another has carried out is carried out again.",
    "Add Upstash Redis to the project, or set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN.",
  );
}
