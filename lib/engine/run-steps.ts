/**
 * Runs the deciding steps of a pipeline. Steps are reported in the order of their rows, but their questions to the stores go
 * out together: a step that asks does not hold up the next, unless that next one depends on who calls.
 */

import type { Deps } from "../contract/deps.ts";
import type { Exchange } from "../contract/exchange.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import { ROWS } from "../contract/phases.ts";
import type { Decision } from "../contract/policy.ts";
import { type Answer, type Refusal, refuse } from "../contract/problem.ts";
import type { Count, Taken } from "../contract/stores/counters.ts";
import { ok, type StoreReply } from "../contract/stores/reply.ts";
import type { StoreCall, StoreResult, TakenPart } from "../contract/stores/store-calls.ts";
import type { Stores } from "../contract/stores/stores.ts";
import { takeOrDegrade } from "../stores/degraded-take.ts";
import type { Step } from "./pipeline.ts";

export type Stop = Refusal | Answer;

const IDENTIFY = ROWS.indexOf("identify");
const NO_REPLIES: readonly StoreResult[] = [];

/** The steps were left before anything was charged: the other half decides. */
export const DEFERRED = Symbol("later");
export type Deferred = typeof DEFERRED;

/**
 * Undefined: every step passed. A promise only where a step asks a store or is itself asynchronous. `mayCharge` is asked before
 * the first question that changes a store; where it says no, the result is DEFERRED.
 */
export function runSteps(
  steps: readonly Step[],
  exchange: Exchange,
  deps: Deps,
  mayCharge?: () => boolean,
  from = 0,
): MaybePromise<Stop | Deferred | undefined> {
  for (let i = from; i < steps.length; i++) {
    const step = steps[i]!;
    const questions = askedBy(step, exchange, deps);
    if (questions === FAILED) return refuse("internal");
    if (questions.length > 0 && (mayCharge || !asksLast(steps, i)))
      return new StoreBatch(steps, exchange, deps, mayCharge).run(i, questions);
    const stop =
      questions.length > 0 ? askAndEvaluate(step, questions, exchange, deps) : evaluate(step, exchange, NO_REPLIES, deps);
    if (stop instanceof Promise) {
      return stop.then((settled) => settled ?? runSteps(steps, exchange, deps, mayCharge, i + 1));
    }
    if (stop) return stop;
  }
  return undefined;
}

/** Nobody after it could ask along. */
function asksLast(steps: readonly Step[], index: number): boolean {
  for (let i = index + 1; i < steps.length; i++) if (steps[i]!.policy.reads) return false;
  return true;
}

function askAndEvaluate(
  step: Step,
  questions: readonly StoreCall[],
  exchange: Exchange,
  deps: Deps,
): MaybePromise<Stop | undefined> {
  const replies = ask(asOwn(step, questions), deps);
  return replies.some(isPending)
    ? Promise.all(replies).then((settled) => evaluate(step, exchange, settled, deps))
    : evaluate(step, exchange, replies as readonly StoreResult[], deps);
}

interface Waiting {
  readonly step: Step;
  readonly questions: readonly StoreCall[];
}

/**
 * One trip to the stores: the steps that ask together, and those between them that need not. Promises only where a store or a step
 * takes its time: stores in memory answer at once, and a promise costs more than their answer.
 */
class StoreBatch {
  readonly #steps: readonly Step[];
  readonly #exchange: Exchange;
  readonly #deps: Deps;
  readonly #mayCharge: (() => boolean) | undefined;
  readonly #waiting: Waiting[] = [];
  /** The first step that was not looked at yet. */
  #next = 0;
  /** What a step said that did not have to ask. */
  #stop: Stop | undefined;

  constructor(steps: readonly Step[], exchange: Exchange, deps: Deps, mayCharge: (() => boolean) | undefined) {
    this.#steps = steps;
    this.#exchange = exchange;
    this.#deps = deps;
    this.#mayCharge = mayCharge;
  }

