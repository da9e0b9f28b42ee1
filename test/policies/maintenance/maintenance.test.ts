import { beforeEach, describe, expect, test } from "vitest";
import { ok, unavailable } from "#lib/contract/stores/reply.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { readSwitch, writeSwitch } from "#lib/policies/maintenance/switch.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { gatewayOf, type TestGateway } from "../gateway.ts";

describe("by the config", () => {
  test("503 with the time to come back", async () => {
    const answer = await gatewayOf({ maintenance: true, routes: [{ path: "/" }] }).send();
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("300");
    expect(JSON.parse(answer.text)).toMatchObject({ code: "maintenance" });
    expect(answer.steps).toEqual(["maintenance: refused"]);
  });

  test.each([
    ["on", 503],
    ["true", 503],
    ["off", 200],
    ["0", 200],
  ])("a variable that holds %s", async (MAINTENANCE, status) => {
    const { send } = gatewayOf(
      { maintenance: { on: "${env.MAINTENANCE:-off}" }, routes: [{ path: "/" }] },
      { variables: { MAINTENANCE } },
    );
    expect((await send()).status).toBe(status);
  });

  test("paths that go on, as routes are matched", async () => {
    const { send } = gatewayOf({
      maintenance: { on: true, except: ["/hooks/*", "/v1/:id/status"] },
      routes: [{ path: "/*" }, { path: "/always", maintenance: false }],
    });
    const of = async (target: string) => (await send({ target })).status;
    for (const target of ["/hooks", "/hooks/", "/hooks/stripe", "/v1/7/status", "/%68ooks/x", "/always"])
      expect(await of(target)).toBe(200);
    for (const target of ["/", "/hook", "/hooksx", "/v1//status", "/v1/7", "/v1/7/status/x", "/a/hooks"])
      expect(await of(target)).not.toBe(200);
  });

  test("people who go on", async () => {
    const { send } = gatewayOf(
      {
        maintenance: { on: true, allow: { ips: "10.0.0.0/8", headers: { "X-Preview": "${env.PREVIEW}" } } },
        routes: [{ path: "/" }],
      },
      { variables: { PREVIEW: "let-me-in" } },
    );
    expect((await send({ ip: "10.1.1.1" })).status).toBe(200);
    expect((await send({ headers: { "x-preview": "let-me-in" } })).status).toBe(200);
    expect((await send({ headers: { "x-preview": "let-me" }, ip: "192.0.2.1" })).status).toBe(503);
    expect((await send()).status).toBe(503);
  });

  test.each([
    ["<h1>Back soon</h1>", "text/html; charset=utf-8"],
    ["Back soon", "text/plain; charset=utf-8"],
  ])("%j is sent as %s", async (body, type) => {
    const { status, text, headers } = await gatewayOf({
      maintenance: { on: true, retryAfter: "1h", body },
      routes: [{ path: "/" }],
    }).send();
    expect([status, text, headers.get("content-type"), headers.get("retry-after")]).toEqual([503, body, type, "3600"]);
    expect(headers.get("x-gateway-error")).toBe("maintenance");
  });

  test("shadow mode", async () => {
    const answer = await gatewayOf({ maintenance: { on: true, mode: "shadow" }, routes: [{ path: "/" }] }).send();
    expect(answer).toMatchObject({ status: 200, steps: ["maintenance: would-refuse", "respond: answered"] });
  });
});

