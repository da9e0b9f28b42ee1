/** The deciding steps: reported in the order of their rows, asked in as few trips as possible, charged all or nothing. */
import { beforeEach, describe, expect, test } from "vitest";
import { ask } from "#lib/contract/ask.ts";
import type { Deps } from "#lib/contract/deps.ts";
import { PHASES, type Phase } from "#lib/contract/phases.ts";
import type { Policy } from "#lib/contract/policy.ts";
import { refuse } from "#lib/contract/problem.ts";
import type { Taken } from "#lib/contract/stores/counters.ts";
import { ok, unavailable } from "#lib/contract/stores/reply.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import type { Step } from "#lib/engine/pipeline.ts";
import { runSteps } from "#lib/engine/run-steps.ts";
import { exchangeFor } from "../support/exchange.ts";

/** Each trip to a store, as the names of what it asked. */
let trips: string[][];
let errors: string[];
let deps: Deps;
/** Counters by key that are used up. */
let exhausted: Set<string>;
let exchange: ReturnType<typeof exchangeFor>;

beforeEach(() => {
  trips = [];
  errors = [];
  exhausted = new Set();
  exchange = exchangeFor({ target: "/" });
  let tick: string[] | undefined;
  const ask = <T>(name: string, value: T): Promise<T> => {
    if (!tick) {
      tick = [];
      trips.push(tick);
      queueMicrotask(() => {
        tick = undefined;
      });
    }
    tick.push(name);
    return Promise.resolve(value);
  };
  const stores = {
    counters: {
      take: (takes: readonly { key: string; enforce?: boolean }[]) => {
        const counts = takes.map(({ key, enforce = true }) => ({
          allowed: !exhausted.has(key),
          limit: 1,
          remaining: 0,
          resetMs: 0,
          enforce,
        }));
        const name = `take ${takes.map(({ key, enforce }) => (enforce === false ? `(${key})` : key)).join("+")}`;
        return ask(
          name,
          ok({ allowed: counts.every(({ allowed, enforce }) => allowed || !enforce), counts } as unknown as Taken),
        );
      },
    },
    keys: { get: (digest: string) => ask(`key ${digest}`, ok(undefined)) },
    once: { claim: (key: string) => ask(`claim ${key}`, ok({ state: "claimed", token: "t" })) },
    blobs: { get: (key: string) => ask(`blob ${key}`, unavailable("timeout")) },
  } as unknown as Stores;
  deps = {
    clock: { now: () => 0, monotonic: () => 0 },
    random: (bytes) => new Uint8Array(bytes),
    stores,
    call: () => Promise.reject(new Error("nothing here calls another service")),
    log: { info: () => {}, warn: () => {}, error: (message, fields) => errors.push(`${message}: ${fields?.["policy"]}`) },
    defer: () => {},
  };
});

function step(name: string, phase: Phase, policy: Policy, parts: Partial<Step> = {}): Step {
  return {
    name,
    order: PHASES.indexOf(phase),
    enforce: true,
    refuses: new Set(["not-allowed", "credentials-missing"]),
    cacheable: true,
    policy,
    ...parts,
  };
}
const passes = (name: string, phase: Phase) => step(name, phase, { decide: () => undefined });
const refuses = (name: string, phase: Phase, parts: Partial<Step> = {}) =>
  step(name, phase, { decide: () => refuse("not-allowed", { reason: name }) }, parts);
/** Takes from a counter of its own name and refuses where that is used up. */
const limits = (name: string, phase: Phase = "limit", parts: Partial<Step> = {}) =>
  step(
    name,
    phase,
    {
      asks: true,
      decide: () =>
        ask([{ kind: "take", takes: [{ key: name } as never] }], ([taken]) =>
          taken.state === "ok" && taken.value.allowed ? undefined : refuse("not-allowed", { reason: name }),
        ),
    },
    parts,
  );
const asksKey = (name: string) =>
  step(name, "identify", { asks: true, decide: () => ask([{ kind: "key", digest: name }], () => undefined) });
const run = async (steps: Step[], mayCharge?: () => boolean) => runSteps(steps, exchange, deps, mayCharge);
const DEFERRED = { kind: "deferred" };
const PASSED = { kind: "passed" };
const stopped = (stop: object) => ({ kind: "stopped", stop });
const reported = () => exchange.record.steps.map(({ policy, verdict }) => `${policy} ${verdict}`);

