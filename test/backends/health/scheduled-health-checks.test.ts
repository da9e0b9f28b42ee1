/** Runs of all active checks, asked for from outside: real backends, a clock that the test turns, and blobs that several instances share. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FINDINGS_KEY } from "#lib/backends/health/check-findings.ts";
import { type CheckDeps, createScheduledHealthChecks } from "#lib/backends/health/scheduled-health-checks.ts";
import { createPools, type Pools } from "#lib/backends/pools.ts";
import type { Blobs } from "#lib/contract/stores/blobs.ts";
import { unavailable } from "#lib/contract/stores/reply.ts";
import { MemoryBlobs } from "#lib/stores/memory/memory-blobs.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { type Backend, startBackend } from "../../support/backend.ts";
import { until } from "../../support/until.ts";
import { asking, backendOf, sharesOf } from "../backend-of.ts";

const MINUTE_MS = 60_000;
let one: Backend;
let two: Backend;
let pools: Pools;
let blobs: Blobs;
let isWell: boolean;
const logged: string[] = [];
const log = { info: (text: string) => logged.push(text), warn: (text: string) => logged.push(text), error: () => {} };

beforeEach(async () => {
  [one, two] = await Promise.all([startBackend(), startBackend()]);
  pools = createPools();
  blobs = sharedBlobs();
  logged.length = 0;
  isWell = false;
  one.on("/up", (_, response) => response.writeHead(isWell ? 204 : 500).end());
});
afterEach(async () => {
  for (const each of [one, two]) each.close();
  await pools.close();
});

/** As instances with a Redis see them: nobody's own. */
function sharedBlobs(changes: Partial<Blobs> = {}): Blobs {
  const memory = new MemoryBlobs(1_000_000);
  return {
    get: async (key, nowMs) => memory.get(key, nowMs),
    set: async (...given) => memory.set(...given),
    delete: async (key) => memory.delete(key),
    deleteByTag: async (tag) => memory.deleteByTag(tag),
    deleteByPrefix: async (prefix) => memory.deleteByPrefix(prefix),
    ...changes,
  };
}

/** Of the gateway, with knowledge of its own. */
function startInstance(settings: object = {}, changes: Partial<CheckDeps> & { readonly blobs?: Blobs } = {}) {
  const checked = backendOf({ targets: [one.url, two.url], slowStart: "10s", health: "/up", ...settings });
  const deferred: Promise<unknown>[] = [];
  const runs = createScheduledHealthChecks([checked.backend], {
    pools,
    clock: { now: () => checked.nowMs, monotonic: () => checked.nowMs },
    log,
    stores: { ...createMemoryStores(), blobs: changes.blobs ?? blobs },
    defer: (work) => deferred.push(work),
    wait: async () => {},
    ...changes,
  });
  const backend = runs.backends[0]!;
  return {
    runs,
    deferred,
    states: checked.backend.targets.map(({ state }) => state),
    get nowMs() {
      return checked.nowMs;
    },
    set nowMs(ms: number) {
      checked.nowMs = ms;
    },
    /** The targets that 10 requests go to. */
    serving: () => Object.keys(sharesOf({ ...checked, backend }, 10, () => asking())).sort(),
    /** As after a request or two: what was asked for in the background is there. */
    async informed() {
      backend.pick(asking());
      await Promise.all(deferred.splice(0));
    },
  };
}

const hostOf = ({ url }: Backend) => url.slice("http://".length);
const both = () => [hostOf(one), hostOf(two)].sort();

