/** The sealed plan: jose and node:crypto make the same token, and a token opens only for the request it was made for. */

import { CompactEncrypt, compactDecrypt } from "jose";
import { describe, expect, test } from "vitest";
import { deriveKeys } from "#lib/crypto/derive-keys.ts";
import { fitsPlan, MAX_PLAN_BYTES, openPlan, type Plan, type PlanContext, sealPlan } from "#lib/engine/plan.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import { requestFor } from "../support/exchange.ts";

const [key, otherKey] = deriveKeys([new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)], "plan") as [Uint8Array, Uint8Array];
const NOW = Date.UTC(2026, 0, 1);
const plan: Plan = {
  route: "/a/*",
  target: "/a/b?c",
  consumer: { id: "web:7", authenticator: "web", claims: { name: "Zoë" } },
  pool: [[0, 2], [1]],
  state: { limit: { left: 3 } },
  requestId: "r1",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  startedAt: NOW,
  steps: [{ policy: "limit", verdict: "passed", ms: 0.25 }],
};
const request = requestFor({ target: "/a/b?c", headers: ["Authorization", "Bearer x", "Accept", "*/*"], ip: "203.0.113.9" });
const context: PlanContext = {
  configDigest: "digest",
  credentialFields: new Set(["authorization", "cookie", "x-shop-key"]),
  keys: [key],
};
const seal = (token = plan, nowMs = NOW) => sealPlan(token, request, context, nowMs)!;

describe("between node:crypto and jose", () => {
  test("jose opens what is sealed here", async () => {
    const { plaintext, protectedHeader } = await compactDecrypt(seal(), key);
    expect(protectedHeader).toEqual({ alg: "dir", enc: "A256GCM" });
    expect(JSON.parse(Buffer.from(plaintext).toString())).toMatchObject(plan);
  });

  test("what jose seals is opened here", async () => {
    const { plaintext } = await compactDecrypt(seal(), key);
    const token = await new CompactEncrypt(plaintext).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(key);
    expect(openPlan(token, request, context, NOW)).toMatchObject(plan);
  });

  test("no header but ours is read, so nobody chooses an algorithm", async () => {
    const { plaintext } = await compactDecrypt(seal(), key);
    const token = await new CompactEncrypt(plaintext).setProtectedHeader({ alg: "dir", enc: "A256GCM", typ: "JWT" }).encrypt(key);
    expect(openPlan(token, request, context, NOW)).toBeUndefined();
  });
});

describe("a plan opens", () => {
  test("for its own request", () => {
    expect(openPlan(seal(), request, context, NOW + 9_999)).toMatchObject(plan);
  });

  test("with any of several keys: rotation", () => {
    expect(openPlan(seal(), request, { ...context, keys: [otherKey, key] }, NOW)).toMatchObject(plan);
  });

  test("after ten minutes where the request has a body, which Next holds before the handler starts", () => {
    // By the fields: on Vercel the front half does not get the body itself.
    const upload = { ...request, headers: new HeaderList([...request.headers.pairs, "Content-Length", "1"]) };
    const token = sealPlan(plan, upload, context, NOW)!;
    expect(openPlan(token, upload, context, NOW + 599_999)).toMatchObject(plan);
    expect(openPlan(token, upload, context, NOW + 600_000)).toBeUndefined();
  });

  test("although fields that are no credentials have changed on the way", () => {
    const changed = { ...request, headers: new HeaderList(["X-Forwarded-For", "1.2.3.4", "Authorization", "Bearer x"]) };
    expect(openPlan(seal(), changed, context, NOW)).toMatchObject(plan);
  });
});

describe("a plan opens although Next wrote the query anew, and says what was received", () => {
  test.each([
    ["/a?b", "/a?b="],
    ["/a?b=%zz", "/a?b=%25zz"],
    ["/a?b[]=1", "/a?b%5B%5D=1"],
    ["/a?b=1&2=x", "/a?2=x&b=1"],
    ["/a?", "/a"],
    ["/a?nxtPpath=x&b=1", "/a?b=1"],
  ])("%s as %s", (received, seen) => {
    const token = sealPlan({ ...plan, target: received }, { ...request, target: received }, context, NOW)!;
    expect(openPlan(token, { ...request, target: seen }, context, NOW)).toMatchObject({ target: received });
  });
});

