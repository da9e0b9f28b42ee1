/** `frontdesk maintenance on` closes every instance that shares the Redis, on both hosts, and leaves open what is excepted. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkout } from "../../cli/checkout.ts";
import { type Backend, startBackend } from "../../support/backend.ts";
import { configIn } from "../../support/describe-hosts.ts";
import { type HostProcess, startHost } from "../../support/host-process.ts";
import { sendRaw } from "../../support/raw-client.ts";
import { startUpstash, type UpstashUnderTest } from "../../support/redis/upstash-under-test.ts";
import { until } from "../../support/until.ts";

const config = configIn(import.meta.dirname);
let upstash: UpstashUnderTest;
let backend: Backend;
let hosts: HostProcess[] = [];
let env: Record<string, string>;

beforeAll(async () => {
  upstash = await startUpstash();
  backend = await startBackend();
  env = {
    BACKEND_URL: backend.url,
    UPSTASH_REDIS_REST_URL: upstash.bridge.url,
    UPSTASH_REDIS_REST_TOKEN: upstash.bridge.token,
  };
  hosts = await Promise.all((["node", "node", "vercel"] as const).map((name) => startHost(name, { config, env })));
});
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.stop()));
  backend?.close();
  await upstash?.stop();
});

const statuses = (target: string) => Promise.all(hosts.map(async ({ port }) => (await sendRaw(port, { target })).status));
const all = (status: number, target: string) =>
  until(async () => (await statuses(target)).every((each) => each === status), `${status} of every instance for ${target}`);

test("the command turns it on and off for two Node hosts and the Vercel host", async () => {
  const { frontdesk } = checkout({}, { ...env, GATEWAY_CONFIG_FILE: config });
  await all(200, "/shop");

  expect(await frontdesk("maintenance", "on", "--env", "development")).toMatchObject({
    code: 0,
    err: expect.stringContaining("fd:frontdesk:development:"),
  });
  await all(503, "/shop");
  for (const { port } of hosts) {
    const { headers } = await sendRaw(port, { target: "/shop" });
    expect([headers.get("x-gateway-error"), headers.get("retry-after")]).toEqual(["maintenance", "600"]);
  }
  expect(await statuses("/hooks/stripe")).toEqual([200, 200, 200]);

  expect(await frontdesk("maintenance", "off", "--env", "development")).toMatchObject({
    code: 0,
    err: expect.stringContaining("fd:frontdesk:development:"),
  });
  await all(200, "/shop");
});

test("while Redis is away it stands as it stood last", async () => {
  const { frontdesk } = checkout({}, { ...env, GATEWAY_CONFIG_FILE: config });
  await frontdesk("maintenance", "on", "--env", "development");
  await all(503, "/shop");
  let release = () => {};
  upstash.bridge.holdAnswers(new Promise<void>((resolve) => (release = resolve)));
  const before = upstash.bridge.requests;
  // Each instance asks, hears nothing, and goes on as before.
  await until(async () => {
    expect(await statuses("/shop")).toEqual([503, 503, 503]);
    return upstash.bridge.requests >= before + hosts.length;
  }, "every instance to have asked");
  expect(await statuses("/shop")).toEqual([503, 503, 503]);
  upstash.bridge.holdAnswers(undefined);
  release();
  await frontdesk("maintenance", "off", "--env", "development");
  await all(200, "/shop");
});
