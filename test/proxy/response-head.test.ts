import { describe, expect, test } from "vitest";
import type { Policy } from "#lib/contract/policy.ts";
import type { RequestContext } from "#lib/engine/request-context.ts";
import { privateHead, sharedHead } from "#lib/proxy/response-head.ts";
import { exchangeFor } from "../support/exchange.ts";

const HOST = { name: "node", passesContentEncoding: true, trustsContentLength: true, upgrades: true, hasTimers: true } as const;

function visitWith(hooks: Pick<Policy, "onResponse" | "onSend">): RequestContext {
  const ctx = exchangeFor({ target: "/" });
  const step = { name: "test", order: 0, enforce: true, refuses: new Set<never>(), cacheable: true, policy: hooks };
  const { pipeline } = ctx;
  ctx.pipeline = {
    ...pipeline,
    onResponse: hooks.onResponse ? [step] : [],
    onSend: hooks.onSend ? [step] : [],
  };
  return ctx;
}

const backend = (cacheControl?: string) => ({
  pairs: ["x-a", "1"],
  contentLength: undefined,
  contentEncoding: undefined,
  contentType: undefined,
  forCaches: undefined,
  isFramed: true,
  cacheControl,
});

describe("the head of an answer", () => {
  test("what everybody gets has nothing of one caller in it", () => {
    const ctx = visitWith({ onSend: (_, { headers }) => headers.set("x-sent", "yes") });
    const shared = sharedHead(ctx, 200, backend("max-age=5"), "3", HOST, undefined);
    expect(shared).toEqual({ status: 200, pairs: ["x-a", "1", "content-length", "3"], cacheControl: "max-age=5" });
    const { pairs } = privateHead(ctx, { ...shared, pairs: [...shared.pairs] });
    expect(pairs).toEqual(expect.arrayContaining(["x-request-id", ctx.requestId, "x-sent", "yes", "cache-control", "max-age=5"]));
    expect(shared.pairs).toHaveLength(4);
  });

  test.each([
    ["public, max-age=9", "public, max-age=9"],
    [undefined, "no-store"],
  ])("onResponse sees Cache-Control %s of the backend and may change it", (given, changed) => {
    const seen: (string | undefined)[] = [];
    const ctx = visitWith({
      onResponse(_, { headers }) {
        seen.push(headers.get("cache-control"));
        headers.set("cache-control", changed);
      },
    });
    expect(sharedHead(ctx, 200, backend(given), undefined, HOST, undefined)).toEqual({
      status: 200,
      pairs: ["x-a", "1"],
      cacheControl: changed,
    });
    expect(seen).toEqual([given]);
  });
});