describe("order", () => {
  test("without questions it is synchronous, and the first refusal ends it", () => {
    const stop = runSteps([passes("a", "screen"), refuses("b", "limit"), refuses("c", "authorize")], exchange, deps);
    expect(stop).toMatchObject(stopped({ code: "not-allowed", reason: "b" }));
    expect(reported()).toEqual(["a passed", "b refused"]);
    expect(runSteps([], exchange, deps)).toEqual(PASSED);
  });

  test("a step may be a promise; those after it wait", async () => {
    const order: string[] = [];
    const slow = step("slow", "screen", { decide: async () => void order.push("slow") });
    const next = step("next", "limit", { decide: () => void order.push("next") });
    await run([slow, next]);
    expect(order).toEqual(["slow", "next"]);
  });

  test("a limit that is used up is told before missing credentials, although these were known first", async () => {
    exhausted.add("ip");
    const missing = step("auth", "identify", { decide: () => refuse("credentials-missing") });
    expect(await run([limits("ip"), missing])).toMatchObject(stopped({ reason: "ip" }));
    expect(reported()).toContain("ip refused");
  });

  test("a refusal at identify takes the limits before it and none after", async () => {
    const missing = step("auth", "identify", { decide: () => refuse("credentials-missing") });
    expect(await run([limits("ip"), missing, limits("consumer", "consumer-limit")])).toMatchObject(
      stopped({ code: "credentials-missing" }),
    );
    expect(trips).toEqual([["take ip"]]);
  });

  test("an answer ends it too", async () => {
    const answer = { status: 204, headers: exchange.request.headers, body: null };
    expect(await run([limits("ip"), step("preflight", "cors", { decide: () => answer }), refuses("never", "authorize")])).toEqual(
      stopped(answer),
    );
    expect(reported()).toEqual(["ip passed", "preflight answered"]);
  });
});

describe("trips", () => {
  test("an identity that needs no store: all limits go in one take", async () => {
    await run([limits("ip"), passes("jwt", "identify"), limits("consumer", "consumer-limit"), limits("quota", "consumer-limit")]);
    expect(trips).toEqual([["take ip+consumer+quota"]]);
  });

  test("an identity from the store shares its trip with limits before it; those by consumer take a second", async () => {
    await run([limits("ip"), asksKey("k"), limits("consumer", "consumer-limit")]);
    expect(trips).toEqual([["take ip", "key k"], ["take consumer"]]);
  });

  test("a refusal in the first trip spares the second", async () => {
    exhausted.add("ip");
    await run([limits("ip"), asksKey("k"), limits("consumer", "consumer-limit")]);
    expect(trips).toEqual([["take ip", "key k"]]);
  });

  test("each step gets the replies to its own questions, in their order", async () => {
    exhausted.add("b");
    let seen: unknown;
    const many = step("many", "limit", {
      asks: true,
      decide: () =>
        ask(
          [
            { kind: "blob", key: "x" },
            { kind: "take", takes: [{ key: "a" }, { key: "b" }] as never },
            { kind: "claim", key: "c", ttlMs: 1 },
          ],
          (results) => {
            seen = results;
            return undefined;
          },
        ),
    });
    await run([limits("first"), many]);
    expect(trips).toEqual([["take first+a+b", "blob x", "claim c"]]);
    expect(seen).toMatchObject([
      { state: "unavailable", reason: "timeout" },
      { state: "ok", value: { allowed: false, charged: false, counts: [{ allowed: true }, { allowed: false }] } },
      { state: "ok", value: { state: "claimed" } },
    ]);
  });

  test("a step that asks without saying so is asked all the same", async () => {
    const silent = step("silent", "limit", { decide: () => ask([{ kind: "blob", key: "x" }], () => undefined) });
    expect(await run([passes("a", "screen"), silent, refuses("b", "authorize")])).toMatchObject(stopped({ reason: "b" }));
    expect(trips).toEqual([["blob x"]]);
    expect(reported()).toEqual(["a passed", "silent passed", "b refused"]);
  });

  test("an ask that takes its time to be made leaves with the others", async () => {
    const late = step("late", "limit", { asks: true, decide: async () => ask([{ kind: "blob", key: "x" }], () => undefined) });
    await run([limits("ip"), late]);
    expect(trips).toEqual([["take ip", "blob x"]]);
  });

  test("a step with nothing to ask this time costs no trip", async () => {
    await run([
      step("quiet", "limit", { asks: true, decide: () => undefined }),
      step("empty", "limit", { asks: true, decide: () => ask([], () => undefined) }),
    ]);
    expect(trips).toEqual([]);
    expect(reported()).toEqual(["quiet passed", "empty passed"]);
  });
});

