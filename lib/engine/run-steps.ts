/**
 * Runs the deciding steps of a pipeline in the order of their phases. A step that asks the stores does not hold up the next: the calls
 * of several steps leave in one batch, up to the step that says who calls.
 */

import { type Ask, isAsk } from "../contract/ask.ts";
import type { Deps } from "../contract/deps.ts";
import type { Exchange } from "../contract/exchange.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import { PHASES } from "../contract/phases.ts";
import type { Decision } from "../contract/policy.ts";
import { isProblemCode, type LocalResponse, type Refusal, refuse } from "../contract/problem.ts";
import type { StoreCall, StoreResult } from "../contract/stores/store-calls.ts";
import type { Step } from "./pipeline.ts";
import { changesStore, sendBatch } from "./store-batch.ts";

export type EarlyResponse = Refusal | LocalResponse;

export type StepsResult = Passed | Stopped | Deferred;
interface Passed {
  readonly kind: "passed";
}
interface Stopped {
  readonly kind: "stopped";
  readonly stop: EarlyResponse;
}
/** The steps were left before anything was charged: the other half decides. */
interface Deferred {
  readonly kind: "deferred";
}

/** A step that waits for its results. */
interface Asking {
  readonly kind: "asks";
  readonly step: Step;
  readonly ask: Ask<Decision>;
}

type StepResult = Passed | Stopped | Asking;

const IDENTIFY = PHASES.indexOf("identify");
const PASSED: Passed = { kind: "passed" };
const DEFERRED: Deferred = { kind: "deferred" };

/**
 * A promise only where a store or a step is asynchronous: stores in memory answer at once, and a promise costs more than their answer.
 * `mayCharge` is asked before the first batch that changes a store; where it says no, the result is `deferred`.
 */
export function runSteps(
  steps: readonly Step[],
  exchange: Exchange,
  deps: Deps,
  mayCharge?: () => boolean,
): MaybePromise<StepsResult> {
  return new StepsRun(steps, exchange, deps, mayCharge).run();
}

class StepsRun {
  readonly #steps: readonly Step[];
  readonly #exchange: Exchange;
  readonly #deps: Deps;
  readonly #mayCharge: (() => boolean) | undefined;
  /** The first step that was not looked at yet. */
  #next = 0;
  /** The steps whose calls leave with the next batch. */
  #asking: Asking[] | undefined;
  /** A step after those that ask, and what it says: it counts if they all pass. */
  #stopped: Stopped | undefined;

  constructor(steps: readonly Step[], exchange: Exchange, deps: Deps, mayCharge: (() => boolean) | undefined) {
    this.#steps = steps;
    this.#exchange = exchange;
    this.#deps = deps;
    this.#mayCharge = mayCharge;
  }

