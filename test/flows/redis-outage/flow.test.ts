/** Redis goes away in every way under load, and comes back: nobody gets a 500, each limit does what it says, and then counts again. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, startBackend } from "../../support/backend.ts";
import { configIn } from "../../support/describe-hosts.ts";
import { ADMIN_TOKEN, HOST_NAMES, type HostProcess, startHost } from "../../support/host-process.ts";
import { type RawAnswer, sendRaw } from "../../support/raw-client.ts";
import { type FaultyLink, type LinkState, startFaultyLink } from "../../support/redis/faulty-link.ts";
import { RespConnection } from "../../support/redis/resp-connection.ts";
import { startUpstash, type UpstashUnderTest } from "../../support/redis/upstash-under-test.ts";
import { until } from "../../support/until.ts";

let upstash: UpstashUnderTest;
let redis: RespConnection;
let backend: Backend;
beforeAll(async () => {
  upstash = await startUpstash();
  redis = new RespConnection(upstash.redis.port);
  backend = await startBackend();
});
afterAll(async () => {
  backend?.close();
  redis?.close();
  await upstash?.stop();
});

interface StoreStatus {
  readonly state: string;
  readonly reason?: string;
  readonly outages: number;
  readonly unanswered: number;
}

describe.each(HOST_NAMES)("on the %s host", (name) => {
  let link: FaultyLink;
  let host: HostProcess;
  beforeAll(async () => {
    link = await startFaultyLink(Number(new URL(upstash.bridge.url).port));
    host = await startHost(name, {
      config: configIn(import.meta.dirname),
      env: {
        BACKEND_URL: backend.url,
        UPSTASH_REDIS_REST_URL: link.url,
        UPSTASH_REDIS_REST_TOKEN: upstash.bridge.token,
        GATEWAY_STORE_PREFIX: `${name}:`,
        // Long enough for a busy machine, and far less than a Redis that answers after 2 s.
        GATEWAY_STORE_BUDGET: "500ms",
      },
    });
  });
  afterAll(async () => {
    await host?.stop();
    await link?.stop();
  });

  const ask = (target: string, headers: string[] = []) => sendRaw(host.port, { target, headers });
  const isAway = ({ headers, status }: RawAnswer) => headers.has("x-gateway-limits") || status === 503;

  async function storeStatus(): Promise<StoreStatus> {
    const { body } = await ask("/gateway/health", ["authorization", `Bearer ${ADMIN_TOKEN}`]);
    return JSON.parse(body.toString()).storeStatus;
  }

  /** Some callers who ask without end, while `body` runs. */
  async function underLoad(body: () => Promise<void>): Promise<Map<string, RawAnswer[]>> {
    const answers = new Map<string, RawAnswer[]>(["/open", "/local", "/login"].map((target) => [target, []]));
    let isOver = false;
    const callers = [...answers].flatMap(([target, list]) =>
      Array.from({ length: 3 }, async () => {
        while (!isOver) list.push(await ask(target));
      }),
    );
    try {
      await body();
    } finally {
      isOver = true;
      await Promise.all(callers);
    }
    return answers;
  }

  const awayOnce = (answers: readonly RawAnswer[]) => answers.filter(isAway).length > 20;

  /** Until limits count again: exactly as many pass as may, by a caller whom nobody counted before. */
  async function countsAgain(caller: string): Promise<void> {
    await until(async () => !isAway(await ask("/open")), "Redis to be there again");
    const answers = await Promise.all(Array.from({ length: 25 }, () => ask("/counted", ["x-key", caller])));
    expect(answers.filter(isAway)).toEqual([]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(15);
  }

  async function goesAway(fail: () => Promise<unknown>, mend: () => Promise<unknown>, caller: string): Promise<void> {
    const { outages } = name === "node" ? await storeStatus() : { outages: 0 };
    const answers = await underLoad(async () => {
      await fail();
      const own: RawAnswer[] = [];
      await until(async () => own.push(await ask("/local")) && awayOnce(own), "limits to do without Redis");
      if (name === "node") expect(await storeStatus()).toMatchObject({ state: "away", outages: outages + 1 });
      await mend();
      await until(async () => !isAway(await ask("/open")), "Redis to be there again");
    });
    const statusesOf = (target: string) => [...new Set(answers.get(target)!.map(({ status }) => status))].sort();
    expect(statusesOf("/open")).toEqual([200]);
    expect(statusesOf("/local")).toEqual([200]);
    expect(statusesOf("/login")).toEqual([200, 503]);
    for (const { status, headers } of answers.get("/login")!)
      if (status === 503)
        expect([headers.get("x-gateway-error"), headers.get("retry-after")]).toEqual(["store-unavailable", "1"]);
    expect([...new Set(answers.get("/open")!.map(({ headers }) => headers.get("x-gateway-limits")))].sort()).toEqual([
      "open",
      undefined,
    ]);
    expect([...new Set(answers.get("/local")!.map(({ headers }) => headers.get("x-gateway-limits")))].sort()).toEqual([
      "local",
      undefined,
    ]);
    await countsAgain(caller);
    if (name === "node") expect(await storeStatus()).toMatchObject({ state: "up", outages: outages + 1 });
  }

  const states: readonly LinkState[] = ["silent", "cut", "late", "refused", "wrong-token", "failing"];
  test.each(states)("a Redis that is %s", (state) =>
    goesAway(
      () => link.become(state),
      () => link.become("through"),
      state,
    ),
  );

  test("a Redis that is full", () =>
    goesAway(
      () => redis.send(["CONFIG", "SET", "maxmemory", "1"]),
      () => redis.send(["CONFIG", "SET", "maxmemory", "0"]),
      "full",
    ));

  test("a Redis that forgets its scripts and its data costs nobody an answer", async () => {
    const answers = await underLoad(async () => {
      for (let turn = 0; turn < 5; turn++) {
        await redis.send(["SCRIPT", "FLUSH"]);
        await redis.send(["FLUSHALL"]);
        for (let request = 0; request < 10; request++) await ask("/counted", ["x-key", `turn ${turn}`]);
      }
    });
    expect([...answers.values()].flat().filter(({ status }) => status !== 200)).toEqual([]);
    await countsAgain("forgotten");
  });
});
