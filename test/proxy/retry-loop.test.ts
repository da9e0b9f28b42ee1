/** What is sent again and what never is, with real backends on loopback that count what reached them. */
import { describe, expect, test } from "vitest";
import { counts, gateway, host, one, two } from "../backends/two-targets.ts";
import type { Handler } from "../support/backend.ts";
import { RawConnection, requestBytes } from "../support/raw-client.ts";
import { until } from "../support/until.ts";

const NOBODY = "http://127.0.0.1:1";
/** The first while it can; the second then. */
const inOrder = (first: string, second: string) => ({ targets: [first, { url: second, priority: 1 }] });

const fails =
  (status: number, headers: Record<string, string> = {}): Handler =>
  (_, response) =>
    response.writeHead(status, headers).end("from one");
const resets: Handler = (_, response) => response.socket!.destroy();
const hangs: Handler = () => {};

describe("what is tried again", () => {
  test.each<[string, Handler]>([
    ["a 503", fails(503)],
    ["a connection that breaks", resets],
    ["no answer in time", hangs],
  ])("%s, for methods that may be repeated", async (_, handler) => {
    one.on("/x", handler);
    const { send } = await gateway({ ...inOrder(one.url, two.url), timeout: "200ms" });
    const { status, text, record } = await send("/x");
    expect([status, text]).toEqual([200, '{"served":true}']);
    expect(record.attempts.map(({ target, status }) => [target, status])).toEqual([
      [one.url, _ === "a 503" ? 503 : undefined],
      [two.url, 200],
    ]);
    expect(counts()).toEqual([1, 1]);
  });

  test("no connection, whatever the method, and the body arrives whole", async () => {
    const { send } = await gateway(inOrder(NOBODY, two.url));
    for (const method of ["GET", "POST", "PATCH"]) expect((await send({ method, target: "/x", body: "abc" })).status).toBe(200);
    expect(two.requests.map(({ body }) => body.toString())).toEqual(["abc", "abc", "abc"]);
  });

  test("no connection, a body too large to be kept", async () => {
    const { send } = await gateway(inOrder(NOBODY, two.url));
    const body = Buffer.alloc(1_000_000, "large");
    expect((await send({ method: "POST", target: "/x", body })).status).toBe(200);
    expect((await send({ method: "PUT", target: "/x", body })).status).toBe(200);
    expect(two.requests.map((request) => request.body.equals(body))).toEqual([true, true]);
  });

  test("a small body of a PUT is sent again whole", async () => {
    one.on("/x", fails(502));
    const { send } = await gateway(inOrder(one.url, two.url));
    expect((await send({ method: "PUT", target: "/x", body: "abc" })).status).toBe(200);
    expect([one.requests[0]!.body.toString(), two.requests[0]!.body.toString()]).toEqual(["abc", "abc"]);
  });

  test("a POST with Idempotency-Key, where the backend says that it knows these", async () => {
    one.on("/x", resets);
    const { send } = await gateway({ ...inOrder(one.url, two.url), idempotencyKeys: true });
    const asked = { method: "POST", target: "/x", body: "abc" };
    expect((await send({ ...asked, headers: ["Idempotency-Key", "k"] })).status).toBe(200);
    expect(two.requests[0]!.headers.get("idempotency-key")).toBe("k");
    expect((await send(asked)).status).toBe(502);
    expect(counts()).toEqual([2, 1]);
  });

  test("the same target, where there is no other", async () => {
    let asked = 0;
    one.on("/x", (_, response) => (++asked === 1 ? response.socket!.destroy() : response.end("at last")));
    const { send } = await gateway({ url: one.url, retry: {} });
    expect((await send("/x")).text).toBe("at last");
  });

  test("up to `attempts` times", async () => {
    one.on("/x", fails(503));
    const { send } = await gateway({ url: one.url, retry: { attempts: 4 } });
    const { status, text, record } = await send("/x");
    expect([status, text, record.attempts.length]).toEqual([503, "from one", 4]);
  });
});