describe("a run", () => {
  test("takes out a target that fails twice, in every instance, and the next one brings it back", async () => {
    const [asked, other] = [startInstance(), startInstance()];
    await other.informed();
    expect(await asked.runs.run()).toEqual({
      startedMs: asked.nowMs,
      notShared: undefined,
      targets: [
        { backend: "b", url: one.url, state: "down", reason: "the check was answered 500" },
        { backend: "b", url: two.url, state: "up", reason: undefined },
      ],
    });
    expect([one.requests.length, two.requests.length]).toEqual([2, 1]);
    expect(asked.serving()).toEqual([hostOf(two)]);
    expect(other.serving()).toEqual(both());
    other.nowMs += 4_000;
    await other.informed();
    expect(other.serving()).toEqual([hostOf(two)]);
    expect(other.states[0]!.downBecause).toBe("the check was answered 500");

    isWell = true;
    asked.nowMs += MINUTE_MS;
    await asked.runs.run();
    other.nowMs += MINUTE_MS;
    await other.informed();
    expect(other.states.map(({ downBecause }) => downBecause)).toEqual([undefined, undefined]);
    for (const { states, nowMs } of [asked, other]) expect(states[0]!.shareAt(nowMs, 10_000)).toBe(0.1);
    expect(logged).toEqual([
      "a target fails its checks",
      "a target fails its checks",
      "a target passes its checks again",
      "a target passes its checks again",
    ]);
  });

  test("one failure may be chance: it is asked again", async () => {
    one.on("/up", (_, response) => response.writeHead(one.requests.length === 1 ? 500 : 200).end());
    const waits: number[] = [];
    const instance = startInstance({}, { wait: async (ms) => void waits.push(ms) });
    const { targets } = await instance.runs.run();
    expect(targets.map(({ state }) => state)).toEqual(["up", "up"]);
    expect([one.requests.length, waits]).toEqual([2, [1000]]);
  });

  test("asked for twice at once is one", async () => {
    const instance = startInstance();
    const [first, second] = await Promise.all([instance.runs.run(), instance.runs.run()]);
    expect(second).toBe(first);
    expect(two.requests).toHaveLength(1);
    await instance.runs.run();
    expect(two.requests).toHaveLength(2);
  });

  test("goes on where nobody waits for its end", async () => {
    const instance = startInstance();
    void instance.runs.run();
    await Promise.all(instance.deferred);
    expect(instance.states[0]!.downBecause).toBe("the check was answered 500");
  });

  test.each<[string, Parameters<Backend["on"]>[1]]>([
    ["never begins its answer", () => {}],
    ["never ends its answer", (_, response) => response.writeHead(200).write("a")],
  ])("a target that %s has not answered in time", async (_, handler) => {
    one.on("/up", handler);
    const { targets } = await startInstance({ health: { path: "/up", timeout: "50ms" } }).runs.run();
    expect(targets.map(({ reason }) => reason)).toEqual(["the check was not answered in time", undefined]);
  });

  test("of many targets asks ten at once", async () => {
    let [open, most] = [0, 0];
    const several = Array.from({ length: 300 }, (_, index) => {
      two.on(`/${index}/up`, (_received, response) => {
        most = Math.max(most, ++open);
        setImmediate(() => {
          open--;
          response.writeHead(index < 250 ? 200 : 503).end();
        });
      });
      return `${two.url}/${index}`;
    });
    const { targets } = await startInstance({ targets: several }).runs.run();
    expect(targets.filter(({ state }) => state === "up")).toHaveLength(250);
    expect(targets.filter(({ state }) => state === "down")).toHaveLength(50);
    expect(most).toBeLessThanOrEqual(10);
  });

  test("that has no time left for a target leaves it as it was", async () => {
    const instance = startInstance();
    await instance.runs.run();
    const over = new AbortController();
    const late = startInstance({}, { within: () => over.signal });
    late.nowMs += MINUTE_MS;
    one.on("/up", () => {});
    const run = late.runs.run();
    await until(() => one.requests.length === 3 && two.requests.length === 2, "both to be asked");
    await until(() => two.requests.at(-1)!.state === "whole", "the other to answer");
    over.abort();
    expect((await run).targets[0]).toMatchObject({ state: "unchecked", reason: undefined });
    await until(() => one.requests.at(-1)!.hungUp, "the check to be given up");
    expect(late.states[0]!.downBecause).toBe("the check was answered 500");
  });

  test("that another one has overtaken says nothing any more", async () => {
    const [early, late] = [startInstance(), startInstance()];
    let goOn = () => {};
    one.on("/up", (_, response) => {
      goOn = () => response.writeHead(500).end();
    });
    const first = early.runs.run();
    await until(() => one.requests.length === 1, "the first to be under way");
    const blocked = goOn;
    isWell = true;
    one.on("/up", (_, response) => response.writeHead(isWell ? 204 : 500).end());
    late.nowMs += 1;
    await late.runs.run();
    isWell = false;
    early.nowMs += 2;
    blocked();
    expect((await first).targets[0]!.state).toBe("down");
    expect(early.serving()).toEqual(both());
    late.nowMs += 4_000;
    await late.informed();
    expect(late.serving()).toEqual(both());
  });

  test("is not undone by what an older read brings", async () => {
    isWell = true;
    await startInstance().runs.run();
    isWell = false;
    const before = await blobs.get(FINDINGS_KEY, 1_000_000);
    let arrive = () => {};
    const late = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    let reads = 0;
    const get: Blobs["get"] = async (...given) => (++reads === 1 ? late.then(() => before) : blobs.get(...given));
    const instance = startInstance({}, { blobs: { ...blobs, get } });
    instance.nowMs += 1;
    instance.serving();
    await instance.runs.run();
    arrive();
    await Promise.all(instance.deferred);
    expect([reads, instance.serving()]).toEqual([2, [hostOf(two)]]);
  });

  test("without a store that others see counts here, and the log has it", async () => {
    const own = new MemoryBlobs(1_000_000);
    const [instance, other] = [startInstance({}, { blobs: own }), startInstance({}, { blobs: own })];
    expect(logged).toEqual(
      Array(2).fill("without Redis a run of the checks counts in the instance that makes it, and in no other"),
    );
    expect((await instance.runs.run()).notShared).toBe("there is no Redis");
    expect(instance.serving()).toEqual([hostOf(two)]);
    await other.informed();
    expect([other.serving(), other.deferred]).toEqual([both(), []]);
  });
});

