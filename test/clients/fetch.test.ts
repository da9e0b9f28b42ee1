/** Node's own fetch through the gateway: streams both ways, and aborts. */
import { createHash, randomBytes } from "node:crypto";
import { ReadableStream } from "node:stream/web";
import { brotliCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Backend, startBackend } from "../support/backend.ts";
import { until } from "../support/until.ts";
import { type NodeGateway, startNodeGateway } from "./node-gateway.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** The types of the DOM know neither streams made from iterables nor `duplex`. */
const streamed = (body: ReadableStream): RequestInit => ({ method: "POST", body, duplex: "half" }) as unknown as RequestInit;

let backend: Backend;
let gateway: NodeGateway;

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startNodeGateway({
    backends: { app: backend.url },
    routes: [{ path: "/*", backend: "app", auth: "none", maxBody: "64mb" }],
  });
});
afterAll(async () => {
  await gateway?.stop();
  backend?.close();
});

test("an upload from a stream arrives whole, piece by piece", async () => {
  const pieces = Array.from({ length: 50 }, () => randomBytes(40_000));
  const answer = await fetch(`${gateway.url}/upload`, streamed(ReadableStream.from(pieces)));
  expect(answer.status).toBe(200);
  const { body, headers } = await backend.last();
  expect(sha256(body)).toBe(sha256(Buffer.concat(pieces)));
  expect(headers.has("content-length")).toBe(false);
});

test("each piece of an upload reaches the backend before the next is made", async () => {
  let arrived = 0;
  backend.onHead("/pieces", (_, response, request) => {
    request.on("data", (chunk: Buffer) => (arrived += chunk.length));
    request.on("end", () => response.end("done"));
  });
  async function* pieces() {
    for (let sent = 5; sent <= 25; sent += 5) {
      yield Buffer.from("piece");
      await until(() => arrived === sent, `${sent} bytes at the backend`);
    }
  }
  const answer = await fetch(`${gateway.url}/pieces`, streamed(ReadableStream.from(pieces())));
  expect([await answer.text(), arrived]).toEqual(["done", 25]);
});

test("each piece of a download can be read before the next is sent", async () => {
  let send: (piece: string) => void = () => {};
  let end = () => {};
  backend.on("/drip", (_, response) => {
    response.writeHead(200);
    send = (piece) => response.write(piece);
    end = () => response.end();
    send("0");
  });
  const answer = await fetch(`${gateway.url}/drip`);
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (let count = 0; count < 5; count++) {
    expect(await reader.read()).toEqual({ done: false, value: String(count) });
    send(String(count + 1));
  }
  end();
  expect(await reader.read()).toEqual({ done: false, value: "5" });
  expect((await reader.read()).done).toBe(true);
});

test("an answer that comes while the upload still runs is read at once", async () => {
  backend.onHead("/early", (_, response) => response.writeHead(202).end("enough"));
  let stop = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from("begun"));
      stop = () => controller.close();
    },
  });
  const answer = await fetch(`${gateway.url}/early`, streamed(body));
  expect([answer.status, await answer.text()]).toEqual([202, "enough"]);
  stop();
});

test("aborted before the head, within the answer and within the upload, the backend is told each time", async () => {
  backend.on("/silent", () => {});
  backend.on("/endless", (_, response) => response.writeHead(200).write("begun"));
  backend.onHead("/taking", () => {});
  const taking = () => new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("begun")) });
  for (const [path, init] of [
    ["/silent", {}],
    ["/endless", {}],
    ["/taking", streamed(taking())],
  ] as const) {
    const before = backend.requests.length;
    const controller = new AbortController();
    const running = fetch(gateway.url + path, { ...init, signal: controller.signal }).then((answer) => answer.text());
    const received = await until(() => backend.requests[before], `the request for ${path}`);
    controller.abort();
    await expect(running).rejects.toThrow("aborted");
    await until(() => received.hungUp, `the backend of ${path} to be told`);
    expect(received.state).toBe(path === "/taking" ? "broken" : "whole");
  }
});

test("a form, and an answer in brotli that fetch decodes", async () => {
  const text = "a line of text\n".repeat(1000);
  backend.on("/form", (_, response) => response.writeHead(200, { "content-encoding": "br" }).end(brotliCompressSync(text)));
  const form = new FormData();
  form.set("file", new Blob([randomBytes(100_000)]), "a.bin");
  const answer = await fetch(`${gateway.url}/form`, { method: "POST", body: form });
  expect(await answer.text()).toBe(text);
  const { headers, body } = await backend.last();
  const copy = await new Response(new Uint8Array(body), { headers: { "content-type": headers.get("content-type")! } }).formData();
  expect((copy.get("file") as File).size).toBe(100_000);
});

test("a broken download is an error, never a short answer", async () => {
  backend.on("/cut", (_, response) => response.writeHead(200, { "content-length": 1000 }).write("x", () => response.destroy()));
  const answer = await fetch(`${gateway.url}/cut`);
  await expect(answer.text()).rejects.toThrow("terminated");
});

test("hundreds of requests at once are each answered with their own", async () => {
  backend.on("/number", ({ target }, response) => response.end(target));
  const targets = Array.from({ length: 300 }, (_, index) => `/number?${index}`);
  expect(await Promise.all(targets.map(async (target) => (await fetch(gateway.url + target)).text()))).toEqual(targets);
});
