/** Load shedding: how much is refused, of which priority, by how late the event loop is; and a server that is too busy. */
import { renderToStaticMarkup } from "react-dom/server";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { describeShed, PRIORITIES } from "#lib/contract/load.ts";
import { Overload, Shedding } from "#lib/hosts/node/overload.ts";
import { EventLoop } from "../../../app/gateway/event-loop.tsx";
import { gatewayOf } from "../../policies/gateway.ts";
import { ADMIN_TOKEN, type HostProcess, startNodeHost } from "../../support/host-process.ts";
import { sendRaw } from "../../support/raw-client.ts";
import { until } from "../../support/until.ts";

const [LOW, NORMAL, HIGH] = [0, 1, 2];

function shedding(looks = 0, lagMs = 300): Shedding {
  const load = new Shedding();
  load.limitMs = 200;
  for (let i = 0; i < looks; i++) load.look(lagMs);
  return load;
}

/** Of a hundred requests of a priority, as the gateway asks. */
const refusedOf100 = (load: Shedding, priority: number) =>
  Array.from({ length: 100 }, () => priority < load.shed && load.refuses(priority)).filter(Boolean).length;

describe("how much is refused", () => {
  test.each([
    [0, [0, 0, 0]],
    [1, [10, 0, 0]],
    [5, [50, 0, 0]],
    [10, [100, 0, 0]],
    [13, [100, 30, 0]],
    [20, [100, 100, 0]],
    [25, [100, 100, 50]],
    // Somebody gets through always: else nobody would see that it is over.
    [29, [100, 100, 90]],
    [500, [100, 100, 90]],
  ])("after %i looks at a late loop, of each priority", (looks, expected) => {
    const load = shedding(looks);
    expect([LOW, NORMAL, HIGH].map((priority) => refusedOf100(load, priority!))).toEqual(expected);
  });

  test.each([
    [0, ""],
    [0.3, "30 % of low"],
    [1, "100 % of low"],
    [1.5, "100 % of low, 50 % of normal"],
    [2.9, "100 % of low, 100 % of normal, 90 % of high"],
  ])("%d in words", (shed, words) => {
    expect(describeShed(shed)).toBe(words);
  });

  test.each([
    [{ lagMs: 3, shed: 0 }, /3 ms late<\/dd>/],
    [{ lagMs: 300, shed: 0.3 }, /300 ms late.*refuses 30 % of low/],
  ])("the page at /gateway says %o", (load, shown) => {
    expect(renderToStaticMarkup(EventLoop({ load }))).toMatch(shown);
  });

  test("a share is spread evenly", () => {
    const load = shedding(5);
    expect(Array.from({ length: 6 }, () => load.refuses(LOW!))).toEqual([false, true, false, true, false, true]);
  });

  test("it stays while the loop is neither late nor in time, and falls as it rose", () => {
    const load = shedding(10);
    for (const lagMs of [199, 150, 100, 200]) load.look(lagMs);
    expect(load.shed).toBe(1);
    const shares = Array.from({ length: 12 }, () => {
      load.look(99);
      return Math.round(load.shed * 10);
    });
    expect(shares).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0]);
  });

  test("one long pause refuses nobody of normal priority", () => {
    const load = shedding();
    load.look(60_000);
    expect(refusedOf100(load, NORMAL!)).toBe(0);
  });

  test("a config that switches it off ends it", () => {
    const load = shedding(25);
    load.limitMs = null;
    load.look(60_000);
    expect(load.shed).toBe(0);
  });
});

test("nobody looks at the event loop where it is switched off, by a reload too", () => {
  vi.useFakeTimers();
  const load = new Overload({ info() {}, warn() {}, error() {} });
  const watches = [null, 200, 100, null, 200].map((limitMs) => {
    load.setLimit(limitMs);
    return [load.isWatched, vi.getTimerCount()];
  });
  load.close();
  expect([...watches, vi.getTimerCount()]).toEqual([[false, 0], [true, 1], [true, 1], [false, 0], [true, 1], 0]);
  vi.useRealTimers();
});

describe("a gateway under load", () => {
  const load = new Shedding();
  load.limitMs = 200;
  for (let i = 0; i < 20; i++) load.look(300);
  const { send } = gatewayOf(
    {
      defaults: { priority: "low", cors: "https://a.example" },
      routes: [{ path: "/low" }, { path: "/normal", priority: "normal" }, { path: "/high", priority: "high" }],
    },
    { load },
  );

  test("says so to those it refuses, as an answer of their route", async () => {
    const { status, headers, record } = await send({ target: "/low", headers: { origin: "https://a.example" } });
    expect([status, record.code, headers.get("retry-after")]).toEqual([503, "overloaded", "2"]);
    expect(headers.get("access-control-allow-origin")).toBe("https://a.example");
    expect(record).toMatchObject({
      route: "/low",
      reason: "the event loop is 300 ms late: 100 % of priority low are refused",
      steps: [],
    });
    expect((await send({ target: "/normal" })).record.code).toBe("overloaded");
  });

  test("serves what comes first, and says what is not there", async () => {
    expect((await send({ target: "/high" })).text).toBe("served");
    expect((await send({ target: "/nowhere" })).status).toBe(404);
  });
});

describe("a server whose event loop is late", () => {
  let host: HostProcess;
  beforeAll(async () => {
    host = await startNodeHost({ config: `${import.meta.dirname}/busy.gateway.config.ts` });
  });
  afterAll(() => host?.stop());

  const health = async () => {
    const headers = ["authorization", `Bearer ${ADMIN_TOKEN}`];
    const { status, body } = await sendRaw(host.port, { target: "/gateway/health", headers });
    return { status, load: (JSON.parse(body.toString()) as { load: { lagMs: number; shed: number } }).load };
  };

  test("refuses what comes last, never its own health, and serves again when it is in time", async () => {
    expect(await health()).toMatchObject({ status: 200, load: { shed: 0 } });
    let isBusy = true;
    const busy = Array.from({ length: 8 }, async () => {
      while (isBusy) await sendRaw(host.port, { target: "/busy" });
    });
    await until(async () => (await sendRaw(host.port, { target: "/low" })).status === 503, "a refusal of low priority");
    expect((await sendRaw(host.port, { target: "/high" })).status).toBe(200);
    const { status, load } = await health();
    expect([status, load.shed > 0]).toEqual([200, true]);
    isBusy = false;
    await Promise.all(busy);
    await until(async () => (await health()).load.shed === 0, "nothing to be refused");
    expect((await sendRaw(host.port, { target: "/low" })).status).toBe(200);
    expect(host.output).toContain("the event loop is late");
    expect(host.output).toContain("the event loop is in time again");
  });
});

test("priorities are named from the first that is refused to the last", () =>
  expect(PRIORITIES).toEqual(["low", "normal", "high"]));
