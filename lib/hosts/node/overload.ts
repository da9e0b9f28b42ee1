/**
 * Load shedding on the Node host. When the event loop is late, everybody waits; refusing some keeps the others' answers in time. Requests
 * of low priority are refused first, then all but those of high priority, then these: in shares that grow while it stays late, and shrink
 * as slowly, so that callers who come back do not bring the next overload.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Log } from "../../contract/deps.ts";
import { type Load, PRIORITIES } from "../../contract/load.ts";

/** A loop that is this late makes everybody wait as long at each step of a request. */
export const STANDARD_LAG_MS = 200;
/** How often the loop says how late it is; what it says includes this time itself. */
const RESOLUTION_MS = 10;
const LOOK_MS = 200;
/** Of one priority, one at each look: from none to all in two seconds. */
const STEPS = 10;
/** Short of all of the highest: somebody has to get through, or nobody would see that it is over. */
const MAX_STEPS = PRIORITIES.length * STEPS - 1;
/** Below this part of the limit less is refused again; between the two nothing changes. */
const CALM = 0.5;

type Histogram = ReturnType<typeof monitorEventLoopDelay>;

/** Decides how much is refused, by how late the event loop was since it was asked last. */
export class Shedding implements Load {
  shed = 0;
  lagMs = 0;
  /** Null: nothing is ever refused. */
  limitMs: number | null = null;
  #steps = 0;
  /** By priority, in steps: at STEPS the next request is refused. */
  readonly #due = PRIORITIES.map(() => 0);

  get isWatched(): boolean {
    return this.limitMs !== null;
  }

  look(lagMs: number): void {
    this.lagMs = lagMs;
    if (this.limitMs === null) this.#steps = 0;
    else if (lagMs > this.limitMs) this.#steps = Math.min(this.#steps + 1, MAX_STEPS);
    else if (lagMs < this.limitMs * CALM) this.#steps = Math.max(this.#steps - 1, 0);
    this.shed = this.#steps / STEPS;
  }

  /** Spread evenly and without a draw: of a share of a half every second one is refused. */
  refuses(priority: number): boolean {
    const due = this.#due[priority]! + Math.min(this.#steps - priority * STEPS, STEPS);
    this.#due[priority] = due % STEPS;
    return due >= STEPS;
  }
}

/** Watches this process's event loop, while there is a limit. */
export class Overload extends Shedding {
  readonly #log: Log;
  #watch: { readonly histogram: Histogram; readonly timer: NodeJS.Timeout } | undefined;

  constructor(log: Log) {
    super();
    this.#log = log;
  }

  setLimit(limitMs: number | null): void {
    this.limitMs = limitMs;
    if (limitMs === null) {
      this.close();
      this.look(0);
    } else if (!this.#watch) {
      const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      histogram.enable();
      this.#watch = { histogram, timer: setInterval(() => this.#lookAtLoop(histogram), LOOK_MS).unref() };
    }
  }

  close(): void {
    clearInterval(this.#watch?.timer);
    this.#watch?.histogram.disable();
    this.#watch = undefined;
  }

  /** The median: one long pause (a collection, a laptop that slept) is one of many values. */
  #lookAtLoop(histogram: Histogram): void {
    const before = this.shed;
    this.look(Math.max(0, histogram.percentile(50) / 1e6 - RESOLUTION_MS));
    histogram.reset();
    if (before === 0 && this.shed > 0)
      this.#log.warn("the event loop is late: requests are refused", { lagMs: Math.round(this.lagMs) });
    else if (before > 0 && this.shed === 0) this.#log.info("the event loop is in time again: nothing is refused");
  }
}
