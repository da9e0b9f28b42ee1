/** What is stored outlives a restart in the store file, and serves a second deployment on one Redis, for as long as the route means the same. */
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { createSqliteStores } from "#lib/stores/sqlite/sqlite-stores.ts";
import { createUpstashStores } from "#lib/stores/upstash/upstash-stores.ts";
import { temporaryFolder } from "../support/host-process.ts";
import { startUpstash, type UpstashUnderTest } from "../support/redis/upstash-under-test.ts";
import { cachedBackend, saidBy } from "./cached-backend.ts";

const cached = cachedBackend();
const upstash: UpstashUnderTest = await startUpstash();
afterAll(() => upstash.stop());

const route = { path: "/*", cache: { ttl: "1m", vary: ["accept"] } };
let places = 0;

/** Opens the same stores each time, as the next process does. */
function sqlite(): () => Stores {
  const file = join(temporaryFolder(), "frontdesk.db");
  return () => createSqliteStores({ file });
}
function redis(): () => Stores {
  const { url, token } = upstash.bridge;
  const prefix = `restart:${++places}:`;
  // A busy machine is slow to answer: the budget is not what is tried here.
  return () => createUpstashStores({ url, token, prefix, budgetMs: 5000 });
}

describe.each([
  ["a restart on SQLite", sqlite, true],
  ["a second deployment on Redis", redis, false],
])("%s", (_, place, endsFirst) => {
  test.each<[string, object[], string]>([
    ["the same config", [route], "hit; ttl=60"],
    ["another route", [{ path: "/other", cache: "5m" }, route], "hit; ttl=60"],
    ["a change of the route", [{ ...route, cache: { ...route.cache, ttl: "2m" } }], "fwd=uri-miss; stored"],
  ])("with %s", async (__, routes, said) => {
    const open = place();
    cached.answer("/");
    const before = open();
    const first = cached.gateway([route], { stores: before });
    expect(saidBy(await first.send())).toBe("fwd=uri-miss; stored");
    await Promise.all(cached.deferred);
    if (endsFirst) await before.close();
    const after = open();
    const second = cached.gateway(routes, { stores: after });
    expect(saidBy(await second.send())).toBe(said);
    expect(saidBy(await second.send({ headers: { accept: "text/csv" } }))).toMatch(/^fwd=(?:vary|uri)-miss; stored$/);
    await Promise.all(cached.deferred);
    if (!endsFirst) await before.close();
    await after.close();
  });
});
