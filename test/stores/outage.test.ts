/** Redis is away in every way: each question is answered within the budget, and what comes after costs nothing. */
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Take } from "#lib/contract/stores/counters.ts";
import { unavailable } from "#lib/contract/stores/reply.ts";
import { createStores } from "#lib/stores/create-stores.ts";
import { FAILURES_TO_BE_AWAY, Outage, type OutageEvent, PROBE_MS } from "#lib/stores/outage.ts";
import { createUpstashStores, type UpstashOptions } from "#lib/stores/upstash/upstash-stores.ts";
import { startBridge } from "../support/redis/bridge.ts";
import { RespConnection } from "../support/redis/resp-connection.ts";
import { startUpstash, type UpstashUnderTest } from "../support/redis/upstash-under-test.ts";

const DAY_MS = 86_400_000;
const sliding = { algorithm: "sliding-window", limit: 1000, windowMs: DAY_MS } as const;
const fixed = { algorithm: "fixed-window", limit: 1000, windowMs: DAY_MS } as const;
const one = (rule: Take["rule"], key = "k"): Take[] => [{ key, rule, cost: 1, enforce: true }];

describe("what an outage is", () => {
  function subject() {
    const events: OutageEvent[] = [];
    const clock = { nowMs: 1_000_000 };
    const outage = new Outage({ now: () => clock.nowMs, onChange: (event) => events.push(event) });
    const fail = (times: number) => {
      for (let failure = 0; failure < times; failure++) outage.failed("timeout");
    };
    return { events, clock, outage, fail };
  }

  test("failures in a row, without a success between them", () => {
    const { events, outage, fail } = subject();
    for (let turn = 0; turn < 10; turn++) {
      fail(FAILURES_TO_BE_AWAY - 1);
      outage.succeeded();
    }
    expect([events, outage.refuses()]).toEqual([[], undefined]);
    fail(FAILURES_TO_BE_AWAY);
    expect(events).toEqual([{ state: "away", reason: "timeout" }]);
    expect(outage.refuses()).toBe("timeout");
  });

  test("one question each interval tries it; the first that is answered ends it", () => {
    const { events, clock, outage, fail } = subject();
    fail(FAILURES_TO_BE_AWAY);
    const tried = Array.from({ length: 40 }, () => {
      clock.nowMs += PROBE_MS / 10;
      const tries = outage.refuses() === undefined;
      if (tries) fail(1);
      return tries;
    });
    expect(tried.filter(Boolean)).toHaveLength(4);
    outage.succeeded();
    expect(outage.refuses()).toBeUndefined();
    expect(events.slice(1)).toEqual([{ state: "back", afterMs: 4 * PROBE_MS, unanswered: FAILURES_TO_BE_AWAY + 40 }]);
  });

  test("a clock that is set back does not keep it from looking", () => {
    const { clock, outage, fail } = subject();
    fail(FAILURES_TO_BE_AWAY);
    clock.nowMs -= DAY_MS;
    expect(outage.refuses()).toBeUndefined();
    expect(outage.refuses()).toBe("timeout");
  });
});