describe("what is not", () => {
  test.each<[string, Handler]>([
    ["a POST that was sent, and answered", fails(503)],
    ["a POST that was sent, and broke", resets],
  ])("%s", async (_, handler) => {
    one.on("/x", handler);
    const { send } = await gateway(inOrder(one.url, two.url));
    expect((await send({ method: "POST", target: "/x", body: "abc" })).status).toBeGreaterThanOrEqual(502);
    expect(counts()).toEqual([1, 0]);
  });

  test("a body that was partly sent, even of a PUT", async () => {
    one.onHead("/x", (_, response, request) => request.once("data", () => response.socket!.destroy()));
    const { send } = await gateway(inOrder(one.url, two.url));
    const { status, record } = await send({ method: "PUT", target: "/x", body: Buffer.alloc(1_000_000) });
    expect([status, record.attempts.length]).toEqual([502, 1]);
    expect(counts()).toEqual([1, 0]);
  });

  test("a status that is not named", async () => {
    one.on("/x", fails(500));
    const { send } = await gateway(inOrder(one.url, two.url));
    expect((await send("/x")).status).toBe(500);
    expect(counts()).toEqual([1, 0]);
  });

  test("an answer that had begun", async () => {
    one.on("/x", (_, response) =>
      response.writeHead(200, { "content-length": 9 }).write("begun", () => response.socket!.destroy()),
    );
    const { send } = await gateway(inOrder(one.url, two.url));
    expect(await send("/x")).toMatchObject({ status: 200, text: "begun", isWhole: false });
    expect(counts()).toEqual([1, 0]);
  });

  test("anything, where it is off: for the backend, for a route", async () => {
    one.on("/x", fails(503));
    const { send } = await gateway({ ...inOrder(one.url, two.url), retry: false });
    expect((await send("/x")).status).toBe(503);
    host!.close();
    const off = await gateway(inOrder(one.url, two.url), { retry: false });
    expect((await off.send("/x")).status).toBe(503);
    expect(counts()).toEqual([2, 0]);
  });

  test("a target that asks for a long rest, in Retry-After", async () => {
    one.on("/x", fails(503, { "retry-after": "5" }));
    const { send } = await gateway({ url: one.url, retry: {} });
    const { status, headers } = await send("/x");
    expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
    expect(counts()).toEqual([1, 0]);
    host!.close();
    // Another target did not ask for it.
    const { send: sendToTwo } = await gateway(inOrder(one.url, two.url));
    expect((await sendToTwo("/x")).status).toBe(200);
  });

  test("past `total`, which is for all attempts together", async () => {
    for (const each of [one, two]) each.on("/x", hangs);
    const { send } = await gateway({ ...inOrder(one.url, two.url), timeout: { total: "1s" } });
    const { status, record } = await send("/x");
    expect(status).toBe(504);
    expect(record.attempts.map(({ error }) => error)).toEqual(["total time-out"]);
    expect(counts()).toEqual([1, 0]);
  });

  test("for a caller that has gone", async () => {
    one.on("/x", hangs);
    const { port, records } = await gateway({ ...inOrder(one.url, two.url), timeout: "300ms" });
    const connection = await RawConnection.open(port);
    connection.write(requestBytes({ target: "/x" }));
    await one.last();
    connection.close();
    const record = await until(() => records[0], "the record");
    expect(record).toMatchObject({ aborted: true });
    await until(() => one.requests[0]!.hungUp, "the backend to be hung up on");
    expect(counts()).toEqual([1, 0]);
    const [target] = host!.gateway.backends[0]!.targets;
    expect(target!.state.inFlight).toBe(0);
  });
});

describe("in a full outage", () => {
  test("the budget bounds what reaches the backend", async () => {
    for (const each of [one, two]) each.on("/x", fails(503));
    const { send } = await gateway({ targets: [one.url, two.url], retry: { budget: "20%" }, health: false });
    for (let i = 0; i < 200; i++) expect((await send("/x")).status).toBe(503);
    const [a = 0, b = 0] = counts();
    expect(a + b).toBe(200 + 40 + 5);
  });

  test("many at once all get an answer, and nothing stays under way", async () => {
    for (const each of [one, two]) each.on("/x", fails(500));
    const { send, gateway: running } = await gateway({ targets: [one.url, two.url], retry: { on: 500, budget: "100%" } });
    const answers = await Promise.all(Array.from({ length: 200 }, () => send("/x")));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([500]));
    expect(running.backends[0]!.targets.map(({ state }) => state.inFlight)).toEqual([0, 0]);
  });

  test("an open breaker answers by itself, and says when to come again", async () => {
    one.on("/x", fails(500));
    const { send } = await gateway({ url: one.url, breaker: { requests: 3, open: "5s" } });
    for (let i = 0; i < 3; i++) await send("/x");
    const { status, headers, record } = await send("/x");
    expect([status, headers.get("x-gateway-error"), headers.get("retry-after")]).toEqual([503, "no-backend-available", "5"]);
    expect(record.reason).toBe(`${one.url}: 3 failed of 3`);
    host!.nowMs += 5_000;
    one.on("/x", (_, response) => response.end("well"));
    expect((await send("/x")).text).toBe("well");
    expect(counts()).toEqual([4, 0]);
  });
});

describe("a bulkhead", () => {
  test("lets the next in when an answer has ended, and refuses who finds no place to wait", async () => {
    const waiting: (() => void)[] = [];
    one.on("/x", (_, response) => waiting.push(() => response.end("served")));
    const { send } = await gateway({ url: one.url, bulkhead: { requests: 1, queue: 1, wait: "20s" } });
    const first = send("/x");
    await until(() => waiting.length === 1, "the first request");
    const second = send("/x");
    await until(async () => (await send("/x")).headers.get("x-gateway-error") === "overloaded", "the queue to be full");
    expect(waiting).toHaveLength(1);
    waiting[0]!();
    expect((await first).text).toBe("served");
    await until(() => waiting.length === 2, "the second request");
    waiting[1]!();
    expect((await second).text).toBe("served");
    one.on("/x", (_, response) => response.end("again"));
    for (let i = 0; i < 3; i++) expect((await send("/x")).text).toBe("again");
  });

  test("a caller that leaves the queue leaves its place to others", async () => {
    one.on("/x", hangs);
    const { port, records } = await gateway({ url: one.url, bulkhead: { requests: 1, queue: 1, wait: "20s" } });
    const open = async () => {
      const connection = await RawConnection.open(port);
      connection.write(requestBytes({ target: "/x" }));
      return connection;
    };
    const inside = await open();
    await one.last();
    const queued = await open();
    // Only a full queue refuses.
    await until(async () => (await host!.send("/x")).status === 503, "the queue to be full");
    const refused = records.length;
    queued.close();
    await until(() => records.length > refused, "the record of the queued request");
    inside.close();
    one.on("/x", (_, response) => response.end("free"));
    await until(async () => (await host!.send("/x")).text === "free", "a free place");
  });
});
