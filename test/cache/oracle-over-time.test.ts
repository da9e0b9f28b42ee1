/**
 * http-cache-semantics as an oracle of what becomes of a stored answer: when it is given, when the backend is asked and by which
 * validators, what a failing backend means, and what a 304 renews. A whole gateway answers; differences stand in lists, as in oracle.test.ts.
 */
import fc from "fast-check";
import CachePolicy from "http-cache-semantics";
import { describe, expect, test } from "vitest";
import { cachedBackend } from "./cached-backend.ts";

const cached = cachedBackend();
const LAST_MODIFIED = "Tue, 01 Jan 2030 00:00:00 GMT";

type Fields = Record<string, string>;

class PolicyOverTime extends CachePolicy {
  /** Not among its types. */
  now(): number {
    return cached.nowMs;
  }
}
const policyOf = (fields: Fields) =>
  new PolicyOverTime({ method: "GET", url: "/", headers: {} }, { status: 200, headers: fields }, { shared: true });

const dated = (fields: Fields): Fields => ({ date: new Date(cached.nowMs).toUTCString(), "content-length": "8", ...fields });
const without = ({ ...fields }: Partial<Fields>): Fields =>
  Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined));
const sometimes = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

/** Each moves the clock by itself. */
async function fromTheSameTime<Case, Outcome>(
  given: Case,
  ours: (given: Case) => Promise<Outcome>,
  theirs: (given: Case) => Outcome,
): Promise<{ ours: Outcome; theirs: Outcome }> {
  const beganMs = cached.nowMs;
  const ourOutcome = await ours(given);
  cached.nowMs = beganMs;
  const theirOutcome = theirs(given);
  cached.nowMs = beganMs;
  return { ours: ourOutcome, theirs: theirOutcome };
}

