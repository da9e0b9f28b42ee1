/** However targets and callers fail, each request ends, and nothing of it stays: with retries, a breaker and a bulkhead's queue together. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Backend, type Handler, startBackend } from "../support/backend.ts";
import { RawConnection, requestBytes } from "../support/raw-client.ts";
import { until } from "../support/until.ts";
import { startTrafficHost, type TrafficHost } from "./traffic-host.ts";

const REQUESTS = 500;
const NOBODY = "http://127.0.0.1:1";

let targets: Backend[];
let host: TrafficHost | undefined;
beforeEach(async () => {
  targets = await Promise.all([startBackend(), startBackend(), startBackend()]);
});
afterEach(() => {
  for (const each of [...targets, host]) each?.close();
  host = undefined;
});

async function gateway(backend: object): Promise<TrafficHost> {
  host = await startTrafficHost({ backends: { b: backend }, routes: [{ path: "/*", backend: "b" }] });
  return host;
}

const inFlight = () => host!.gateway.backends[0]!.targets.map(({ state }) => state.inFlight);

const WAYS: readonly Handler[] = [
  (_, response) => response.end("served"),
  () => {},
  (_, response) => response.writeHead(503).end("down"),
  (_, response) => response.socket!.resetAndDestroy(),
  (_, response) => response.writeHead(200, { "content-length": 9 }).write("half", () => response.socket!.resetAndDestroy()),
  (_, response) => response.writeHead(503, { "content-length": 1_000_000 }).write("never whole"),
];

test("500 at targets that flap, hang and reset: all end, no POST reaches a target twice, every place is given back", async () => {
  for (const [index, target] of targets.entries()) {
    let turn = index * 2;
    target.on("/", (...args) => WAYS[turn++ % WAYS.length]!(...args));
  }
  const { send, gateway: running } = await gateway({
    targets: [...targets.map(({ url }) => url), NOBODY],
    timeout: { connect: "300ms", firstByte: "300ms", idle: "300ms" },
    retry: { attempts: 3, budget: "100%" },
    breaker: { requests: 20, failures: "90%", open: "1s" },
    bulkhead: { requests: 40, queue: REQUESTS, wait: "20s" },
  });
  const methods = ["GET", "POST", "PUT"];
  const asked = Array.from({ length: REQUESTS }, async (_, i) => {
    const method = methods[i % methods.length]!;
    const answer = await send({ method, target: `/?${i}`, ...(method === "GET" ? {} : { body: `body ${i}` }) });
    // Circuits move on.
    host!.nowMs += 20;
    return answer.status;
  });
  const statuses = new Set(await Promise.all(asked));
  expect([...statuses].filter((status) => ![200, 502, 503, 504].includes(status))).toEqual([]);
  expect(statuses).toContain(200);
  await until(() => host!.records.length === REQUESTS, "every record");
  expect(new Set(host!.records.map(({ requestId }) => requestId)).size).toBe(REQUESTS);
  expect(inFlight()).toEqual([0, 0, 0, 0]);
  const arrived = targets.flatMap(({ requests }) => requests);
  const posts = arrived.filter(({ method }) => method === "POST").map(({ target }) => target);
  expect(posts.length).toBeGreaterThan(50);
  expect(new Set(posts).size).toBe(posts.length);
  for (const { method, target, body } of arrived) {
    if (method !== "GET" && body.length > 0) expect(body.toString()).toBe(`body ${target.slice(2)}`);
  }
  expect(running.backends[0]!.bulkhead!.inside).toBe(0);
  expect(running.backends[0]!.bulkhead!.waiting).toBe(0);
}, 60_000);

const half = (target: string) => `POST ${target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`;

test("a caller that breaks off its upload while it waits for a place, or for the next attempt, ends only itself", async () => {
  const [target] = targets;
  target!.on("/hung", () => {});
  const { port, records, send } = await gateway({ url: target!.url, bulkhead: { requests: 1, wait: "20s" } });
  const inside = await RawConnection.open(port);
  inside.write(requestBytes({ target: "/hung" }));
  await target!.last();
  const queued = await RawConnection.open(port);
  queued.write(half("/x"));
  await until(() => host!.gateway.backends[0]!.bulkhead!.waiting === 1, "the upload to wait");
  queued.close();
  await until(() => records.length === 1, "the record of the upload");
  inside.close();
  await until(() => records.length === 2, "the record of the first");
  expect((await send("/x")).status).toBe(200);
  expect(inFlight()).toEqual([0]);

  host!.close();
  const nobody = await gateway({ url: NOBODY, retry: { attempts: 5 } });
  for (let i = 0; i < 20; i++) {
    const connection = await RawConnection.open(nobody.port);
    connection.write(half("/x"));
    connection.close();
  }
  await until(() => nobody.records.length === 20, "the records of all");
  expect(inFlight()).toEqual([0]);
});
