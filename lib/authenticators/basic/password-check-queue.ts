/**
 * A queue of passwords to check. A check is slow on purpose: a caller that sends many made-up ones gets one thread to keep busy, and a
 * place in a short line.
 */

export interface PasswordCheckBounds {
  /** At once. More would take the threads that compress and resolve names, and the processor. */
  readonly maxRunning: number;
  readonly maxWaiting: number;
  /** Running and waiting, of one caller: the others must not find the line full of theirs. */
  readonly maxOfCaller: number;
}

export class PasswordCheckQueue {
  readonly #bounds: PasswordCheckBounds;
  readonly #waiting: (() => void)[] = [];
  readonly #ofCaller = new Map<string, number>();
  #running = 0;

  constructor(bounds: PasswordCheckBounds) {
    this.#bounds = bounds;
  }

  /** Undefined: there is no room for it. */
  run<T>(caller: string, check: () => Promise<T>): Promise<T> | undefined {
    const { maxRunning, maxWaiting, maxOfCaller } = this.#bounds;
    const own = this.#ofCaller.get(caller) ?? 0;
    if (own >= maxOfCaller || (this.#running >= maxRunning && this.#waiting.length >= maxWaiting)) return undefined;
    this.#ofCaller.set(caller, own + 1);
    return this.#start(check).finally(() => this.#end(caller));
  }

  async #start<T>(check: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#bounds.maxRunning) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#running++;
    return check();
  }

  /** Who waits next takes over the place of who has ended. */
  #end(caller: string): void {
    const left = this.#ofCaller.get(caller)! - 1;
    if (left > 0) this.#ofCaller.set(caller, left);
    else this.#ofCaller.delete(caller);
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }
}

/** One for the process, whose threads they are. */
export const passwordChecks = new PasswordCheckQueue({ maxRunning: 1, maxWaiting: 20, maxOfCaller: 5 });
