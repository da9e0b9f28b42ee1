/** A refused request is in the log, among the kept requests and in `frontdesk logs`, also where middleware refused it; all share Redis. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkout } from "../../cli/checkout.ts";
import { type Backend, startBackend } from "../../support/backend.ts";
import { configIn } from "../../support/describe-hosts.ts";
import { ADMIN_TOKEN, HOST_NAMES, type HostProcess, startHost } from "../../support/host-process.ts";
import { type RawRequest, sendRaw } from "../../support/raw-client.ts";
import { startUpstash, type UpstashUnderTest } from "../../support/redis/upstash-under-test.ts";
import { until } from "../../support/until.ts";

let upstash: UpstashUnderTest;
let backend: Backend;
beforeAll(async () => {
  upstash = await startUpstash();
  backend = await startBackend();
});
afterAll(async () => {
  backend?.close();
  await upstash?.stop();
});

/** A batch is handed over within 15 s. */
const PATIENCE_MS = 60_000;

describe.each(HOST_NAMES)("on the %s host", { timeout: 2 * PATIENCE_MS }, (name) => {
  let host: HostProcess;
  const operator = ["authorization", `Bearer ${ADMIN_TOKEN}`];
  const send = (request: RawRequest) => sendRaw(host.port, request);
  beforeAll(async () => {
    host = await startHost(name, {
      config: configIn(import.meta.dirname),
      env: {
        BACKEND_URL: backend.url,
        ADA_PASSWORD: "a password of ada's",
        UPSTASH_REDIS_REST_URL: upstash.bridge.url,
        UPSTASH_REDIS_REST_TOKEN: upstash.bridge.token,
        GATEWAY_STORE_PREFIX: `${name}:`,
        GATEWAY_STORE_BUDGET: "2s",
      },
    });
  });
  afterAll(() => host?.stop());

  async function kept(query: string): Promise<Record<string, unknown>[]> {
    const { status, body } = await send({ target: `/gateway/api/requests?${query}`, headers: operator });
    expect(status).toBe(200);
    return (JSON.parse(body.toString()) as { items: Record<string, unknown>[] }).items;
  }

  const frontdesk = (...args: string[]) =>
    checkout({}, { GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN, GATEWAY_URL: `http://127.0.0.1:${host.port}` }).frontdesk("logs", ...args);

  test("a refusal is found by the id in its problem", async () => {
    const answer = await send({ target: "/orders/7?token=secret" });
    expect(answer.status).toBe(401);
    const { requestId } = JSON.parse(answer.body.toString()) as { requestId: string };
    await until(() => host.output.includes(`"requestId":"${requestId}"`), "the line in the log");
    const [found] = await until(
      async () => {
        const items = await kept(`id=${requestId}`);
        return items.length > 0 ? items : undefined;
      },
      "the request among those that were kept",
      PATIENCE_MS,
    );
    expect(found).toMatchObject({
      requestId,
      path: "/orders/7",
      route: "/orders/:id",
      status: 401,
      code: "credentials-missing",
      steps: [{ policy: "auth", verdict: "refused", code: "credentials-missing" }],
    });
    const { code, out } = await frontdesk("--id", requestId);
    expect(code).toBe(0);
    expect(out).toMatch(/^\d\d:\d\d:\d\d\.\d{3} GET {2}\/orders\/7 401 .* credentials-missing.* [0-9a-f]{32}\n$/);
    expect(JSON.parse((await frontdesk("--id", requestId, "--json")).out)).toMatchObject({ requestId, status: 401 });
  });

  test("filters, and a page after a page", async () => {
    for (let i = 0; i < 5; i++) await send({ target: `/open?${i}` });
    await until(async () => (await kept("route=/open")).length === 5, "five requests", PATIENCE_MS);
    expect((await kept("status=2xx&route=/open")).length).toBe(5);
    expect((await kept("status=4xx&route=/open")).length).toBe(0);
    expect((await kept("status=200&limit=2&route=/open")).length).toBe(2);
    expect((await kept("code=credentials-missing")).length).toBeGreaterThan(0);
    const { body } = await send({ target: "/gateway/api/requests?route=/open&limit=3", headers: operator });
    const { next } = JSON.parse(body.toString()) as { next: string };
    expect((await kept(`route=/open&limit=3&cursor=${next}`)).length).toBe(2);
    expect((await send({ target: "/gateway/api/requests?status=40", headers: operator })).status).toBe(400);
  });

  test("both halves count in one place", async () => {
    const metrics = async () => (await send({ target: "/gateway/metrics", headers: operator })).body.toString();
    await until(
      async () => {
        const text = await metrics();
        return text.includes('code="credentials-missing"} 1\n') && /http_route="\/open",.*source="backend"} 5\n/.test(text);
      },
      "the sums of both",
      PATIENCE_MS,
    );
  });

  test("the command says what it was given wrong", async () => {
    expect(await frontdesk("--limit", "x")).toMatchObject({ code: 2, err: expect.stringContaining("from 1 to 200") });
    expect(await frontdesk("--status", "40")).toMatchObject({ code: 1, err: expect.stringContaining("--status") });
    expect(await frontdesk("--id", "none")).toMatchObject({ code: 0, out: "no such request is kept.\n" });
  });
});
