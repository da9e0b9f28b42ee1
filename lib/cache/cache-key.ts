/** Under which key an answer is kept: everything of a request by which answers may differ, and nothing that a caller could add. */

import type { CacheKeys, CacheOptions, QueryRule } from "../contract/caching.ts";
import { renderTemplate } from "../contract/render-template.ts";
import type { Template } from "../contract/template.ts";
import type { Pipeline, Step } from "../engine/pipeline.ts";
import type { Route } from "../engine/route.ts";
import type { HeaderList } from "../http/header-list.ts";
import { boundedKey } from "../stores/bounded-key.ts";

export function createCacheKeys(
  { query, perConsumer }: CacheOptions,
  route: Pick<Route, "rewrite">,
  meaning: string,
  pipeline: Pick<Pipeline, "onRequest" | "onResponse">,
): CacheKeys {
  const takesAll = query.only === null && query.drop.length === 0 && !query.sort;
  const chosen = { only: query.only && new Set(query.only), drop: new Set(query.drop), sort: query.sort };
  const shaping = [...new Set([...pipeline.onRequest, ...pipeline.onResponse])].filter(({ policy }) => policy.cacheKey);
  const template = route.rewrite?.kind === "path" && hangsOnMore(route.rewrite.template) ? route.rewrite.template : undefined;
  const prefix = `${meaning}\n`;
  return {
    keyFor(exchange) {
      const { request, target, pool, consumer } = exchange;
      const asked = takesAll ? target.raw : target.path + queryOf(target.search, chosen);
      let key = `${prefix}${request.scheme}://${request.host.toLowerCase()}${asked}`;
      if (pool) key += `\npool ${pool.join(" ")}`;
      if (template) key += `\nrewrite ${renderTemplate(template, exchange, "path")}`;
      if (perConsumer) key += `\nconsumer ${consumer?.id ?? ""}`;
      for (const { name: step, policy } of shaping) key += `\n${step} ${policy.cacheKey!(exchange)}`;
      return key;
    },
    queryFor: ({ target }) => (takesAll ? undefined : queryOf(target.search, chosen)),
  };
}

/** Whether a rewrite's path holds more of the request than the target says. */
function hangsOnMore(template: Template): boolean {
  return template.some((part) => typeof part === "object" && part.from !== "params");
}

/**
 * The first step of a route whose shaping of requests or answers may hang on what no key holds. Built-in policies say it by
 * `cacheKey`, or hang on the consumer, whose answers are never shared unasked.
 */
export function unkeyedStep(steps: readonly Step[], custom: ReadonlySet<string>): Step | undefined {
  return steps.find(
    ({ name, policy, cacheable }) =>
      custom.has(name) && !cacheable && !policy.cacheKey && (policy.onRequest || policy.onResponse || policy.responseBody),
  );
}

interface Chosen {
  readonly only: ReadonlySet<string> | null;
  readonly drop: ReadonlySet<string>;
  readonly sort: QueryRule["sort"];
}

function queryOf(search: string, { only, drop, sort }: Chosen): string {
  if (search.length < 2) return "";
  const kept = search
    .slice(1)
    .split("&")
    .filter((pair) => {
      const name = nameOf(pair);
      return pair !== "" && (only === null || only.has(name)) && !drop.has(name);
    });
  // Sort is stable: of one name, the first stays the first, which is the one that many backends read.
  if (sort) kept.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0));
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}

/** As a backend reads it: `%75tm` is `utm`, and must not slip by under another spelling. */
function nameOf(pair: string): string {
  const end = pair.indexOf("=");
  const name = (end < 0 ? pair : pair.slice(0, end)).replaceAll("+", " ");
  if (!name.includes("%")) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Lists in which order says nothing (RFC 9110 sections 12.5.3 and 12.5.1 give weights for that) and case neither. */
const UNORDERED = new Set(["accept-encoding"]);
const CASELESS = new Set(["accept-encoding", "accept-language", "accept"]);

/** What a request says in the fields that an answer varies by, so spelled that the same meaning is the same text. */
export function variantKey(vary: readonly string[], headers: HeaderList): string {
  if (vary.length === 0) return "";
  return boundedKey(
    vary
      .map((name) => {
        const values = headers.all(name);
        // Absent and empty are two things to a backend.
        return values.length === 0 ? "-" : `=${normalise(name, values)}`;
      })
      .join("\n"),
  );
}

/** Lines of one name are one list (RFC 9110 section 5.3), and spaces around its commas mean nothing (section 5.6.1). */
function normalise(name: string, values: readonly string[]): string {
  const text = values.join(",");
  const items = (CASELESS.has(name) ? text.toLowerCase() : text).split(",").map((item) => item.trim());
  if (UNORDERED.has(name)) items.sort();
  return items.join(",");
}

/** The path by which an answer is purged: in one spelling (RFC 3986 section 6.2.2), whatever the caller's was. */
export function purgePath(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (encoded) => {
    const code = Number.parseInt(encoded.slice(1), 16);
    const character = String.fromCharCode(code);
    return /[A-Za-z0-9._~-]/.test(character) ? character : encoded.toUpperCase();
  });
}