describe("a plan does not open", () => {
  const cases: [what: string, request: typeof request, context?: PlanContext, nowMs?: number][] = [
    ["after its life", request, context, NOW + 10_000],
    ["with another key", request, { ...context, keys: [otherKey] }],
    ["without a key", request, { ...context, keys: [] }],
    ["under another config", request, { ...context, configDigest: "other" }],
    ["for another method", { ...request, method: "POST" }],
    ["for another query", { ...request, target: "/a/b?d" }],
    ["for another path", { ...request, target: "/a/c?c" }],
    ["for a further parameter", { ...request, target: "/a/b?c&c" }],
    ["for another host", { ...request, host: "other.example" }],
    ["for another caller", { ...request, client: { ip: "203.0.113.10", geo: undefined } }],
    ["for an unknown caller", { ...request, client: { ip: undefined, geo: undefined } }],
    ["for other credentials", withFields("Authorization", "Bearer y")],
    ["without the credentials", withFields("Accept", "*/*")],
    ["with a further cookie", withFields(...request.headers.pairs, "Cookie", "a=1")],
    ["with a key in a field that the config names", withFields(...request.headers.pairs, "X-Shop-Key", "k")],
  ];
  test.each(cases)("%s", (_, moved, other = context, nowMs = NOW) => {
    expect(openPlan(seal(), moved, other, nowMs)).toBeUndefined();
  });

  test("with the credential in another of the fields, or two values in one", () => {
    const two = withFields("Cookie", "a", "X-Shop-Key", "b");
    const token = sealPlan(plan, two, context, NOW)!;
    expect(openPlan(token, withFields("cookie", "a", "x-shop-KEY", "b"), context, NOW)).toMatchObject(plan);
    expect(openPlan(token, withFields("X-Shop-Key", "a", "Cookie", "b"), context, NOW)).toBeUndefined();
    expect(openPlan(token, withFields("Cookie", "a", "Cookie", "X-Shop-Key", "X-Shop-Key", "b"), context, NOW)).toBeUndefined();
  });

  test("with any one character changed", () => {
    const token = seal();
    for (let index = 0; index < token.length; index++) {
      const other = token[index] === "A" ? "B" : "A";
      const forged = token.slice(0, index) + other + token.slice(index + 1);
      // The last character of a base64url part may carry bits that decode to nothing.
      if (sameBytes(forged, token)) continue;
      expect(openPlan(forged, request, context, NOW), `character ${index}`).toBeUndefined();
    }
  });

  test.each(["", ".", "....", "a.b.c.d.e", "x".repeat(MAX_PLAN_BYTES + 1)])("from garbage: %s", (token) => {
    expect(openPlan(token, request, context, NOW)).toBeUndefined();
  });

  test("with a tag cut short, or a part too many", () => {
    const token = seal();
    const parts = token.split(".");
    const short = [...parts.slice(0, 4), Buffer.from(parts[4]!, "base64url").subarray(0, 12).toString("base64url")].join(".");
    expect(openPlan(short, request, context, NOW)).toBeUndefined();
    expect(openPlan(`${token}.`, request, context, NOW)).toBeUndefined();
    expect(openPlan(`${token}.x`, request, context, NOW)).toBeUndefined();
  });
});

describe("size", () => {
  test("a plan over the limit is not sealed, and is told before anything is charged", () => {
    const large = { ...plan, state: { x: "y".repeat(MAX_PLAN_BYTES) } };
    expect(sealPlan(large, request, context, NOW)).toBeUndefined();
    expect(fitsPlan(large)).toBe(false);
    expect(fitsPlan(plan)).toBe(true);
  });

  test("whatever is said to fit can be sealed, with a kilobyte of limit results on top", () => {
    for (let bytes = 0; bytes < MAX_PLAN_BYTES; bytes += 7) {
      const state = { x: "y".repeat(bytes) };
      if (fitsPlan({ ...plan, state }))
        expect(sealPlan({ ...plan, state: { ...state, z: "w".repeat(1_000) } }, request, context, NOW)).toBeDefined();
    }
  });

  test("nothing of the plan can be read in the token", () => {
    const parts = seal()
      .split(".")
      .map((part) => Buffer.from(part, "base64url").toString("latin1"));
    expect(parts.join("")).not.toMatch(/web:7|limit|r1/);
  });
});

function withFields(...pairs: string[]): typeof request {
  return { ...request, headers: new HeaderList(pairs) };
}

function sameBytes(a: string, b: string): boolean {
  const bytes = (token: string) => token.split(".").map((part) => Buffer.from(part, "base64url").toString("hex"));
  return a.split(".")[0] === b.split(".")[0] && JSON.stringify(bytes(a)) === JSON.stringify(bytes(b));
}
