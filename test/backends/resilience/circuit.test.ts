/** When a target gets no requests, and how it comes back: by a clock that the test turns. */
import { describe, expect, test } from "vitest";
import { Bulkhead } from "#lib/backends/resilience/bulkhead.ts";
import { asking, backendOf, sharesOf, type TestBackend } from "../backend-of.ts";

const one = asking();
const three = ["http://a", "http://b", "http://c"];

/** Answers of a target, as the forward reports them. */
function report({ backend }: TestBackend, host: string, results: string, headMs = 10): void {
  const target = backend.targets.find((known) => known.host === host)!;
  for (const result of results) {
    const isTrial = backend.begin(target);
    backend.end(target, result === "+" ? "success" : result === "-" ? "failure" : "ignored", isTrial, headMs);
  }
}

const hostsOf = (test: TestBackend, times = 30) => Object.keys(sharesOf(test, times, () => one)).sort();

describe("passive health", () => {
  test("five failures in a row take a target out; fewer, or a success between them, do not", () => {
    const test = backendOf({ targets: three, slowStart: false });
    report(test, "a", "----+----");
    expect(hostsOf(test)).toEqual(["a", "b", "c"]);
    // A caller that goes away says nothing of the target.
    report(test, "a", "?-");
    expect(hostsOf(test)).toEqual(["b", "c"]);
    expect(test.backend.targets[0]!.state.circuit).toMatchObject({ openedBy: "health", reason: "5 failures in a row" });
  });

  test("never more than half of them, and never the only one", () => {
    const test = backendOf({ targets: three });
    for (const host of ["a", "b", "c"]) report(test, host, "-".repeat(50));
    expect(hostsOf(test)).toEqual(["b", "c"]);
    const single = backendOf({ url: "http://a", retry: { attempts: 2 } });
    report(single, "a", "-".repeat(50));
    expect(hostsOf(single)).toEqual(["a"]);
  });

  test("never more than half of a pool that its callers can't leave, however well the targets of others are", () => {
    const inEurope = ["http://a", "http://b", "http://c"].map((url) => ({ url, where: { continents: "EU" } }));
    const elsewhere = ["http://d", "http://e", "http://f"];
    const european = asking({ geo: { continent: "EU", country: "DE" } });
    const outOf = (settings: object) => {
      const test = backendOf({ targets: [...inEurope, ...elsewhere], slowStart: false, ...settings });
      for (const host of ["a", "b", "c"]) report(test, host, "-".repeat(50));
      return [Object.keys(sharesOf(test, 30, () => european)).sort(), hostsOf(test)];
    };
    expect(outOf({ strict: true })).toEqual([
      ["b", "c"],
      ["d", "e", "f"],
    ]);
    // Without it the others are there for them, and all that fail can be left out.
    expect(outOf({})).toEqual([
      ["d", "e", "f"],
      ["d", "e", "f"],
    ]);
  });

  test("a canary that fails is left out, and keeps nobody else in", () => {
    const test = backendOf({ targets: ["http://a", "http://b"], canary: { url: "http://next", percent: 100 }, slowStart: false });
    const [, b, next] = test.backend.targets;
    report(test, "next", "-----");
    expect(next!.state.circuit.openedBy).toBe("health");
    report(test, "a", "-----");
    expect(hostsOf(test)).toEqual(["b"]);
    report(test, "b", "-".repeat(50));
    expect(b!.state.circuit.openedBy).toBeUndefined();
  });

  test("after a second one request tries it; a failure doubles the wait, up to eight times; a success brings it back", () => {
    const test = backendOf({ targets: three, slowStart: false });
    report(test, "a", "-----");
    for (const seconds of [1, 2, 4, 8, 8]) {
      test.nowMs += seconds * 790;
      expect(hostsOf(test)).toEqual(["b", "c"]);
      test.nowMs += seconds * 211;
      const trial = Array.from({ length: 3 }, () => test.backend.pick(one)!).find(({ host }) => host === "a")!;
      expect(test.backend.begin(trial)).toBe(true);
      // The others go on without it, whatever becomes of it.
      expect(hostsOf(test)).toEqual(["b", "c"]);
      test.backend.end(trial, "failure", true, undefined);
    }
    test.nowMs += 8_001;
    report(test, "a", "+");
    expect(hostsOf(test)).toEqual(["a", "b", "c"]);
  });

  test("a trial that hangs holds up neither the next one nor, once its answer has begun, the return", () => {
    const test = backendOf({ targets: three, slowStart: false });
    report(test, "a", "-----");
    const [target] = test.backend.targets;
    test.nowMs += 1_001;
    expect(test.backend.begin(target!)).toBe(true);
    test.nowMs += 1_001;
    expect(test.backend.begin(target!)).toBe(true);
    target!.state.circuit.headOfTrial(test.nowMs);
    test.nowMs += 1_001;
    expect(hostsOf(test)).toEqual(["a", "b", "c"]);
    expect(target!.state.circuit.openedBy).toBeUndefined();
  });

  test("what was under way when it was taken out changes nothing", () => {
    const test = backendOf({ targets: three });
    report(test, "a", "-----++---");
    expect(hostsOf(test)).toEqual(["b", "c"]);
  });

  test("who comes back takes its share step by step", () => {
    const test = backendOf({ targets: three, slowStart: "10s" });
    report(test, "a", "-----");
    test.nowMs += 1_001;
    report(test, "a", "+");
    expect(sharesOf(test, 210, () => one)["a"]).toBeLessThanOrEqual(12);
    test.nowMs += 10_000;
    expect(sharesOf(test, 300, () => one)["a"]).toBeGreaterThanOrEqual(98);
  });

  test("with the others out of reach, advice is not followed: a try costs nothing then", () => {
    const test = backendOf({ targets: three });
    report(test, "a", "-----");
    const [a, b, c] = test.backend.targets;
    expect(test.backend.pick(one, [b!, c!])).toBe(a);
    one.pool = [[0]];
    expect(test.backend.pick(one)).toBe(a);
    one.pool = undefined;
  });

  test("the next tier takes over from one that is out", () => {
    const test = backendOf({ targets: ["http://a", { url: "http://b", priority: 1 }] });
    expect(hostsOf(test)).toEqual(["a"]);
    report(test, "a", "-----");
    expect(hostsOf(test)).toEqual(["b"]);
  });

  test("switched off", () => {
    const test = backendOf({ targets: three, health: false });
    report(test, "a", "-".repeat(50));
    expect(hostsOf(test)).toEqual(["a", "b", "c"]);
  });
});

