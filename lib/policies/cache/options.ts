/** `cache`: keeps answers of the backend and gives them to others. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import { TOKEN } from "../../config/header-fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { asList, duration, oneOf, oneOrMore, strict } from "../../config/schema-fields.ts";
import type { CacheOptions, QueryRule } from "../../contract/caching.ts";
import { isRebuilt } from "../../http/field-kinds.ts";

const names = (what: string) => oneOrMore(`${what} or a list of them`, z.string()).optional();

const full = strict("cache", {
  ttl: duration
    .optional()
    .describe(
      "For how long an answer is fresh where the backend does not say; without it the backend alone decides. For 200, 203, 204, 300, 301, 308, 404 and 410. Never for `private`, `no-store`, Set-Cookie and `Vary: *`",
    ),
  override: z.boolean().optional().describe("`ttl` also in place of what the backend says; false by default"),
  staleWhileRevalidate: duration
    .optional()
    .describe("For how long after that an answer is still sent while a new one is fetched, where the backend does not say"),
  staleIfError: duration
    .optional()
    .describe("For how long after that it is sent where the backend fails or answers 500, 502, 503 or 504"),
  query: strict("cache.query", {
    keep: names("the name of a parameter").describe("Only these parameters of the query count, and only these are sent on"),
    drop: names("the name of a parameter").describe("All but these count and are sent on"),
    sort: z.boolean().optional().describe("The order of parameters means nothing; false by default"),
  })
    .optional()
    .describe("Which parameters of the query an answer hangs on: `{ keep }` or `{ drop }`, and `sort`. All of them by default"),
  vary: names("the name of a header").describe(
    "Fields of the request by which answers differ, beside those in the backend's Vary",
  ),
  perConsumer: z
    .boolean()
    .optional()
    .describe(
      "Each consumer has answers of its own. Without it an answer to somebody who showed credentials is kept only where the backend says `public`, `s-maxage` or `must-revalidate`",
    ),
  cookies: z
    .enum(["bypass", "ignore"])
    .optional()
    .describe(
      'What `ttl` means for a request with cookies where the backend gives no freshness: "bypass" (default) neither stores its answer nor answers it from what is stored, "ignore" treats it as one without',
    ),
  tags: names("a tag").describe(
    "Tags to purge by, beside those that the backend sends; may hold request values: `product:${params.id}`",
  ),
  store: z.boolean().optional().describe("Whether the gateway keeps answers itself; true by default"),
  cdn: oneOf("true, false or a duration", [z.boolean(), duration])
    .optional()
    .describe(
      "Whether caches in front may keep them too, and for how long in place of their freshness; false by default. Only where answers are the same for everybody",
    ),
});
const setting = oneOf("a duration, true, or { ttl, … }", [duration, z.literal(true), full]);

export const cacheSchema = {
  setting: setting.describe(
    'Keeps answers of the backend and gives them to others: `"5m"` is `{ ttl: "5m" }`, `true` is by what the backend says (RFC 9111), or `{ ttl, staleWhileRevalidate, … }`',
  ),
  expects: "a duration, true, { ttl, … }",
  needsBackend: true,
  isPublic: true,
  ignoresShadow: true,
  isByMethod: true,
  compile(input: z.output<typeof setting>, place: ConfigPath, fields: Fields): CacheOptions {
    const given: z.output<typeof full> = input === true ? {} : typeof input === "string" ? { ttl: input } : input;
    const at = (key: string) => (typeof input === "object" ? [...place, key] : place);
    const ms = (key: "ttl" | "staleWhileRevalidate" | "staleIfError") => {
      const text = given[key];
      return text === undefined ? null : (fields.value(text, at(key), "period") ?? null);
    };
    const { override = false, perConsumer = false, cookies = "bypass", store = true, cdn = false } = given;
    if (override && given.ttl === undefined)
      fields.report.error("missing-key", at("override"), "`override` needs a `ttl` to put in place of the backend's.");
    if (!store && cdn === false)
      fields.report.error(
        "missing-key",
        at("store"),
        "with `store: false` and without `cdn` nothing keeps an answer.",
        "Use `cache: false`.",
      );
    if (perConsumer && cdn !== false)
      fields.report.error("shared-cache", at("cdn"), "a cache in front can't tell consumers apart, as `perConsumer` asks.");
    return {
      ttlMs: ms("ttl"),
      override,
      staleWhileRevalidateMs: ms("staleWhileRevalidate"),
      staleIfErrorMs: ms("staleIfError"),
      query: queryRule(given.query, at("query"), fields),
      vary: asList(given.vary)
        .flatMap((name, index) => fieldOf(name, listPlace(at("vary"), given.vary, index), fields) ?? [])
        .sort(),
      perConsumer,
      cookies,
      tags: asList(given.tags).flatMap((tag, index) => {
        const tagPlace = listPlace(at("tags"), given.tags, index);
        if (/[\s,]/.test(tag.replace(/\$\{[^}]*\}/g, ""))) {
          fields.report.error("value-format", tagPlace, `expected a tag without spaces and commas, got ${JSON.stringify(tag)}.`);
          return [];
        }
        const template = fields.template(tag, tagPlace, "string");
        return template ? [template] : [];
      }),
      store,
      cdn: typeof cdn === "string" ? (fields.value(cdn, at("cdn"), "period") ?? true) : cdn,
    };
  },
} satisfies KeySchema;

function listPlace(place: ConfigPath, given: unknown, index: number): ConfigPath {
  return Array.isArray(given) ? [...place, index] : place;
}

function queryRule(query: z.output<typeof full>["query"], place: ConfigPath, { report }: Fields): QueryRule {
  const { keep, drop, sort = false } = query ?? {};
  if (keep !== undefined && drop !== undefined)
    report.error("wrong-value", [...place, "drop"], "`keep` and `drop` exclude each other: what is not kept is dropped.");
  return { only: keep === undefined ? null : asList(keep), drop: asList(drop), sort };
}

function fieldOf(name: string, place: ConfigPath, { report }: Fields): string | undefined {
  const lower = name.toLowerCase();
  if (!TOKEN.test(name) || name === "*") {
    report.error("header-name", place, `${JSON.stringify(name)} is not the name of a header field.`);
    return undefined;
  }
  if (!isRebuilt(lower)) return lower;
  report.error(
    "header-reserved",
    place,
    `the gateway writes \`${lower}\` itself, so that answers can't be told apart by what callers send.`,
  );
  return undefined;
}