describe("by the switch", () => {
  let stores: Stores;
  let nowMs: number;
  let asked: number;
  let away: boolean;
  let gateway: TestGateway;
  const config = {
    maintenance: {},
    routes: [{ path: "/" }, { path: "/b", maintenance: { retryAfter: "1h" } }, { path: "/c", maintenance: false }],
  };
  const statusAt = async (ms: number, target = "/") => {
    nowMs = ms;
    return (await gateway.send({ target })).status;
  };

  beforeEach(() => {
    const memory = createMemoryStores();
    const { blobs } = memory;
    asked = 0;
    away = false;
    nowMs = 0;
    stores = {
      ...memory,
      blobs: {
        get: (key, now) => {
          asked++;
          return away ? Promise.resolve(unavailable("timeout")) : blobs.get(key, now);
        },
        set: (...args) => blobs.set(...args),
        delete: (key) => blobs.delete(key),
        deleteByTag: (tag) => blobs.deleteByTag(tag),
        deleteByPrefix: (prefix) => blobs.deleteByPrefix(prefix),
      },
    };
    gateway = gatewayOf(config, { stores, now: () => nowMs });
  });

  test("it reads back as it was written", async () => {
    expect(await readSwitch(stores.blobs, 0)).toEqual(ok({ on: false, since: undefined }));
    await writeSwitch(stores.blobs, true, 1000);
    expect(await readSwitch(stores.blobs, 2000)).toEqual(ok({ on: true, since: "1970-01-01T00:00:01.000Z" }));
    await writeSwitch(stores.blobs, false, 3000);
    expect(await readSwitch(stores.blobs, 365 * 86_400_000)).toMatchObject({ value: { on: false } });
    away = true;
    expect(await readSwitch(stores.blobs, 0)).toEqual(unavailable("timeout"));
  });

  test("on within 5 s and off within 5 s, on every route that has `maintenance`", async () => {
    expect(await statusAt(0)).toBe(200);
    await writeSwitch(stores.blobs, true, 1);
    expect(await statusAt(5000)).toBe(503);
    expect(await statusAt(5001, "/b")).toBe(503);
    expect(await statusAt(5002, "/c")).toBe(200);
    await writeSwitch(stores.blobs, false, 5003);
    expect(await statusAt(10_000)).toBe(200);
  });

  test("the store is asked once in a while, whatever the load and the number of routes", async () => {
    for (let ms = 0; ms < 20_000; ms += 100) await statusAt(ms, ms % 200 === 0 ? "/" : "/b");
    expect(asked).toBe(5);
  });

  test("gateways of later configs go on with what is known", async () => {
    await writeSwitch(stores.blobs, true, 0);
    expect(await statusAt(1)).toBe(503);
    gateway = gatewayOf(config, { stores, now: () => nowMs });
    away = true;
    expect(await statusAt(2)).toBe(503);
    expect(asked).toBe(1);
  });

  test("with the store away it stands as it stood, and is asked no more often", async () => {
    await writeSwitch(stores.blobs, true, 0);
    expect(await statusAt(1)).toBe(503);
    away = true;
    for (let ms = 4000; ms < 60_000; ms += 1000) expect(await statusAt(ms)).toBe(503);
    expect(asked).toBeLessThanOrEqual(16);
    away = false;
    await writeSwitch(stores.blobs, false, 60_000);
    expect(await statusAt(65_000)).toBe(200);
  });

  test("with the store away from the start it is off", async () => {
    away = true;
    expect(await statusAt(0)).toBe(200);
  });

  test("what is no state counts as off", async () => {
    await stores.blobs.set("maintenance", new TextEncoder().encode("on"), { ttlMs: 1000 }, 0);
    expect(await statusAt(0)).toBe(200);
  });

  test("what is on by the config stays on, and asks nothing", async () => {
    gateway = gatewayOf({ ...config, maintenance: true }, { stores, now: () => nowMs });
    await writeSwitch(stores.blobs, false, 0);
    expect(await statusAt(6000)).toBe(503);
    expect(asked).toBe(0);
  });

  test("an answer that a request never came to see is asked for again", async () => {
    const { SwitchSnapshot } = await import("#lib/policies/maintenance/switch.ts");
    const snapshot = new SwitchSnapshot();
    snapshot.update(ok(undefined), 0);
    const askedAt = [3999, 4000, 4100, 4499, 4500, 5000, 5001].filter((ms) => snapshot.refresh(ms) !== undefined);
    expect(askedAt).toEqual([4000, 4500, 5000, 5001]);
  });
});
