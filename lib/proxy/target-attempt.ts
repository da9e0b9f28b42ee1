/** One attempt, seen from the target's side: what it means for the target's state. */
import type { Backend, BackendTarget } from "../backends/backend.ts";
import type { Result } from "../backends/resilience/circuit.ts";
import type { Clock } from "../contract/deps.ts";

export class TargetAttempt {
  readonly #backend: Backend;
  readonly #target: BackendTarget;
  readonly #isTrial: boolean;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #headMs: number | undefined;
  #hasEnded = false;

  constructor(backend: Backend, target: BackendTarget, clock: Clock) {
    this.#backend = backend;
    this.#target = target;
    this.#clock = clock;
    this.#isTrial = backend.begin(target);
    this.#startedMs = clock.monotonic();
  }

  onHead(status: number): void {
    this.#headMs = this.#clock.monotonic() - this.#startedMs;
    if (this.#isTrial && status < 500) this.#target.state.circuit.headOfTrial(this.#clock.now());
  }

  end(result: Result): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#backend.end(this.#target, result, this.#isTrial, this.#headMs);
  }
}
