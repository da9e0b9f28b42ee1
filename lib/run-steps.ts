/**
 * Runs the deciding steps of a pipeline. Steps are reported in the order of their rows, but their questions to the stores go
 * out together: a step that asks does not hold up the next, unless that next one depends on who calls.
 */
import type { Exchange } from "./exchange.ts";
import type { Step } from "./pipeline.ts";
import { type Answer, type Decision, type Deps, type MaybePromise, ROWS } from "./policy.ts";
import { type Refusal, refuse } from "./problem.ts";
import type { Count, Take, Taken } from "./stores/counters.ts";
import type { Question, Reply } from "./stores/questions.ts";
import type { StoreReply } from "./stores/reply.ts";
import { takeAnyway } from "./take-anyway.ts";

export type Stop = Refusal | Answer;

const IDENTIFY = ROWS.indexOf("identify");
const NO_REPLIES: readonly Reply[] = [];

/** The steps were left before anything was charged: the other half decides. */
export const LATER = Symbol("later");
export type Later = typeof LATER;

/**
 * Undefined: every step passed. A promise only where a step asks a store or is itself asynchronous. `mayCharge` is asked before
 * the first question that changes a store; where it says no, the result is LATER.
 */
export function runSteps(
  steps: readonly Step[],
  exchange: Exchange,
  deps: Deps,
  mayCharge?: () => boolean,
  from = 0,
): MaybePromise<Stop | Later | undefined> {
  for (let i = from; i < steps.length; i++) {
    const step = steps[i]!;
    const questions = askedBy(step, exchange, deps);
    if (questions === FAILED) return refuse("internal");
    if (questions.length > 0) return new Trip(steps, exchange, deps, mayCharge).run(i, questions);
    const stop = evaluate(step, exchange, NO_REPLIES, deps);
    if (stop instanceof Promise) {
      return stop.then((settled) => settled ?? runSteps(steps, exchange, deps, mayCharge, i + 1));
    }
    if (stop) return stop;
  }
  return undefined;
}

interface Waiting {
  readonly step: Step;
  readonly questions: readonly Question[];
}

/**
 * One trip to the stores: the steps that ask together, and those between them that need not. Promises only where a store or a step
 * takes its time: stores in memory answer at once, and a promise costs more than their answer.
 */
class Trip {
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

  run(from: number, questions: readonly Question[]): MaybePromise<Stop | Later | undefined> {
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

  #ask(): MaybePromise<Stop | Later | undefined> {
    // Rows before a refusal are still asked: a caller over its limit hears 429 before it hears 401.
    const asked = this.#waiting.length === 1 ? asOwn(this.#waiting[0]!) : this.#waiting.flatMap(asOwn);
    if (this.#mayCharge && asked.some(changes) && !this.#mayCharge()) return LATER;
    const replies = ask(asked, this.#deps);
    return replies.some((reply) => reply instanceof Promise)
      ? Promise.all(replies).then((settled) => this.#hear(settled, 0, 0))
      : this.#hear(replies as Reply[], 0, 0);
  }

  /** Gives each step its replies, in order; the first that stops is what counts. */
  #hear(replies: readonly Reply[], from: number, firstReply: number): MaybePromise<Stop | Later | undefined> {
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

const NO_QUESTIONS: readonly Question[] = [];

function askedBy(step: Step, exchange: Exchange, deps: Deps): readonly Question[] | typeof FAILED {
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
function asOwn({ step, questions }: Waiting): readonly Question[] {
  if (step.enforce) return questions;
  return questions.map((question) =>
    question.ask === "take" ? { ask: "take", takes: question.takes.map((take) => ({ ...take, enforce: false })) } : question,
  );
}

function changes({ ask }: Question): boolean {
  return ask === "take" || ask === "claim";
}

/** Sends the questions in one tick, so that a store over HTTP makes one request of them; all takes are one call. */
function ask(questions: readonly Question[], { stores, clock }: Deps): (Reply | Promise<Reply>)[] {
  const nowMs = clock.now();
  const takes = takesIn(questions);
  const taken = takes.length > 0 ? takeAnyway(takes, stores, nowMs) : undefined;
  let first = 0;
  return questions.map((question) => {
    switch (question.ask) {
      case "take": {
        const start = first;
        first += question.takes.length;
        return taken instanceof Promise
          ? taken.then((reply) => ownCounts(reply, question.takes, start))
          : ownCounts(taken!, question.takes, start);
      }
      case "key":
        return stores.keys.get(question.digest);
      case "key-changes":
        return stores.keys.changes(question.since);
      case "claim":
        return stores.once.claim(question.key, question.ttlMs, nowMs);
      case "blob":
        return stores.blobs.get(question.key, nowMs);
    }
  });
}

function takesIn(questions: readonly Question[]): readonly Take[] {
  const [only] = questions;
  if (questions.length === 1) return only!.ask === "take" ? only!.takes : [];
  return questions.flatMap((question) => (question.ask === "take" ? question.takes : []));
}

function ownCounts(reply: StoreReply<Taken>, takes: readonly Take[], start: number): Reply {
  if (reply.state !== "ok") return reply;
  const counts: readonly Count[] = reply.value.counts.slice(start, start + takes.length);
  return { state: "ok", value: { allowed: counts.every(({ allowed }) => allowed), charged: reply.value.allowed, counts } };
}

function evaluate(step: Step, exchange: Exchange, replies: readonly Reply[], deps: Deps): MaybePromise<Stop | undefined> {
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
