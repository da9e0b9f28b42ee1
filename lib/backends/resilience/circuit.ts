/**
 * Whether a target gets requests. It is closed (it does) until it fails too often, then open (it does not) for a while, and after that
 * a single request now and then tries whether it is back: one good answer closes it, a bad one keeps it open for twice as long.
 * Nothing here ticks: the state moves on when somebody asks, by the clock that is handed in, so that a frozen instance wakes well.
 */
import type { CompiledBreaker, CompiledPassive } from "../../contract/compiled/resilience.ts";
import type { Random } from "../random.ts";
import { OutcomeWindow } from "./outcome-window.ts";

export interface CircuitRules {
  readonly passive: CompiledPassive | null;
  readonly breaker: CompiledBreaker | null;
  readonly random: Random;
  /** Whether there would be enough targets left without this one. A breaker does not ask. */
  mayEject(): boolean;
}

/** How a request to the target ended. Neither: the caller has gone, or something other than the target failed. */
export type Result = "success" | "failure" | "ignored";

/** While it goes on failing. */
const MAX_TIMES_AS_LONG = 8;
/** An answer that has gone on for so long since its head is a good one, though it may never end. */
const GOOD_AFTER_MS = 1000;

export class Circuit {
  /** What opened it: passive health gives advice, a breaker an order. Undefined while it is closed. */
  openedBy: "health" | "breaker" | undefined;
  /** For people. */
  reason = "";
  /** From then on the next trial may go. */
  nextTrialMs = 0;
  #openMs = 0;
  #failures = 0;
  /** When the head of the current trial's answer came. */
  #trialHeadMs: number | undefined;
  #window: OutcomeWindow | undefined;

  /** While it is open: whether a request may try the target now. */
  isTrialDue(nowMs: number): boolean {
    return this.openedBy !== undefined && nowMs >= this.nextTrialMs;
  }

  /** A request is sent to the open target. Others wait as long again, whatever becomes of it: it may hang. */
  beginTrial(nowMs: number): void {
    this.nextTrialMs = nowMs + this.#openMs;
    this.#trialHeadMs = undefined;
  }

  /** The head of a trial's answer has come, and it is not a failure. */
  headOfTrial(nowMs: number): void {
    this.#trialHeadMs = nowMs;
  }

  /** Closes it where the last trial's answer has gone on for long enough; true where it did. */
  closesByNow(nowMs: number): boolean {
    if (this.#trialHeadMs === undefined || nowMs - this.#trialHeadMs < GOOD_AFTER_MS) return false;
    this.#close();
    return true;
  }

  /** Of a request while it is closed, or of a trial. True where this closes it. */
  add(result: Result, isTrial: boolean, headMs: number | undefined, nowMs: number, rules: CircuitRules): boolean {
    if (result === "ignored") return false;
    if (this.openedBy !== undefined) {
      // What was under way when it opened says nothing new.
      if (!isTrial) return false;
      if (result === "success") {
        this.#close();
        return true;
      }
      const baseMs = this.openedBy === "health" ? rules.passive?.ejectMs : rules.breaker?.openMs;
      this.#openFor(Math.min(this.#openMs * 2, (baseMs ?? this.#openMs) * MAX_TIMES_AS_LONG), nowMs, rules);
      return false;
    }
    this.#failures = result === "success" ? 0 : this.#failures + 1;
    this.#judge(result === "failure", headMs, nowMs, rules);
    return false;
  }

  #judge(isFailed: boolean, headMs: number | undefined, nowMs: number, rules: CircuitRules): void {
    const { passive, breaker } = rules;
    if (breaker) {
      const isSlow = breaker.slowAfterMs !== undefined && (headMs === undefined || headMs > breaker.slowAfterMs);
      this.#window ??= new OutcomeWindow();
      this.#window.add(isFailed, isSlow, nowMs, breaker.windowMs);
      if (isFailed || isSlow) {
        const { all, failed, slow } = this.#window.totals(nowMs, breaker.windowMs);
        const isBad = failed >= all * breaker.failures;
        if (all >= breaker.requests && (isBad || (breaker.slowAfterMs !== undefined && slow >= all * breaker.slow))) {
          this.#open("breaker", `${isBad ? `${failed} failed` : `${slow} were slow`} of ${all}`, breaker.openMs, nowMs, rules);
          return;
        }
      }
    }
    if (passive && this.#failures >= passive.failures && rules.mayEject())
      this.#open("health", `${this.#failures} failures in a row`, passive.ejectMs, nowMs, rules);
  }

  #open(by: "health" | "breaker", reason: string, openMs: number, nowMs: number, rules: CircuitRules): void {
    this.openedBy = by;
    this.reason = reason;
    this.#openFor(openMs, nowMs, rules);
  }

  /** A fifth by lot: instances that saw the same failure must not come back together. */
  #openFor(openMs: number, nowMs: number, { random }: CircuitRules): void {
    this.#openMs = openMs;
    this.#trialHeadMs = undefined;
    this.nextTrialMs = nowMs + openMs * (0.8 + 0.2 * random());
  }

  #close(): void {
    this.openedBy = undefined;
    this.reason = "";
    this.#failures = 0;
    this.#trialHeadMs = undefined;
    this.#window?.clear();
  }
}
