/**
 * http-cache-semantics as an oracle: over generated heads, both say the same of what is stored and for how long it is fresh. Where they
 * differ stands in a list, each difference with the section that decides it and a head that shows it.
 */
import fc from "fast-check";
import CachePolicy from "http-cache-semantics";
import { describe, expect, test } from "vitest";
import { leftMs } from "#lib/cache/freshness.ts";
import { judgeAnswer } from "#lib/cache/storable.ts";
import type { CacheOptions } from "#lib/contract/caching.ts";
import { HeaderList } from "#lib/http/header-list.ts";

const NOW_MS = Date.UTC(2030, 0, 2, 3, 4, 5);
const HOUR_S = 3600;

interface Head {
  readonly status: number;
  readonly directives: readonly string[];
  /** Seconds from the answer's Date. */
  readonly expires: number | "0" | undefined;
  readonly modified: number | undefined;
  readonly age: number | undefined;
  readonly vary: string | undefined;
  readonly hasCookie: boolean;
  readonly authorization: boolean;
  readonly forbidsStoring: boolean;
}

/** `cache: true`. */
const options: CacheOptions = {
  ttlMs: null,
  override: false,
  staleWhileRevalidateMs: null,
  staleIfErrorMs: null,
  query: { only: null, drop: [], sort: false },
  vary: [],
  perConsumer: false,
  cookies: "bypass",
  tags: [],
  store: true,
  cdn: false,
};

function fieldsOf({ directives, expires, modified, age, vary, hasCookie }: Head): Record<string, string> {
  const at = (seconds: number) => new Date(NOW_MS + seconds * 1000).toUTCString();
  return {
    date: at(0),
    "content-length": "1",
    ...(directives.length > 0 && { "cache-control": directives.join(", ") }),
    ...(expires !== undefined && { expires: expires === "0" ? "0" : at(expires) }),
    ...(modified !== undefined && { "last-modified": at(-modified) }),
    ...(age !== undefined && { age: String(age) }),
    ...(vary !== undefined && { vary }),
    ...(hasCookie && { "set-cookie": "a=1" }),
  };
}

/** Seconds for which it is given to others without asking; 0: never. */
function ours(head: Head): number {
  const fields = fieldsOf(head);
  const { "cache-control": cacheControl, ...rest } = fields;
  const answer = {
    status: head.status,
    headers: new HeaderList(Object.entries(rest).flat()),
    cacheControl,
    targeted: undefined,
    isFramed: true,
  };
  const asked = { isAuthenticated: head.authorization, hasCookies: false, forbidsStoring: head.forbidsStoring };
  const found = judgeAnswer(answer, asked, options, { askedMs: NOW_MS, receivedMs: NOW_MS });
  if (typeof found === "string" || found.freshness.alwaysValidate) return 0;
  return Math.max(0, leftMs(found.freshness, NOW_MS) / 1000);
}

class PolicyNow extends CachePolicy {
  /** Not among its types. */
  now(): number {
    return NOW_MS;
  }
}

function theirs(head: Head): number {
  const headers = {
    ...(head.authorization && { authorization: "Bearer x" }),
    ...(head.forbidsStoring && { "cache-control": "no-store" }),
  };
  const policy = new PolicyNow(
    { method: "GET", url: "/", headers },
    { status: head.status, headers: fieldsOf(head) },
    { shared: true, cacheHeuristic: 0.1 },
  );
  return policy.storable() ? Math.max(0, policy.maxAge() - policy.age()) : 0;
}

const has = ({ directives }: Head, name: string) => directives.some((directive) => directive.split("=")[0] === name);
const gives = (head: Head) => has(head, "max-age") || has(head, "s-maxage") || head.expires !== undefined;

const PLAIN: Head = {
  status: 200,
  directives: [],
  expires: undefined,
  modified: undefined,
  age: undefined,
  vary: undefined,
  hasCookie: false,
  authorization: false,
  forbidsStoring: false,
};

const DIFFERENCES: readonly { readonly why: string; readonly shows: Partial<Head>; differs(head: Head): boolean }[] = [
  {
    why: "proxy-revalidate forbids stale answers, not fresh ones (RFC 9111 section 5.2.2.8)",
    shows: { directives: ["max-age=60", "proxy-revalidate"] },
    differs: (head) => has(head, "proxy-revalidate"),
  },
  {
    why: "Set-Cookie is never shared here; RFC 9111 section 7.3 warns of it, and `public` does not say that the cookie is meant",
    shows: { directives: ["public", "max-age=60"], hasCookie: true },
    differs: ({ hasCookie }) => hasCookie,
  },
  {
    why: "heuristic freshness ends after an hour here (section 4.2.2 leaves it to the cache)",
    shows: { modified: 100 * HOUR_S },
    differs: (head) => !gives(head) && (head.modified ?? 0) > 10 * HOUR_S,
  },
  {
    why: "a status that is not heuristically cacheable is kept where the answer says for how long (section 3), 500 to 504 included",
    shows: { status: 500, directives: ["max-age=60"] },
    differs: ({ status }) => status === 500 || status === 503,
  },
];

const seconds = fc.constantFrom(0, 1, 59, 60, 61, HOUR_S, 11 * HOUR_S);
const directive = fc.oneof(
  fc.constantFrom("public", "private", "no-store", "no-cache", "must-revalidate", "proxy-revalidate"),
  fc.tuple(fc.constantFrom("max-age", "s-maxage"), seconds).map(([name, value]) => `${name}=${value}`),
);
const sometimes = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const heads: fc.Arbitrary<Head> = fc.record({
  status: fc.constantFrom(200, 203, 204, 300, 301, 302, 307, 308, 404, 405, 410, 414, 500, 501, 503),
  directives: fc.uniqueArray(directive, { maxLength: 4, selector: (text) => text.split("=")[0]! }),
  expires: sometimes(fc.oneof(fc.constantFrom(-60, 0, 60, HOUR_S), fc.constant("0" as const))),
  modified: sometimes(seconds),
  age: sometimes(seconds),
  vary: sometimes(fc.constantFrom("accept", "*")),
  hasCookie: fc.boolean(),
  authorization: fc.boolean(),
  forbidsStoring: fc.boolean(),
});

test("both say the same of every other head", () => {
  fc.assert(
    fc.property(heads, (head) => {
      fc.pre(!DIFFERENCES.some(({ differs }) => differs(head)));
      expect(ours(head)).toBeCloseTo(theirs(head), 3);
    }),
    { numRuns: 5000 },
  );
});

describe("they differ, and why", () => {
  test.each(DIFFERENCES)("$why", ({ shows, differs }) => {
    const head = { ...PLAIN, ...shows };
    expect(differs(head)).toBe(true);
    expect(ours(head)).not.toBeCloseTo(theirs(head), 3);
  });
});
