/** The endpoint in Express of the authenticator's page, run as it stands there beside the config that stands there. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { createOutbound } from "#lib/backends/outbound.ts";
import { createPools } from "#lib/backends/pools.ts";
import { blocksOf, ROOT, readDocument } from "../../docs/documents.ts";
import { gatewayOf, type TestGateway } from "../../policies/gateway.ts";
import { freePort } from "../../support/free-port.ts";
import { run } from "../../support/host-process.ts";
import { until } from "../../support/until.ts";

// Inside of the repository, so that the snippet finds express.
const folder = join(ROOT, ".frontdesk", "auth-service-snippet");
const blocks = blocksOf(readDocument("lib/authenticators/forward/README.md"));
const pools = createPools();
let service: ChildProcess;
let gateway: TestGateway;

beforeAll(async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "service.mjs"), blocks.find(({ text }) => text.includes('from "express"'))!.text);
  service = run([join(folder, "service.mjs")], folder, { PORT: String(port) }).child;
  const isUp = () =>
    fetch(url).then(
      () => true,
      () => false,
    );
  await until(isUp, "the Express service");
  const { auth, routes } = parse(blocks.findLast(({ language }) => language === "yaml")!.text);
  const answering = routes.map(({ backend: _, ...route }: Record<string, unknown>) => ({
    ...route,
    respond: { body: "${consumer.id} ${claims.email}" },
  }));
  const call = createOutbound(pools, Date.now);
  gateway = gatewayOf({ auth, routes: answering }, { call, variables: { AUTH_SERVICE_URL: url } });
});
afterAll(async () => {
  service?.kill();
  await pools.close();
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  ["GET", "sid=s3cr3t-session", 200],
  ["GET", "a=1; sid=s3cr3t-session; b=2", 200],
  ["GET", "sid=s3cr3t", 401],
  ["GET", "other=s3cr3t-session", 401],
  ["DELETE", "sid=s3cr3t-session", 403],
])("%s with the cookie %s is %i", async (method, cookie, status) => {
  const answer = await gateway.send({ method, target: "/orders/1", headers: { cookie } });
  expect(answer.status).toBe(status);
  if (status === 200) expect(answer.text).toBe("own:ada ada@shop.example");
});
