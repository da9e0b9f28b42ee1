import { describe, expect, test } from "vitest";
import { type ApiContext, createApi, runOperation } from "#lib/admin/api.ts";
import { type PurgeAnswers, purgeOperations } from "#lib/admin/purge-api.ts";
import type { Purge } from "#lib/cache/gateway-cache.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";

function setUp(answer: Awaited<ReturnType<PurgeAnswers>> = { state: "ok", value: 3 }) {
  const stores = createMemoryStores();
  const purged: Purge[] = [];
  const context = { stores, log: { info() {}, warn() {}, error() {} }, now: () => 0 } as unknown as ApiContext;
  const api = createApi(
    purgeOperations(context, (what) => {
      purged.push(what);
      return answer;
    }),
  );
  const ask = async (body: unknown) => {
    const found = api.find("POST", ["purge"]);
    if (!found || "allow" in found) throw new Error("there is no such operation");
    return runOperation(found, { query: new URLSearchParams(), body, actor: { by: "operator" } });
  };
  return { ask, purged, stores };
}

describe("POST /gateway/api/purge", () => {
  test.each([
    [{ tag: "a" }, { tag: "a" }],
    [{ path: "/a" }, { path: "/a" }],
    [{ prefix: "/a/" }, { prefix: "/a/" }],
    [{ everything: true }, { prefix: "" }],
  ])("%j", async (body, what) => {
    const { ask, purged } = setUp();
    expect(await ask(body)).toEqual({ body: { purged: 3 } });
    expect(purged).toEqual([what]);
  });

  test.each([
    "x",
    [[]],
    null,
    {},
    { tag: "" },
    { path: "a" },
    { prefix: "" },
    { everything: 1 },
    { everything: false },
    { tag: "a", path: "/a" },
    { all: true },
  ])("%j is refused and purges nothing", async (body) => {
    const { ask, purged } = setUp();
    expect(await ask(body)).toMatchObject({ code: "request-invalid" });
    expect(purged).toEqual([]);
  });

  test("is written down", async () => {
    const { ask, stores } = setUp();
    await ask({ prefix: "/a/" });
    expect(await stores.log.page("audit", { limit: 5 })).toMatchObject({
      value: { items: [{ value: { action: "cache.purged", target: "prefix /a/", details: { purged: 3 } } }] },
    });
  });

  test("a store that does not answer", async () => {
    const { ask } = setUp({ state: "unavailable", reason: "timeout" });
    expect(await ask({ tag: "a" })).toMatchObject({ code: "store-unavailable" });
  });
});
