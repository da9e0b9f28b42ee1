/** What the page says of requests that did not go their plain way. */
import { afterAll, expect, test } from "vitest";
import { whyOf } from "#lib/admin/why.ts";
import { createPools } from "#lib/backends/pools.ts";
import { gatewayOf } from "../policies/gateway.ts";
import { startBackend } from "../support/backend.ts";

const backend = await startBackend();
const failing = await startBackend();
const pools = createPools();
afterAll(async () => {
  backend.close();
  failing.close();
  await pools.close();
});

const { send } = gatewayOf(
  {
    backends: {
      plain: backend.url,
      pair: { targets: [{ url: failing.url }, { url: backend.url, priority: 1 }], retry: { attempts: 2 } },
    },
    routes: [
      { path: "/plain", backend: "plain" },
      { path: "/retried", backend: "pair" },
      { path: "/once", backend: "plain", idempotency: { anonymous: true } },
      { path: "/answered", respond: { body: "hello" } },
      { path: "/denied", ip: { allow: "192.0.2.0/24" } },
      { path: "/trial", ip: { allow: "192.0.2.0/24" }, mode: "shadow" },
    ],
  },
  { pools },
);
const why = async (...sent: Parameters<typeof send>) => whyOf((await send(...sent)).record);

test("a plain request has no reason to be told", async () => expect(await why({ target: "/plain" })).toBeUndefined());

test("an answer after a second attempt: what came before", async () => {
  failing.on("/retried", (_, response) => response.writeHead(503).end());
  const { record } = await send({ target: "/retried" });
  expect([record.status, whyOf(record)]).toEqual([200, `tried again after 503 from ${new URL(failing.url).host}`]);
});

test("an answer that is sent again for its key", async () => {
  const sent = { method: "POST", target: "/once", headers: { "idempotency-key": "0123456789abcdef" }, body: "x" };
  expect(await why(sent)).toBeUndefined();
  expect(await why(sent)).toBe("answered by idempotency");
});

test("an answer of the gateway, and a refusal", async () => {
  expect(await why({ target: "/answered" })).toBe("answered by respond");
  expect(await why({ target: "/denied", ip: "198.51.100.1" })).toMatch(/^ip-denied: .*198\.51\.100\.1/);
  expect(await why({ target: "/trial", ip: "198.51.100.1" })).toBe("answered by respond");
  expect(await why({ target: "/nowhere" })).toMatch(/^route-not-found/);
});