  run(from: number, questions: readonly StoreCall[]): MaybePromise<Stop | Deferred | undefined> {
    const step = this.#steps[from]!;
    this.#next = from + 1;
    this.#waiting.push({ step, questions });
    const gathered = step.rank === IDENTIFY ? undefined : this.#gather();
    return gathered ? gathered.then(() => this.#ask()) : this.#ask();
  }

  /** Finds out who else asks, as far as that does not depend on the answers. */
  #gather(): Promise<void> | undefined {
    while (this.#next < this.#steps.length && !this.#stop) {
      const step = this.#steps[this.#next++]!;
      const questions = askedBy(step, this.#exchange, this.#deps);
      if (questions === FAILED) this.#stop = refuse("internal");
      else if (questions.length > 0) {
        this.#waiting.push({ step, questions });
        // Everything after depends on who calls, which this answer tells: the trip ends here.
        if (step.rank === IDENTIFY) return undefined;
      } else {
        const stop = evaluate(step, this.#exchange, NO_REPLIES, this.#deps);
        if (stop instanceof Promise) {
          return stop.then((settled) => {
            this.#stop = settled;
            return this.#gather();
          });
        }
        this.#stop = stop;
      }
    }
    return undefined;
  }

  #ask(): MaybePromise<Stop | Deferred | undefined> {
    // Rows before a refusal are still asked: a caller over its limit hears 429 before it hears 401.
    const asked = this.#waiting.flatMap(({ step, questions }) => asOwn(step, questions));
    if (this.#mayCharge && asked.some(changes) && !this.#mayCharge()) return DEFERRED;
    const replies = ask(asked, this.#deps);
    return replies.some(isPending)
      ? Promise.all(replies).then((settled) => this.#hear(settled, 0, 0))
      : this.#hear(replies as readonly StoreResult[], 0, 0);
  }

  /** Gives each step its replies, in order; the first that stops is what counts. */
  #hear(replies: readonly StoreResult[], from: number, firstReply: number): MaybePromise<Stop | Deferred | undefined> {
    let next = firstReply;
    for (let i = from; i < this.#waiting.length; i++) {
      const { step, questions } = this.#waiting[i]!;
      const own = questions.length === replies.length ? replies : replies.slice(next, next + questions.length);
      next += questions.length;
      const stop = evaluate(step, this.#exchange, own, this.#deps);
      if (stop instanceof Promise) {
        const after = next;
        return stop.then((settled) => settled ?? this.#hear(replies, i + 1, after));
      }
      if (stop) return stop;
    }
    return this.#stop ?? runSteps(this.#steps, this.#exchange, this.#deps, this.#mayCharge, this.#next);
  }
}

const FAILED = Symbol("failed");

const NO_QUESTIONS: readonly StoreCall[] = [];

function askedBy(step: Step, exchange: Exchange, deps: Deps): readonly StoreCall[] | typeof FAILED {
  const { policy } = step;
  if (!policy.reads) return NO_QUESTIONS;
  try {
    return policy.reads(exchange) ?? NO_QUESTIONS;
  } catch (error) {
    logBug(error, step, exchange, deps);
    return step.enforce ? FAILED : NO_QUESTIONS;
  }
}

/** A limit in shadow mode is charged and reported, but must not refuse the takes of others. */
function asOwn({ enforce }: Step, questions: readonly StoreCall[]): readonly StoreCall[] {
  if (enforce) return questions;
  return questions.map((question) =>
    question.kind === "take" ? { kind: "take", takes: question.takes.map((take) => ({ ...take, enforce: false })) } : question,
  );
}

function changes({ kind }: StoreCall): boolean {
  return kind === "take" || kind === "claim";
}

/** Sends the questions in one tick, so that a store over HTTP makes one request of them; all takes are one call. */
function ask(questions: readonly StoreCall[], deps: Deps): readonly (StoreResult | Promise<StoreResult>)[] {
  const nowMs = deps.clock.now();
  const only = questions.length === 1 ? questions[0]! : undefined;
  if (only?.kind === "take") {
    const taken = takeOrDegrade(only.takes, deps.stores, nowMs);
    return [taken instanceof Promise ? taken.then((reply) => ownCounts(reply)) : ownCounts(taken)];
  }
  const takes = questions.flatMap((question) => (question.kind === "take" ? question.takes : []));
  const taken = takes.length > 0 ? takeOrDegrade(takes, deps.stores, nowMs) : undefined;
  let next = 0;
  return questions.map((question) => {
    if (question.kind !== "take") return askFor(question, deps.stores, nowMs);
    const first = next;
    next += question.takes.length;
    const end = next;
    return taken instanceof Promise ? taken.then((reply) => ownCounts(reply, first, end)) : ownCounts(taken!, first, end);
  });
}

function askFor(
  question: Exclude<StoreCall, { kind: "take" }>,
  stores: Stores,
  nowMs: number,
): StoreResult | Promise<StoreResult> {
  switch (question.kind) {
    case "key":
      return stores.keys.get(question.digest);
    case "key-changes":
      return stores.keys.changes(question.since);
    case "claim":
      return stores.once.claim(question.key, question.ttlMs, nowMs);
    case "blob":
      return stores.blobs.get(question.key, nowMs);
  }
}

/** Of all counts of a trip those from `first` on; all of them where it is left out. */
function ownCounts(reply: StoreReply<Taken>, first?: number, end?: number): StoreReply<TakenPart> {
  if (reply.state !== "ok") return reply;
  const { allowed: charged, counts: all } = reply.value;
  const counts = first === undefined ? all : all.slice(first, end);
  return ok({ allowed: counts.every(isAllowed), charged, counts });
}

function isAllowed({ allowed }: Count): boolean {
  return allowed;
}

function isPending(reply: StoreResult | Promise<StoreResult>): boolean {
  return reply instanceof Promise;
}

function evaluate(step: Step, exchange: Exchange, replies: readonly StoreResult[], deps: Deps): MaybePromise<Stop | undefined> {
  const startedMs = deps.clock.monotonic();
  try {
    const decision = step.policy.decide!(exchange, replies);
    if (decision instanceof Promise) {
      return decision.then(
        (settled) => settle(step, settled, exchange, startedMs, deps),
        (error: unknown) => fail(step, error, exchange, startedMs, deps),
      );
    }
    return settle(step, decision, exchange, startedMs, deps);
  } catch (error) {
    return fail(step, error, exchange, startedMs, deps);
  }
}

function settle(step: Step, decision: Decision, exchange: Exchange, startedMs: number, deps: Deps): Stop | undefined {
  const ms = deps.clock.monotonic() - startedMs;
  const { steps } = exchange.record;
  if (!decision) {
    steps.push({ policy: step.name, verdict: "passed", ms });
    return undefined;
  }
  if ("code" in decision) {
    const { code, reason = decision.detail } = decision;
    if (!step.refuses.has(code)) {
      return fail(
        step,
        new Error(`policy "${step.name}" refused with "${code}", which it does not declare`),
        exchange,
        startedMs,
        deps,
      );
    }
    steps.push({ policy: step.name, verdict: step.enforce ? "refused" : "would-refuse", code, reason, ms });
  } else {
    steps.push({ policy: step.name, verdict: step.enforce ? "answered" : "would-answer", ms });
  }
  return step.enforce ? decision : undefined;
}

/** A thrown error is a bug: 500 where the step enforces, and a line in the log either way. */
function fail(step: Step, error: unknown, exchange: Exchange, startedMs: number, deps: Deps): Stop | undefined {
  logBug(error, step, exchange, deps);
  exchange.record.steps.push({
    policy: step.name,
    verdict: "failed",
    code: "internal",
    reason: String(error),
    ms: deps.clock.monotonic() - startedMs,
  });
  return step.enforce ? refuse("internal", { reason: `policy "${step.name}" threw` }) : undefined;
}

function logBug(error: unknown, step: Step, exchange: Exchange, { log }: Deps): void {
  log.error("a policy threw", {
    policy: step.name,
    route: exchange.route.id,
    requestId: exchange.requestId,
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
}
