/** Answers without an end are nobody else's: they are neither stored nor shared, and nobody waits for their end. */
import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test, vi } from "vitest";
import { until } from "../support/until.ts";
import { cachedBackend, saidBy } from "./cached-backend.ts";

const cached = cachedBackend();
afterEach(() => vi.useRealTimers());

/** Answers that the backend has begun and not ended. */
function begun(fields: Readonly<Record<string, string>>, path = "/"): { next(): Promise<ServerResponse> } {
  const answers: ServerResponse[] = [];
  let count = 0;
  cached.backend.on(path, (_, response) => {
    response.writeHead(200, { date: new Date(cached.nowMs).toUTCString(), ...fields });
    response.write(`stream ${++count} `);
    answers.push(response);
  });
  return { next: () => until(() => answers.shift(), "a request at the backend") };
}

test.each([
  { "content-type": "text/event-stream" },
  { "content-type": "Text/Event-Stream; charset=utf-8", "cache-control": "public, max-age=600" },
  { "content-type": "multipart/x-mixed-replace;boundary=x" },
  { "content-type": "application/x-ndjson" },
  { "content-type": "application/jsonl" },
])("%o: the second caller has a stream of its own while the first still runs", async (fields) => {
  const send = cached.route("1m");
  const backend = begun(fields);
  const first = send();
  const one = await backend.next();
  const second = send();
  const two = await backend.next();
  one.end("one");
  two.end("two");
  const answers = await Promise.all([first, second]);
  expect(answers.map(({ text }) => text)).toEqual(["stream 1 one", "stream 2 two"]);
  expect(answers.map(saidBy)).toEqual(["fwd=uri-miss; detail=stream", "fwd=uri-miss; detail=stream"]);
});

test("callers who waited for the head have streams of their own, too", async () => {
  const send = cached.route("1m");
  const waiting: ServerResponse[] = [];
  cached.backend.on("/", (_, response) => void waiting.push(response));
  const callers = [send(), send(), send()];
  const first = await until(() => waiting.shift(), "the first at the backend");
  expect(waiting).toHaveLength(0);
  first.writeHead(200, { "content-type": "text/event-stream" }).write("1");
  // The first goes on, and the others have come all the same.
  await until(() => waiting.length === 2, "the others at the backend");
  for (const [index, response] of waiting.entries())
    response.writeHead(200, { "content-type": "text/event-stream" }).end(String(index + 2));
  first.end();
  expect((await Promise.all(callers)).map(({ text }) => text).sort()).toEqual(["1", "2", "3"]);
});

test("lines of JSON with a length are a document", async () => {
  const send = cached.route("1m");
  cached.answer("/", { "content-type": "application/x-ndjson" });
  await send();
  expect((await send()).record.source).toBe("cache");
});

test("an answer that goes on is given from its beginning for ten seconds, and no longer", async () => {
  const send = cached.route("1m");
  const backend = begun({ "content-type": "text/plain" });
  const first = send();
  const one = await backend.next();
  // Its head was sent before this is asked for.
  cached.answer("/other");
  await send("/other");
  cached.nowMs += 10_000;
  const joined = send();
  // A request is decided in a turn of its own.
  await new Promise((turn) => setImmediate(turn));
  cached.nowMs += 1;
  const late = send();
  const two = await backend.next();
  one.end("one");
  two.end("two");
  expect((await Promise.all([first, joined, late])).map(({ text }) => text)).toEqual([
    "stream 1 one",
    "stream 1 one",
    "stream 2 two",
  ]);
});

test("nobody waits for somebody else's head for longer than ten seconds", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const send = cached.route("1m");
  const waiting: ServerResponse[] = [];
  cached.backend.on("/", (_, response) => void waiting.push(response));
  const callers = [send(), send(), send()];
  const seen = async (count: number) => {
    while (waiting.length < count) await new Promise((turn) => setImmediate(turn));
  };
  await seen(1);
  await vi.advanceTimersByTimeAsync(9_999);
  expect(waiting).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  await seen(3);
  vi.useRealTimers();
  for (const [index, response] of waiting.entries()) response.end(`own ${index}`);
  expect(new Set((await Promise.all(callers)).map(({ text }) => text))).toEqual(new Set(["own 0", "own 1", "own 2"]));
});

describe("what is kept of answers under way", () => {
  const MB = 1024 * 1024;

  test("is bounded in all: over it an answer goes at the pace of its own caller, whole", async () => {
    const send = cached.route("1m");
    const body = "x".repeat(8 * MB);
    // More at once than the whole bound, each of another URL, and none of them read to its end at first.
    const answers: ServerResponse[] = [];
    const paths = Array.from({ length: 10 }, (_, index) => `/${index}`);
    for (const path of paths) cached.backend.on(path, (_, response) => void answers.push(response));
    const callers = paths.map((path) => send(path));
    await until(() => answers.length === paths.length, "all at the backend");
    for (const response of answers) response.writeHead(200, { "content-length": String(body.length) }).write(body.slice(1));
    await until(() => answers.every(({ writableNeedDrain }) => !writableNeedDrain), "all to be read");
    for (const response of answers) response.end("x");
    const received = await Promise.all(callers);
    expect(received.every(({ text, isWhole }) => isWhole && text.length === body.length)).toBe(true);
    const again = await Promise.all(
      paths.map((path) => Promise.race([send(path).then(({ record }) => record.source), missed(path)])),
    );
    // 64 MB hold eight of them less what an entry costs, and not one more.
    expect(again.filter((source) => source === "cache").length).toBeLessThan(9);
    expect(again.filter((source) => source === "cache").length).toBeGreaterThan(0);
  });

  async function missed(path: string): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    cached.backend.on(path, (_, response) => {
      resolve("backend");
      response.end();
    });
    return promise;
  }
});