describe("over the network", () => {
  let upstash: UpstashUnderTest;
  let redis: RespConnection;
  let prefixes = 0;
  let prefix: string;
  beforeAll(async () => {
    upstash = await startUpstash();
    redis = new RespConnection(upstash.redis.port);
  });
  beforeEach(() => {
    prefix = `fd:outage:${++prefixes}:`;
  });
  afterAll(async () => {
    vi.useRealTimers();
    redis.close();
    await upstash.stop();
  });

  /** Stores with a clock for outages, and what they reported. */
  function open(options: Partial<UpstashOptions> & { readonly url: string; readonly token: string }) {
    const clock = { nowMs: 1_000_000 };
    const events: OutageEvent[] = [];
    const refusals: OutageEvent[] = [];
    const stores = createUpstashStores({
      prefix,
      budgetMs: 30_000,
      now: () => clock.nowMs,
      onOutage: (event) => events.push(event),
      onRefusal: (event) => refusals.push(event),
      ...options,
    });
    const take = (rule: Take["rule"] = fixed) => stores.counters.take(one(rule), Date.now());
    return { stores, clock, events, refusals, take };
  }

  /** A server that does to each connection what the test says, and counts them. */
  async function listen(onConnection: (socket: Socket) => void) {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      onConnection(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    return {
      url: `http://127.0.0.1:${port}`,
      token: "t",
      sockets,
      async stop() {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  type Behaviour = (socket: Socket) => void;
  const onRequest =
    (act: Behaviour): Behaviour =>
    (socket) =>
      void socket.once("data", () => act(socket));
  const answering = (head: string, body: string): Behaviour =>
    onRequest(
      (socket) => void socket.end(`HTTP/1.1 ${head}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
    );
  const behaviours: [string, "timeout" | "refused" | "error", Behaviour][] = [
    ["is silent", "timeout", () => {}],
    [
      "answers without end",
      "timeout",
      onRequest((socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[")),
    ],
    ["closes", "refused", onRequest((socket) => void socket.destroy())],
    ["breaks its answer off", "refused", onRequest((socket) => void socket.end("HTTP/1.1 200 OK\r\n"))],
    ["is nonsense", "refused", onRequest((socket) => void socket.end("220 smtp ready\r\n\r\n"))],
    ["refuses the token", "error", answering("401 Unauthorized", `{"error":"WRONGPASS"}`)],
    ["is over its plan", "error", answering("429 Too Many Requests", `{"error":"ERR max daily request limit exceeded"}`)],
    ["fails", "error", answering("500 Internal Server Error", "oops")],
    ["is a page", "error", answering("200 OK", "<html></html>")],
    ["is other JSON", "error", answering("200 OK", `{"result":"PONG"}`)],
    ["is short of answers", "error", answering("200 OK", "[]")],
  ];
  test.each(behaviours)("a Redis that %s is `%s`", async (_, reason, behaviour) => {
    const server = await listen(behaviour);
    // Only what is silent waits for its budget.
    const { take, stores } = open({ ...server, budgetMs: reason === "timeout" ? 50 : 30_000 });
    expect(await take()).toEqual(unavailable(reason));
    expect(await take(sliding)).toEqual(unavailable(reason));
    await stores.close();
    await server.stop();
  });

  test("after three failures no request waits, and one trip a second tries again", async () => {
    const silent = await listen(() => {});
    const { take, clock, events, stores } = open({ ...silent, budgetMs: 50 });
    for (let failure = 0; failure < FAILURES_TO_BE_AWAY; failure++) expect(await take()).toEqual(unavailable("timeout"));
    expect(events).toEqual([{ state: "away", reason: "timeout" }]);
    expect(stores.status()).toEqual({
      away: { reason: "timeout", sinceMs: clock.nowMs },
      outages: 1,
      unanswered: FAILURES_TO_BE_AWAY,
    });
    const tries = silent.sockets.size;
    for (let request = 0; request < 200; request++) expect(await take()).toEqual(unavailable("timeout"));
    expect(silent.sockets.size).toBe(tries);
    clock.nowMs += PROBE_MS;
    const replies = await Promise.all([take(), take(), take()]);
    expect(replies).toEqual(Array(3).fill(unavailable("timeout")));
    for (let request = 0; request < 200; request++) await take();
    expect(silent.sockets.size).toBe(tries + 1);
    expect(events).toHaveLength(1);
    await stores.close();
    await silent.stop();
  });

  test("when Redis is back, the first trip that tries ends the outage, and counting goes on from what it knew", async () => {
    const bridge = await startBridge({ redisPort: upstash.redis.port });
    const { take, clock, events, stores } = open({ ...bridge, budgetMs: 50 });
    const before = await open({ ...bridge }).take();
    expect(before).toMatchObject({ state: "ok", value: { counts: [{ remaining: 999 }] } });
    const held = Promise.withResolvers<void>();
    bridge.holdAnswers(held.promise);
    for (let failure = 0; failure < FAILURES_TO_BE_AWAY; failure++) await take();
    const { requests } = bridge;
    for (let request = 0; request < 50; request++) await take();
    expect(bridge.requests).toBe(requests);
    bridge.holdAnswers(undefined);
    held.resolve();
    expect(await take()).toEqual(unavailable("timeout"));
    clock.nowMs += PROBE_MS;
    // The budget is short; a busy machine may need a second try.
    await vi.waitFor(async () => {
      clock.nowMs += PROBE_MS;
      expect((await take()).state).toBe("ok");
    });
    expect(stores.status()).toMatchObject({ away: undefined, outages: 1 });
    expect(stores.status().unanswered).toBeGreaterThanOrEqual(FAILURES_TO_BE_AWAY + 50);
    expect(events.map(({ state }) => state)).toEqual(["away", "back"]);
    expect(events[1]).toMatchObject({ unanswered: expect.any(Number), afterMs: expect.any(Number) });
    await stores.close();
    await bridge.stop();
  });

  test("a full Redis is `error` for what writes and an answer for what reads; its beginning and its end are reported", async () => {
    const { take, stores, refusals, events } = open(upstash.bridge);
    await take();
    await take(sliding);
    await redis.send(["CONFIG", "SET", "maxmemory", "1"]);
    for (let request = 0; request < 5; request++) {
      expect(await take()).toEqual(unavailable("error"));
      expect(await take(sliding)).toEqual(unavailable("error"));
      expect((await stores.keys.get("d")).state).toBe("ok");
    }
    expect(stores.status().away).toMatchObject({ reason: "error" });
    await redis.send(["CONFIG", "SET", "maxmemory", "0"]);
    expect((await take()).state).toBe("ok");
    expect(stores.status()).toMatchObject({ away: undefined, outages: 1 });
    expect(refusals.map(({ state }) => state)).toEqual(["away", "back"]);
    expect(events).toEqual([]);
    await stores.close();
  });

  test("a flush of the scripts costs one trip, within what is left of the budget", async () => {
    const bridge = await startBridge({ redisPort: upstash.redis.port });
    const { take, stores } = open({ ...bridge });
    for (const rule of [fixed, sliding]) {
      await take(rule);
      await redis.send(["SCRIPT", "FLUSH"]);
      const { requests } = bridge;
      expect((await take(rule)).state).toBe("ok");
      expect(bridge.requests - requests).toBe(2);
    }
    await stores.close();
    await bridge.stop();
  });

  test.each([
    ["our script", fixed, 1],
    ["@upstash/ratelimit", sliding, 0],
  ] as const)("%s: a digest that Redis does not know and the text that follows share one budget", async (_, rule, known) => {
    const clock = { nowMs: 5_000 };
    const asked: string[] = [];
    // Redis takes the first text, then forgets it and says so when the budget is nearly over, and then says nothing more.
    const server = createHttpServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      asked.push((JSON.parse(body) as string[][])[0]![0]!);
      if (asked.length > known + 1) return;
      if (asked.length === known + 1) clock.nowMs += 29_900;
      response.end(asked.length <= known ? `[{"result":[1,1,9,0]}]` : `[{"error":"NOSCRIPT No matching script."}]`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const { stores, take } = open({ url: `http://127.0.0.1:${port}`, token: "t", now: () => clock.nowMs });
    for (let turn = 0; turn < known; turn++) expect((await take(rule)).state).toBe("ok");
    // In 100 ms: were the text given 30 s of its own, this test would run out of time.
    expect(await take(rule)).toEqual(unavailable("timeout"));
    expect(asked.slice(0, known + 1)).toEqual([...Array(known).fill("eval"), "evalsha"]);
    await stores.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

test("the log has one line when an outage begins and one when it ends", async () => {
  const lines: unknown[] = [];
  const write = (level: string) => (message: string, fields?: object) => void lines.push([level, message, fields]);
  const log = { info: write("info"), warn: write("warn"), error: write("error") };
  const gone = { url: "http://127.0.0.1:1", token: "secret-token" };
  const stores = await createStores({ upstash: gone, prefix: "fd:", host: "vercel", log });
  for (let request = 0; request < 20; request++) expect((await stores.keys.get("d")).state).toBe("unavailable");
  expect(lines).toEqual([["error", "Redis does not answer", { reason: "refused" }]]);
  expect(JSON.stringify(lines)).not.toContain("secret-token");
  await stores.close();
});
