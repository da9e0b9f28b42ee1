/**
 * A target that serves, and says that it is not well. The Node host finds out by itself; on Vercel a scheduler asks one instance, and the others
 * learn of it from Redis.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Backend, startBackend } from "../../support/backend.ts";
import { configIn } from "../../support/describe-hosts.ts";
import { ADMIN_TOKEN, type HostName, type HostProcess, startHost } from "../../support/host-process.ts";
import { sendRaw } from "../../support/raw-client.ts";
import { RespConnection } from "../../support/redis/resp-connection.ts";
import { startUpstash, type UpstashUnderTest } from "../../support/redis/upstash-under-test.ts";
import { until } from "../../support/until.ts";

const CHECKS = "/gateway/health/checks";
const CRON_SECRET = "test-cron-secret-0123456789";
const REASON = "the check was answered 503";
const cron = ["authorization", `Bearer ${CRON_SECRET}`];
const operator = ["authorization", `Bearer ${ADMIN_TOKEN}`];

let backend: Backend;
let isWell: boolean;
beforeAll(async () => {
  backend = await startBackend();
  backend.on("/one/up", (_, response) => response.writeHead(isWell ? 200 : 503).end());
});
afterAll(() => backend?.close());
beforeEach(() => {
  isWell = false;
});

function start(name: HostName, env: Record<string, string> = {}): Promise<HostProcess> {
  return startHost(name, { config: configIn(import.meta.dirname), env: { BACKEND_URL: backend.url, CRON_SECRET, ...env } });
}

/** Where ten requests to a host went: some of the targets. */
async function serving({ port }: HostProcess): Promise<string[]> {
  const before = backend.requests.length;
  for (let i = 0; i < 10; i++) expect((await sendRaw(port, { target: "/" })).status).toBe(200);
  const targets = backend.requests.slice(before).map(({ target }) => target);
  return [...new Set(targets)].filter((target) => !target.endsWith("/up")).sort();
}

async function jsonFrom({ port }: HostProcess, target: string, headers: string[]) {
  const { status, body } = await sendRaw(port, { target, headers });
  expect(status).toBe(200);
  return JSON.parse(body.toString());
}

const onlyTwo = async (host: HostProcess) => (await serving(host)).join() === "/two/";
const both = async (host: HostProcess) => (await serving(host)).join() === "/one/,/two/";

describe("on the vercel host", () => {
  let upstash: UpstashUnderTest;
  let redis: RespConnection;
  let hosts: [HostProcess, HostProcess];
  beforeAll(async () => {
    upstash = await startUpstash();
    redis = new RespConnection(upstash.redis.port);
    const env = {
      UPSTASH_REDIS_REST_URL: upstash.bridge.url,
      UPSTASH_REDIS_REST_TOKEN: upstash.bridge.token,
      GATEWAY_STORE_PREFIX: "test:",
      GATEWAY_STORE_BUDGET: "5s",
    };
    hosts = await Promise.all([start("vercel", env), start("vercel", env)]);
  });
  afterAll(async () => {
    for (const host of hosts ?? []) await host.stop();
    redis?.close();
    await upstash?.stop();
  });

  test("a target that fails its checks gets no more requests, on any instance, until it passes them", async () => {
    const [asked, other] = hosts;
    expect([await serving(asked), await serving(other)]).toEqual([
      ["/one/", "/two/"],
      ["/one/", "/two/"],
    ]);
    expect(backend.requests.filter(({ target }) => target.endsWith("/up"))).toEqual([]);
    expect(await jsonFrom(asked, CHECKS, cron)).toEqual({
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      shared: true,
      targets: [
        { backend: "shop", url: `${backend.url}/one`, state: "down", reason: REASON },
        { backend: "shop", url: `${backend.url}/two`, state: "up" },
      ],
    });
    expect(await serving(asked)).toEqual(["/two/"]);
    await until(() => onlyTwo(other), "the other instance to have heard of it");
    expect(await serving(other)).toEqual(["/two/"]);
    for (const host of hosts) {
      const { backends } = await jsonFrom(host, "/gateway/health", operator);
      expect(backends[0].targets[0]).toEqual({ url: `${backend.url}/one`, state: "down", reason: REASON, inFlight: 0 });
    }

    isWell = true;
    expect((await jsonFrom(asked, CHECKS, operator)).targets[0].state).toBe("up");
    expect(await serving(asked)).toEqual(["/one/", "/two/"]);
    await until(() => both(other), "the other instance to have heard of it again");
  });

  test("HEAD is a GET whose answer has no content; other methods are refused", async () => {
    const ask = (method: string, headers = cron) => sendRaw(hosts[0].port, { method, target: CHECKS, headers });
    const { status, headers, body } = await ask("HEAD");
    expect([status, headers.get("cache-control"), body.length]).toEqual([200, "no-store", 0]);
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const refused = await ask(method);
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    }
  });

  test("the scheduler's secret opens nothing else, and counts nowhere but in its field", async () => {
    const before = backend.requests.length;
    const statusOf = async (target: string, headers: string[]) => (await sendRaw(hosts[0].port, { target, headers })).status;
    expect(await statusOf("/gateway/api/overview", cron)).toBe(401);
    expect(await statusOf("/gateway", cron)).toBe(401);
    expect(JSON.parse((await sendRaw(hosts[0].port, { target: "/gateway/health", headers: cron })).body.toString())).toEqual({
      status: "ok",
    });
    expect(await statusOf(CHECKS, [])).toBe(401);
    expect(await statusOf(`${CHECKS}?secret=${CRON_SECRET}&authorization=Bearer%20${CRON_SECRET}`, [])).toBe(401);
    expect(await statusOf(CHECKS, ["authorization", "Bearer "])).toBe(401);
    expect(await statusOf(CHECKS, ["authorization", `Bearer ${CRON_SECRET}x`])).toBe(401);
    expect(backend.requests.slice(before)).toEqual([]);
  });

  test("garbage in Redis is as if nothing were there", async () => {
    const [asked, other] = hosts;
    await redis.send(["SET", "test:blob:target-checks", `9999999999999:${btoa('{"startedMs":9e99,"down":7}')}`]);
    const { requests } = upstash.bridge;
    await until(async () => (await serving(other)) && upstash.bridge.requests > requests, "the other instance to read it");
    expect(await serving(other)).toEqual(["/one/", "/two/"]);
    await jsonFrom(asked, CHECKS, cron);
    await until(() => onlyTwo(other), "the other instance to have heard of it");
  });
});

describe("on the node host", () => {
  test("nobody has to ask", async () => {
    isWell = true;
    const host = await start("node");
    try {
      const { status, body } = await sendRaw(host.port, { target: CHECKS, headers: cron });
      expect([status, JSON.parse(body.toString())]).toMatchObject([
        404,
        { detail: "This host checks its targets by itself: nobody has to ask for it." },
      ]);
      expect((await sendRaw(host.port, { target: CHECKS })).status).toBe(401);
      expect((await sendRaw(host.port, { target: "/gateway/api/overview", headers: cron })).status).toBe(401);
      await until(() => both(host), "both to serve");
      isWell = false;
      await until(() => onlyTwo(host), "the target to be taken out");
      isWell = true;
      await until(() => both(host), "the target to be back");
    } finally {
      await host.stop();
    }
  });
});
