/** An EventSource client through the gateway: events one by one, and a reconnect from the last one read. */
import { EventSource } from "eventsource";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Backend, startBackend } from "../support/backend.ts";
import { until } from "../support/until.ts";
import { type NodeGateway, startNodeGateway } from "./node-gateway.ts";

let backend: Backend;
let gateway: NodeGateway;

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startNodeGateway({
    backends: { events: backend.url },
    routes: [{ path: "/*", backend: "events", auth: "none" }],
  });
});
afterAll(async () => {
  await gateway?.stop();
  backend?.close();
});

test("each event comes by itself; after a break the client goes on from the last id", async () => {
  // Three events for each connection, then it breaks off; 204 says that there are no more (HTML standard, section 9.2).
  let write: (text: string) => void = () => {};
  let breakOff = () => {};
  backend.on("/events", ({ headers }, response) => {
    const last = Number(headers.get("last-event-id") ?? 0);
    if (last >= 6) return response.writeHead(204).end();
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    write = (text) => response.write(text);
    breakOff = () => response.destroy();
    return response.write(`retry: 1\nid: ${last + 1}\ndata: event ${last + 1}\n\n`);
  });

  const seen: [id: string, data: string][] = [];
  const source = new EventSource(`${gateway.url}/events`);
  source.addEventListener("message", ({ lastEventId, data }) => {
    seen.push([lastEventId, data]);
    const id = Number(lastEventId);
    // The next is sent only when this one has been read.
    if (id % 3 === 0) breakOff();
    else write(`: a comment to keep the line busy\n\nid: ${id + 1}\ndata: event ${id + 1}\n\n`);
  });
  await until(() => source.readyState === EventSource.CLOSED, "the end of the stream");

  expect(seen).toEqual([1, 2, 3, 4, 5, 6].map((id) => [String(id), `event ${id}`]));
  expect(backend.requests.map(({ headers }) => headers.get("last-event-id"))).toEqual([undefined, "3", "6"]);
  expect(backend.requests.map(({ headers }) => headers.get("accept"))).toEqual(Array(3).fill("text/event-stream"));
});

test("an error of the backend's ends it, with the status", async () => {
  backend.on("/forbidden", (_, response) => response.writeHead(403).end());
  const source = new EventSource(`${gateway.url}/forbidden`);
  const status = await new Promise((resolve) => source.addEventListener("error", ({ code }) => resolve(code)));
  expect([status, source.readyState]).toEqual([403, EventSource.CLOSED]);
});

test("a client that closes is missed by the backend", async () => {
  backend.on("/endless", (_, response) => response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n"));
  const before = backend.requests.length;
  const source = new EventSource(`${gateway.url}/endless`);
  await new Promise((resolve) => source.addEventListener("message", resolve));
  source.close();
  await until(() => backend.requests[before]!.hungUp, "the backend to be told");
});