describe("asked later", () => {
  interface Case {
    readonly directives: readonly string[];
    readonly etag: string | undefined;
    readonly modified: string | undefined;
    /** What the second request says. */
    readonly asks: string | undefined;
    /** Between the two. Never a whole number: at the very end of a time the two may round apart. */
    readonly seconds: number;
    /** What the backend then answers: that nothing has changed, where it is asked so. */
    readonly status: 200 | 304 | 503;
  }
  interface Outcome {
    readonly isGivenAtOnce: boolean;
    /** Of the request to the backend; null where it was not asked. */
    readonly validators: readonly (string | undefined)[] | null;
    readonly gets: "what is stored" | "something new" | "the error";
  }
  const fieldsOf = ({ directives, etag, modified }: Case) =>
    without({ "cache-control": directives.join(", "), etag, "last-modified": modified });
  const statusFor = ({ status }: Case, validators: Outcome["validators"]) =>
    status === 304 && !validators?.some((value) => value !== undefined) ? 200 : status;

  async function ours(given: Case): Promise<Outcome> {
    const send = cached.route(true);
    cached.answer("/", fieldsOf(given));
    await send();
    cached.nowMs += given.seconds * 1000;
    let validators: Outcome["validators"] = null;
    cached.backend.on("/", ({ headers }, response) => {
      validators = [headers.get("if-none-match"), headers.get("if-modified-since")];
      const status = statusFor(given, validators);
      response.writeHead(status, fieldsOf(given)).end(status === 304 ? undefined : "new");
    });
    const { record, status, text } = await send({ headers: without({ "cache-control": given.asks }) });
    const isGivenAtOnce = record.source === "cache" && record.attempts.length === 0;
    await Promise.all(cached.deferred);
    return {
      isGivenAtOnce,
      validators,
      gets: status === 503 ? "the error" : text === "new" ? "something new" : "what is stored",
    };
  }

  function theirs(given: Case): Outcome {
    const policy = policyOf(dated(fieldsOf(given)));
    cached.nowMs += given.seconds * 1000;
    const request = { method: "GET", url: "/", headers: without({ "cache-control": given.asks }) };
    const { response, revalidation } = policy.evaluateRequest(request);
    const sent = revalidation?.headers;
    const validators = sent ? (["if-none-match", "if-modified-since"].map((name) => sent[name]) as (string | undefined)[]) : null;
    if (response) return { isGivenAtOnce: true, validators, gets: "what is stored" };
    const status = statusFor(given, validators);
    if (status === 200) return { isGivenAtOnce: false, validators, gets: "something new" };
    const { modified } = policy.revalidatedPolicy(request, { status, headers: dated(fieldsOf(given)) });
    const gets = modified ? "the error" : "what is stored";
    return { isGivenAtOnce: false, validators, gets };
  }

  const both = (given: Case) => fromTheSameTime(given, ours, theirs);

  const has = ({ directives }: Case, name: string) => directives.some((directive) => directive.split("=")[0] === name);
  const PLAIN: Case = {
    directives: ["max-age=60"],
    etag: '"1"',
    modified: undefined,
    asks: undefined,
    seconds: 10.5,
    status: 304,
  };
  const DIFFERENCES: readonly { readonly why: string; readonly shows: Partial<Case>; differs(given: Case): boolean }[] = [
    {
      why: "must-revalidate asks once an answer is stale (RFC 9111 section 5.2.2.2), not while it is fresh",
      shows: { directives: ["max-age=60", "must-revalidate"] },
      differs: (given) => has(given, "must-revalidate"),
    },
    {
      why: "no-cache is asked for each time, also within stale-while-revalidate and stale-if-error (section 4.2.4)",
      shows: { directives: ["no-cache", "stale-while-revalidate=60"] },
      differs: (given) => has(given, "no-cache") && (has(given, "stale-while-revalidate") || has(given, "stale-if-error")),
    },
    ...["max-age=5", "max-stale=600", "min-fresh=55", "no-cache"].map((asks) => ({
      why: `a caller's ${asks} is advice (section 5.2.1): taken, any caller could wear the backend out, or ask for what is too old`,
      shows: { asks, seconds: asks.startsWith("max-stale") ? 70.5 : 10.5 },
      differs: (given: Case) => given.asks === asks,
    })),
  ];

  const seconds = fc.constantFrom(1, 30, 60, 600);
  const directive = fc.oneof(
    fc.constantFrom("public", "no-cache", "must-revalidate"),
    fc
      .tuple(fc.constantFrom("s-maxage", "stale-while-revalidate", "stale-if-error"), seconds)
      .map(([name, value]) => `${name}=${value}`),
  );
  const cases: fc.Arbitrary<Case> = fc.record({
    directives: fc
      .tuple(seconds, fc.uniqueArray(directive, { maxLength: 3, selector: (text) => text.split("=")[0]! }))
      .map(([maxAge, more]) => [`max-age=${maxAge}`, ...more]),
    etag: sometimes(fc.constantFrom('"1"', 'W/"1"')),
    modified: sometimes(fc.constant(LAST_MODIFIED)),
    asks: sometimes(fc.constantFrom("max-age=5", "max-stale=600", "min-fresh=55", "no-cache", "max-age=9999", "no-transform")),
    seconds: fc.constantFrom(0.5, 10.5, 45.5, 70.5, 100.5, 700.5, 2000.5),
    status: fc.constantFrom(200, 304, 503),
  });

  test("both do the same in every other case", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        fc.pre(!DIFFERENCES.some(({ differs }) => differs(given)));
        const found = await both(given);
        expect(found.ours).toEqual(found.theirs);
      }),
      { numRuns: 300 },
    );
  });

  test.each(DIFFERENCES)("they differ: $why", async ({ shows, differs }) => {
    const given = { ...PLAIN, ...shows };
    expect(differs(given)).toBe(true);
    const found = await both(given);
    expect(found.ours).not.toEqual(found.theirs);
  });
});

