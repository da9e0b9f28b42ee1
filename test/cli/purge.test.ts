import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createPools } from "#lib/backends/pools.ts";
import { createSqliteStores } from "#lib/stores/sqlite/sqlite-stores.ts";
import { gatewayOf } from "../policies/gateway.ts";
import { startBackend } from "../support/backend.ts";
import { checkout } from "./checkout.ts";

const SHOP = "defaults: { auth: none }\nroutes: [{ path: /a, respond: { body: a } }]\n";

describe("frontdesk purge", () => {
  test("drops what another process has stored, by path, prefix, tag and all", async () => {
    const { frontdesk, folder } = checkout({ "shop.yaml": SHOP }, { GATEWAY_CONFIG_FILE: "shop.yaml" });
    // The file is made by the command, in the data folder of this checkout.
    expect((await frontdesk("purge", "--everything")).out).toBe("0 stored answers were dropped\n");
    const backend = await startBackend();
    const pools = createPools();
    const stores = createSqliteStores({ file: join(folder, ".frontdesk", "frontdesk.db") });
    let nowMs = Date.now();
    const { send } = gatewayOf(
      {
        backends: { shop: backend.url },
        routes: [{ path: "/:kind/:id", backend: "shop", cache: { ttl: "1h", tags: "t:${params.id}" } }],
      },
      { pools, stores, now: () => nowMs },
    );
    const targets = ["/p/1", "/p/1?x=1", "/p/2", "/q/1"];
    const stored = async () => {
      // Within five seconds an instance looks again.
      nowMs += 5_000;
      const sources = [];
      for (const target of targets) {
        const headers = { "cache-control": "only-if-cached" };
        sources.push((await send({ target, headers })).status === 200);
      }
      return sources;
    };
    const fill = async () => {
      for (const target of targets) await send({ target });
      // Written behind, each second.
      await stores.blobs.deleteByTag("flushes what waits");
    };
    try {
      await fill();
      expect(await stored()).toEqual([true, true, true, true]);
      expect((await frontdesk("purge", "/p/1", "--json")).out).toBe('{"purged":2}\n');
      expect(await stored()).toEqual([false, false, true, true]);
      await fill();
      expect((await frontdesk("purge", "/p/*")).out).toBe("3 stored answers were dropped\n");
      expect(await stored()).toEqual([false, false, false, true]);
      await fill();
      expect((await frontdesk("purge", "t:2")).out).toBe("1 stored answer was dropped\n");
      expect(await stored()).toEqual([true, true, false, true]);
      await frontdesk("purge", "--everything");
      expect(await stored()).toEqual([false, false, false, false]);
    } finally {
      await stores.close();
      await pools.close();
      backend.close();
    }
    // Each command is a process of its own.
  }, 120_000);

  test("nothing to purge is a fault of the call", async () => {
    const { frontdesk } = checkout({ "shop.yaml": SHOP }, { GATEWAY_CONFIG_FILE: "shop.yaml" });
    for (const args of [[], ["/a", "--everything"]]) expect((await frontdesk("purge", ...args)).code).toBe(2);
  });

  test("a store that does not answer is told", async () => {
    const { frontdesk } = checkout(
      { "shop.yaml": SHOP },
      { GATEWAY_CONFIG_FILE: "shop.yaml", UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1", UPSTASH_REDIS_REST_TOKEN: "t" },
    );
    const { code, err } = await frontdesk("purge", "tag", "--env", "production");
    expect([code, err]).toEqual([1, expect.stringContaining("A store that this request depends on is away")]);
  });
});