describe("what it found", () => {
  test("holds for three minutes, so that a scheduler that has stopped keeps nobody out", async () => {
    const instance = startInstance();
    await instance.runs.run();
    instance.nowMs += 3 * MINUTE_MS - 1;
    expect(instance.serving()).toEqual([hostOf(two)]);
    instance.nowMs += 1;
    expect(instance.serving()).toEqual(both());
    expect(logged.at(-1)).toBe("nobody checks a target any more that failed its checks: it gets requests again");
  });

  test("or for three intervals, where these are longer", async () => {
    const settings = { health: { path: "/up", interval: "5m" } };
    const instance = startInstance(settings);
    await instance.runs.run();
    instance.nowMs += 15 * MINUTE_MS - 1;
    await instance.informed();
    expect(instance.serving()).toEqual([hostOf(two)]);
    const other = startInstance(settings);
    other.nowMs = instance.nowMs;
    await other.informed();
    expect(other.serving()).toEqual([hostOf(two)]);
    for (const each of [instance, other]) each.nowMs += 1;
    expect([instance.serving(), other.serving()]).toEqual([both(), both()]);
  });

  test("is read once in four seconds, and by no request for itself", async () => {
    let reads = 0;
    const instance = startInstance(
      {},
      {
        blobs: sharedBlobs({
          get: () => {
            reads++;
            return new Promise(() => {});
          },
        }),
      },
    );
    instance.serving();
    expect(reads).toBe(1);
    instance.nowMs += 3_999;
    instance.serving();
    expect(reads).toBe(1);
    // It hangs: the next one asks again, and goes by what is known.
    instance.nowMs += 1;
    expect(instance.serving()).toEqual(both());
    expect(reads).toBe(2);
    instance.nowMs -= MINUTE_MS;
    instance.serving();
    expect(reads).toBe(3);
  });

  test("holds while the store is away, and until it ends", async () => {
    let isAway = false;
    const shared = sharedBlobs();
    const instance = startInstance(
      {},
      { blobs: { ...shared, get: async (key, nowMs) => (isAway ? unavailable("timeout") : shared.get(key, nowMs)) } },
    );
    await instance.runs.run();
    isAway = true;
    instance.nowMs += 2 * MINUTE_MS;
    await instance.informed();
    expect(instance.serving()).toEqual([hostOf(two)]);
    instance.nowMs += MINUTE_MS;
    expect(instance.serving()).toEqual(both());
  });

  test("counts here where the store does not take it; a first trip that was slow is made again", async () => {
    let misses = 2;
    const shared = sharedBlobs();
    const set: Blobs["set"] = async (...given) => (misses-- > 0 ? unavailable("timeout") : shared.set(...given));
    const instance = startInstance({}, { blobs: { ...shared, set } });
    expect((await instance.runs.run()).notShared).toBeUndefined();
    misses = 3;
    instance.nowMs += MINUTE_MS;
    expect((await instance.runs.run()).notShared).toBe("Redis did not take it (timeout)");
    expect(instance.serving()).toEqual([hostOf(two)]);
  });

  test("is of one address and one path: a deployment that asks for another starts anew", async () => {
    const instance = startInstance();
    await instance.runs.run();
    const changed = startInstance({ health: "/healthz" });
    await changed.informed();
    expect(changed.serving()).toEqual(both());
    const text = new TextDecoder().decode(await valueIn(blobs));
    expect(text).toContain("the check was answered 500");
    expect(text).not.toContain(hostOf(one));
  });

  const later = 1_000_000 + 61_000;
  test.each([
    "",
    "null",
    "[]",
    "{",
    '{"startedMs":1}',
    '{"startedMs":"1","down":[]}',
    `{"startedMs":${later},"down":[]}`,
    '{"startedMs":1e999,"down":[]}',
    '{"startedMs":1,"down":{"length":1}}',
    '{"startedMs":1,"down":[null,1,"a",[],[1,2,3],["__proto__",1,"x"],["ID",null,"x"],["ID",1],["ID",1,{}],["ID",1e999,"x"]]}',
    "\u0000\uffff",
  ])("is ignored where it can't be: %j", async (text) => {
    const probe = startInstance();
    await probe.runs.run();
    const [[id]] = JSON.parse(new TextDecoder().decode(await valueIn(blobs))).down;
    await blobs.set(FINDINGS_KEY, new TextEncoder().encode(text.replaceAll("ID", id)), { ttlMs: MINUTE_MS }, probe.nowMs);
    const instance = startInstance();
    await instance.informed();
    expect(instance.serving()).toEqual(both());
    // And the next run puts it right.
    await instance.runs.run();
    const other = startInstance();
    await other.informed();
    expect(other.serving()).toEqual([hostOf(two)]);
  });
});

async function valueIn(from: Blobs): Promise<Uint8Array> {
  const reply = await from.get(FINDINGS_KEY, 1_000_000);
  return reply.state === "ok" ? reply.value!.value : new Uint8Array();
}

test("a backend without checks is as it was, and nothing is read for it", async () => {
  const { backend } = backendOf({ targets: [one.url, two.url] });
  let reads = 0;
  const { runs } = startInstance();
  const none = createScheduledHealthChecks([backend], {
    pools,
    clock: { now: () => 0, monotonic: () => 0 },
    log,
    stores: {
      ...createMemoryStores(),
      blobs: sharedBlobs({
        get: () => {
          reads++;
          return unavailable("error");
        },
      }),
    },
    defer: () => {},
    wait: async () => {},
  });
  expect(none.backends[0]).toBe(backend);
  expect(none.look()).toBeUndefined();
  expect(runs.backends[0]).not.toBe(backend);
  expect(reads).toBe(0);
});