describe("the front half", () => {
  test("is left before anything is charged where the plan would not fit", async () => {
    expect(await run([limits("ip")], () => false)).toEqual(DEFERRED);
    expect(trips).toEqual([]);
  });

  test("reading is no charge", async () => {
    expect(await run([asksKey("k")], () => false)).toEqual(PASSED);
    expect(trips).toEqual([["key k"]]);
  });

  test("asks at each trip: an identity may have made the plan too large", async () => {
    const answers = [true, false];
    expect(await run([limits("ip"), asksKey("k"), limits("consumer", "consumer-limit")], () => answers.shift()!)).toEqual(
      DEFERRED,
    );
    expect(trips).toEqual([["take ip", "key k"]]);
  });
});

describe("shadow mode", () => {
  const shadow = { enforce: false };

  test("refuses nothing and says what it would have done", async () => {
    exhausted.add("ip");
    expect(await run([refuses("a", "screen", shadow), limits("ip", "limit", shadow)])).toEqual(PASSED);
    expect(reported()).toEqual(["a would-refuse", "ip would-refuse"]);
  });

  test("its takes don't refuse those of others", async () => {
    exhausted.add("ip");
    expect(await run([limits("ip", "limit", shadow), limits("other")])).toEqual(PASSED);
    expect(trips).toEqual([["take (ip)+other"]]);
  });

  test("a throwing step changes nothing but the record and the log", async () => {
    const broken = step(
      "broken",
      "screen",
      {
        decide: () => {
          throw new Error("x");
        },
      },
      shadow,
    );
    expect(await run([broken, passes("next", "limit")])).toEqual(PASSED);
    expect(reported()).toEqual(["broken failed", "next passed"]);
    expect(errors).toEqual(["a policy threw: broken"]);
  });
});

test("a custom code gets the status and title that its policy declares", async () => {
  const problem = { status: 503, title: "Closed" };
  const parts = { refuses: new Set(["custom/closed"] as const), problems: { "custom/closed": problem } };
  const closed = { decide: () => refuse("custom/closed") };
  expect(await run([step("hours", "screen", closed, parts)])).toEqual(stopped({ code: "custom/closed", problem }));
  expect(await run([step("trial", "screen", closed, { ...parts, enforce: false })])).toEqual(PASSED);
  expect(exchange.record.steps).toMatchObject([
    { verdict: "refused", code: "custom/closed" },
    { verdict: "would-refuse", code: "custom/closed" },
  ]);
});

describe("bugs of policies", () => {
  const thrown = () => {
    throw new Error("secret detail");
  };

  test.each<[string, Policy]>([
    ["throws", { decide: thrown }],
    ["rejects", { decide: async () => thrown() }],
    ["throws at its results", { asks: true, decide: () => ask([{ kind: "key", digest: "k" }], thrown) }],
    ["rejects at its results", { asks: true, decide: () => ask([{ kind: "key", digest: "k" }], async () => thrown()) }],
    ["asks again at its results", { asks: true, decide: () => ask([], () => ask([], () => undefined) as never) }],
    ["refuses with a custom code that it does not declare", { decide: () => refuse("custom/closed") }],
    ["refuses with a code that it does not declare", { decide: () => refuse("payload-too-large") }],
  ])("a policy that %s is `internal`, logged once, and tells the caller nothing", async (_, policy) => {
    const stop = await run([step("broken", "screen", policy), passes("next", "limit")]);
    expect(stop).toMatchObject(stopped({ code: "internal" }));
    expect(stop).not.toMatchObject(stopped({ detail: expect.anything() }));
    expect(errors).toEqual(["a policy threw: broken"]);
    expect(reported()).not.toContain("next passed");
  });

  test("a bug does not hide a refusal that ranks before it", async () => {
    exhausted.add("ip");
    expect(await run([limits("ip"), step("broken", "authorize", { decide: thrown })])).toMatchObject(stopped({ reason: "ip" }));
  });
});