describe("a 304", () => {
  interface Case {
    readonly etag: string | undefined;
    readonly modified: string | undefined;
    /** Of the 304. */
    readonly renewed: Readonly<{ etag: string | undefined; modified: string | undefined; fields: Fields }>;
  }
  /** By name what the stored answer has now, or "asked again" where the 304 is about another one. */
  type Outcome = Fields | "asked again";
  const STORED: Fields = { "cache-control": "max-age=1", "x-a": "1", "x-b": "1", "content-type": "text/plain" };
  const LOOKED_AT = ["x-a", "x-b", "x-new", "content-type", "etag", "last-modified"];
  const firstOf = ({ etag, modified }: Case) => without({ ...STORED, etag, "last-modified": modified });
  const secondOf = ({ renewed: { etag, modified, fields } }: Case) => without({ ...fields, etag, "last-modified": modified });

  async function ours(given: Case): Promise<Outcome> {
    const send = cached.route(true);
    cached.answer("/", firstOf(given));
    await send();
    cached.nowMs += 10_000;
    cached.backend.on("/", ({ headers }, response) => {
      if (headers.has("if-none-match") || headers.has("if-modified-since")) response.writeHead(304, secondOf(given)).end();
      else response.writeHead(200, { "cache-control": "max-age=60" }).end("new");
    });
    const { text, headers } = await send();
    if (text === "new") return "asked again";
    return without(Object.fromEntries(LOOKED_AT.map((name) => [name, headers.get(name)])));
  }

  function theirs(given: Case): Outcome {
    const before = policyOf(dated(firstOf(given)));
    cached.nowMs += 10_000;
    const request = { method: "GET", url: "/", headers: {} };
    const { policy, matches } = before.revalidatedPolicy(request, { status: 304, headers: secondOf(given) });
    if (!matches) return "asked again";
    const headers = policy.responseHeaders();
    return without(Object.fromEntries(LOOKED_AT.map((name) => [name, headers[name] as string | undefined])));
  }

  const both = (given: Case) => fromTheSameTime(given, ours, theirs);
  const sameTag = (one: string | undefined, other: string | undefined) => one?.replace(/^W\//, "") === other?.replace(/^W\//, "");
  const DIFFERENCES: readonly { readonly why: string; readonly shows: Case; differs(given: Case): boolean }[] = [
    {
      why: "a field that the stored answer lacks is added (RFC 9111 section 3.2)",
      shows: { etag: '"1"', modified: undefined, renewed: { etag: '"1"', modified: undefined, fields: { "x-new": "1" } } },
      differs: ({ modified, renewed }) => "x-new" in renewed.fields || (modified === undefined && renewed.modified !== undefined),
    },
    {
      why: "one without a validator, which it has to bring (RFC 9110 section 15.4.5), is taken for the answer that was asked about",
      shows: { etag: '"1"', modified: undefined, renewed: { etag: undefined, modified: undefined, fields: {} } },
      differs: ({ modified, renewed }) =>
        renewed.etag === undefined && (renewed.modified === undefined || modified === undefined),
    },
    {
      why: "the tag of the stored body stays as it was, weak or strong (section 3.2)",
      shows: { etag: '"1"', modified: undefined, renewed: { etag: 'W/"1"', modified: undefined, fields: {} } },
      differs: ({ etag, renewed }) => etag !== renewed.etag && sameTag(etag, renewed.etag),
    },
  ];

  const tags = sometimes(fc.constantFrom('"1"', 'W/"1"', '"2"', 'W/"2"'));
  const dates = sometimes(fc.constantFrom(LAST_MODIFIED, "Wed, 02 Jan 2030 00:00:00 GMT"));
  const cases: fc.Arbitrary<Case> = fc.record({
    etag: sometimes(fc.constantFrom('"1"', 'W/"1"')),
    modified: sometimes(fc.constant(LAST_MODIFIED)),
    renewed: fc.record({
      etag: tags,
      modified: dates,
      fields: fc
        .subarray(["cache-control", "x-a", "content-type", "x-new"])
        .map((names) => Object.fromEntries(names.map((name) => [name, name === "cache-control" ? "max-age=60" : "renewed"]))),
    }),
  });

  test("both renew the same by every other one", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        fc.pre(given.etag !== undefined || given.modified !== undefined);
        fc.pre(!DIFFERENCES.some(({ differs }) => differs(given)));
        const found = await both(given);
        expect(found.ours).toEqual(found.theirs);
      }),
      { numRuns: 300 },
    );
  });

  test.each(DIFFERENCES)("they differ: $why", async ({ shows, differs }) => {
    expect(differs(shows)).toBe(true);
    const found = await both(shows);
    expect(found.ours).not.toEqual(found.theirs);
  });
});