describe("a breaker", () => {
  const failing = "+-".repeat(10);

  test("opens at a share of failures, also for the only target, and says when to come again", () => {
    const test = backendOf({ url: "http://a", breaker: { open: "5s" } });
    report(test, "a", failing.slice(0, -2));
    expect(test.backend.pick(one)).toBeDefined();
    report(test, "a", "+-");
    expect(test.backend.pick(one)).toBeUndefined();
    expect(test.backend.retryAfterSeconds(test.backend.targets)).toBe(5);
    test.nowMs += 5_001;
    expect(test.backend.pick(one)).toBeDefined();
    report(test, "a", "+");
    expect(test.backend.retryAfterSeconds(test.backend.targets)).toBe(1);
    report(test, "a", "-".repeat(19));
    expect(test.backend.pick(one)).toBeDefined();
  });

  test("forgets what is older than its window", () => {
    const test = backendOf({ url: "http://a", breaker: { window: "10s" } });
    report(test, "a", "-".repeat(19));
    test.nowMs += 11_000;
    report(test, "a", "-".repeat(19));
    expect(test.backend.pick(one)).toBeDefined();
    report(test, "a", "-");
    expect(test.backend.pick(one)).toBeUndefined();
  });

  test("opens at a share of slow answers", () => {
    const test = backendOf({ url: "http://a", breaker: { slowAfter: "1s", slow: "50%" } });
    report(test, "a", "+".repeat(10), 900);
    report(test, "a", "+".repeat(9), 1_100);
    expect(test.backend.pick(one)).toBeDefined();
    report(test, "a", "+", 1_100);
    expect(test.backend.pick(one)).toBeUndefined();
    expect(test.backend.targets[0]!.state.circuit.reason).toBe("10 were slow of 20");
  });

  test("is off unless it is asked for", () => {
    const test = backendOf({ url: "http://a", retry: {} });
    report(test, "a", "-".repeat(100));
    expect(test.backend.pick(one)).toBeDefined();
  });
});

describe("a bulkhead", () => {
  test("lets so many in, some wait, the first of them goes next, others are refused", () => {
    const bulkhead = new Bulkhead({ requests: 2, queue: 2, waitMs: 60_000 });
    const entered: number[] = [];
    const ask = (id: number) =>
      bulkhead.admit(
        () => entered.push(id),
        () => entered.push(-id),
      );
    expect([ask(1), ask(2)]).toEqual([true, true]);
    const cancel = ask(3) as () => void;
    expect([typeof cancel, typeof ask(4), ask(5)]).toEqual(["function", "function", false]);
    cancel();
    bulkhead.leave();
    expect(entered).toEqual([4]);
    bulkhead.leave();
    bulkhead.leave();
    expect([ask(6), ask(7)]).toEqual([true, true]);
  });

  test("nobody waits for longer than `wait`", async () => {
    const bulkhead = new Bulkhead({ requests: 1, queue: 1, waitMs: 1 });
    bulkhead.admit(
      () => {},
      () => {},
    );
    await new Promise<void>((refused) => {
      bulkhead.admit(() => {}, refused);
    });
    bulkhead.leave();
    expect(
      bulkhead.admit(
        () => {},
        () => {},
      ),
    ).toBe(true);
  });
});