  run(): MaybePromise<StepsResult> {
    while (this.#next < this.#steps.length) {
      const result = this.#evaluate(this.#steps[this.#next++]!);
      if (result instanceof Promise) return result.then((settled) => (this.#endsBatch(settled) ? this.#send() : this.run()));
      if (this.#endsBatch(result)) break;
    }
    return this.#send();
  }

  /** Notes what a step says. True where the steps after it have to wait for the batch. */
  #endsBatch(result: StepResult): boolean {
    if (result.kind === "passed") return false;
    if (result.kind === "stopped") {
      this.#stopped = result;
      return true;
    }
    this.#asking ??= [];
    this.#asking.push(result);
    // What depends on who calls waits for the answer; and where no later step asks, there is nothing to wait for. A front half goes on
    // to the end all the same: only then it knows whether the plan fits, which `mayCharge` asks.
    return result.step.order === IDENTIFY || !(this.#mayCharge || this.#asksLater());
  }

  #asksLater(): boolean {
    for (let i = this.#next; i < this.#steps.length; i++) if (this.#steps[i]!.policy.asks) return true;
    return false;
  }

  #send(): MaybePromise<StepsResult> {
    const asking = this.#asking;
    // Steps before a refusal are asked first: a caller over its limit hears 429 before it hears 401.
    if (!asking) return this.#stopped ?? PASSED;
    this.#asking = undefined;
    const batch = asking.length === 1 ? callsOf(asking[0]!) : asking.flatMap(callsOf);
    if (this.#mayCharge && changesStore(batch) && !this.#mayCharge()) return DEFERRED;
    const results = sendBatch(batch, this.#deps);
    return results instanceof Promise
      ? results.then((settled) => this.#conclude(asking, settled))
      : this.#conclude(asking, results);
  }

  /** Gives each step its results, in order; the first that stops is what counts. */
  #conclude(asking: readonly Asking[], results: readonly StoreResult[], from = 0, firstResult = 0): MaybePromise<StepsResult> {
    let next = firstResult;
    for (let i = from; i < asking.length; i++) {
      const { step, ask } = asking[i]!;
      const end = next + ask.calls.length;
      const own = asking.length === 1 ? results : results.slice(next, end);
      next = end;
      const result = this.#evaluate(step, ask, own);
      if (result instanceof Promise) {
        return result.then((settled) => (settled.kind === "stopped" ? settled : this.#conclude(asking, results, i + 1, end)));
      }
      if (result.kind === "stopped") return result;
    }
    return this.#stopped ?? this.run();
  }

  /** Lets a step decide: at first, or with the results of what it asked. */
  #evaluate(step: Step, ask?: Ask<Decision>, results?: readonly StoreResult[]): MaybePromise<StepResult> {
    const startedMs = this.#deps.clock.monotonic();
    try {
      const decision = ask ? ask.conclude(results!) : step.policy.decide!(this.#exchange);
      if (!(decision instanceof Promise)) return this.#settle(step, decision, startedMs, ask);
      return decision.then(
        (settled) => this.#settle(step, settled, startedMs, ask),
        (error: unknown) => this.#fail(step, error, startedMs),
      );
    } catch (error) {
      return this.#fail(step, error, startedMs);
    }
  }

  #settle(step: Step, decision: Decision | Ask<Decision>, startedMs: number, asked: Ask<Decision> | undefined): StepResult {
    if (isAsk<Decision>(decision)) {
      if (asked) return this.#fail(step, new Error(`policy "${step.name}" asked again when it had its results`), startedMs);
      return { kind: "asks", step, ask: decision };
    }
    const ms = this.#deps.clock.monotonic() - startedMs;
    const { steps } = this.#exchange.record;
    if (!decision) {
      steps.push({ policy: step.name, verdict: "passed", ms });
      return PASSED;
    }
    if ("code" in decision) {
      const { code, reason = decision.detail } = decision;
      if (!step.refuses.has(code)) {
        const bug = new Error(
          `policy "${step.name}" refused with "${code}", which it does not declare${isProblemCode(code) ? "" : " in `problems`"}`,
        );
        return this.#fail(step, bug, startedMs);
      }
      steps.push({ policy: step.name, verdict: step.enforce ? "refused" : "would-refuse", code, reason, ms });
    } else {
      steps.push({ policy: step.name, verdict: step.enforce ? "answered" : "would-answer", ms });
    }
    return step.enforce ? { kind: "stopped", stop: withProblem(decision, step) } : PASSED;
  }

  /** A thrown error is a bug: 500 where the step enforces, and a line in the log either way. */
  #fail(step: Step, error: unknown, startedMs: number): Passed | Stopped {
    const { route, requestId, record } = this.#exchange;
    this.#deps.log.error("a policy threw", {
      policy: step.name,
      route: route.id,
      requestId,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    const ms = this.#deps.clock.monotonic() - startedMs;
    record.steps.push({ policy: step.name, verdict: "failed", code: "internal", reason: String(error), ms });
    return step.enforce ? { kind: "stopped", stop: refuse("internal", { reason: `policy "${step.name}" threw` }) } : PASSED;
  }
}

/** A custom code gets the status and title that its policy declares. */
function withProblem(stop: EarlyResponse, { problems }: Step): EarlyResponse {
  if (!problems || !("code" in stop) || isProblemCode(stop.code)) return stop;
  return { ...stop, problem: problems[stop.code] };
}

/** A limit in shadow mode is charged and reported, but must not refuse the takes of others. */
function callsOf({ step, ask: { calls } }: Asking): readonly StoreCall[] {
  if (step.enforce) return calls;
  return calls.map((call) =>
    call.kind === "take" ? { kind: "take", takes: call.takes.map((take) => ({ ...take, enforce: false })) } : call,
  );
}
