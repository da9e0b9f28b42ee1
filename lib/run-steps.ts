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
): MaybePromise<Stop | Later | undefined> {
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i]!;
    const questions = askedBy(step, exchange, deps);
    if (questions === FAILED) return refuse("internal");
    if (questions.length > 0) return runAsking(steps, i, questions, exchange, deps, mayCharge);
    const stop = evaluate(step, exchange, NO_REPLIES, deps);
    if (stop instanceof Promise) {
      return stop.then((settled) => settled ?? runSteps(steps.slice(i + 1), exchange, deps, mayCharge));
    }
    if (stop) return stop;
  }
  return undefined;
}

interface Waiting {
  readonly step: Step;
  readonly questions: readonly Question[];
}

async function runAsking(
  steps: readonly Step[],
  from: number,
  firstQuestions: readonly Question[],
  exchange: Exchange,
  deps: Deps,
  mayCharge: (() => boolean) | undefined,
): Promise<Stop | Later | undefined> {
  let i = from;
  while (i < steps.length) {
    const waiting: Waiting[] = [];
    let stop: Stop | undefined;
    while (i < steps.length && !stop) {
      const step = steps[i]!;
      const questions = i === from ? firstQuestions : askedBy(step, exchange, deps);
      i++;
      if (questions === FAILED) stop = refuse("internal");
      else if (questions.length > 0) {
        waiting.push({ step, questions });
        // Everything after depends on who calls, which this answer tells: the first trip ends here.
        if (step.rank === IDENTIFY) break;
      } else {
        stop = await evaluate(step, exchange, NO_REPLIES, deps);
      }
    }
    // Rows before a refusal are still asked: a caller over its limit hears 429 before it hears 401.
    const asked = waiting.flatMap(asOwn);
    if (mayCharge && asked.some(changes) && !mayCharge()) return LATER;
    const replies = await Promise.all(ask(asked, deps));
    let next = 0;
    for (const { step, questions } of waiting) {
      const own = replies.slice(next, next + questions.length);
      next += questions.length;
      const earlier = await evaluate(step, exchange, own, deps);
      if (earlier) return earlier;
    }
    if (stop) return stop;
  }
  return undefined;
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
  const takes = questions.flatMap((question) => (question.ask === "take" ? question.takes : []));
  const taken = takes.length > 0 ? stores.counters.take(takes, nowMs) : undefined;
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
      case "claim":
        return stores.once.claim(question.key, question.ttlMs, nowMs);
      case "blob":
        return stores.blobs.get(question.key, nowMs);
    }
  });
}

function ownCounts(reply: StoreReply<Taken>, takes: readonly Take[], start: number): Reply {
  if (reply.state !== "ok") return reply;
  const counts: readonly Count[] = reply.value.counts.slice(start, start + takes.length);
  return { state: "ok", value: { allowed: counts.every(({ allowed }) => allowed), counts } };
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
