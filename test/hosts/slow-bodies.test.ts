/** Bodies that come too slowly, on the Node host: the caller is answered, and the backend let go. Under Next the body is whole before. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Backend, startBackend } from "../support/backend.ts";
import { ADMIN_TOKEN, type HostProcess, startNodeHost, temporaryFolder } from "../support/host-process.ts";
import { RawConnection } from "../support/raw-client.ts";
import { until } from "../support/until.ts";

let backend: Backend;
let host: HostProcess;
beforeAll(async () => {
  backend = await startBackend();
  const config = join(temporaryFolder(), "gateway.yaml");
  writeFileSync(
    config,
    `
backends:
  shop: { url: "${backend.url}", timeout: { body: { rate: 100kb/s, grace: 300ms } } }
defaults: { auth: none }
routes:
  - { path: /slow/*, backend: shop }
  - { path: /again/*, backend: shop, retry: { attempts: 2 } }
  - { path: /once/*, backend: shop, idempotency: { anonymous: true } }
  - { path: /any/*, backend: shop, timeout: { body: none } }
`,
  );
  host = await startNodeHost({ config });
});
afterAll(async () => {
  await host?.stop();
  backend?.close();
});

test.each([
  ["by length", "/slow/a", "Content-Length: 1000000\r\n\r\n", "x"],
  ["in chunks", "/slow/b", "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"],
  ["to be sent again", "/again/c", "Idempotency-Key: a\r\nContent-Length: 5000\r\n\r\n", "x"],
  ["to be buffered", "/once/d", "Idempotency-Key: 0123456789abcdef\r\nContent-Length: 5000\r\n\r\n", "x"],
])("%s", async (_, target, rest, byte) => {
  const connection = await RawConnection.open(host.port);
  connection.write(`POST ${target} HTTP/1.1\r\nHost: a\r\n${rest}`);
  const timer = setInterval(() => connection.write(byte), 20);
  const answer = await connection.readAnswer().finally(() => clearInterval(timer));
  expect(answer.status).toBe(408);
  expect(JSON.parse(answer.body.toString())).toMatchObject({ code: "request-timeout" });
  await until(
    () => backend.requests.filter((request) => request.target === target).every(({ state }) => state === "broken"),
    "the backend to be let go",
  );
  connection.close();
});

test("for the admin API, whose pace is the standard one", async () => {
  const connection = await RawConnection.open(host.port);
  connection.write(
    `POST /gateway/api/purge HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{`,
  );
  const timer = setInterval(() => connection.write(" "), 100);
  const answer = await connection.readAnswer().finally(() => clearInterval(timer));
  expect(answer.status).toBe(408);
  connection.close();
});

test("not where the route takes any pace, nor above the rate", async () => {
  for (const [target, piece] of [
    ["/any/a", "x".repeat(10)],
    ["/slow/fast", "x".repeat(10_000)],
  ] as const) {
    const connection = await RawConnection.open(host.port);
    connection.write(`POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${piece.length * 50}\r\n\r\n`);
    for (let n = 0; n < 50; n++) {
      connection.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await connection.readAnswer()).status).toBe(200);
    expect(backend.requests.at(-1)!.body.length).toBe(piece.length * 50);
    connection.close();
  }
});
