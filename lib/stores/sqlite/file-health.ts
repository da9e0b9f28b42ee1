/** Whether the store file takes what is written to it. Reads go on while it does not: a full disk is the usual reason. */
import { ALWAYS_THERE, type StoreStatus } from "../../contract/stores/stores.ts";
import { resultCode, SQLITE_BUSY } from "./result-code.ts";

const PROBE_MS = 1_000;

export interface FileHealthOptions {
  now(): number;
  /** Writes something without meaning, and the revocations that are held; throws where that fails. */
  probe(): void;
  onError(error: unknown): void;
  /** It is written again. */
  onBack(): void;
}

export class FileHealth {
  readonly #options: FileHealthOptions;
  #sinceMs: number | undefined;
  #probedMs = 0;
  #outages = 0;
  #unanswered = 0;

  constructor(options: FileHealthOptions) {
    this.#options = options;
  }

  get status(): StoreStatus {
    if (this.#outages === 0) return ALWAYS_THERE;
    const away = this.#sinceMs === undefined ? undefined : { reason: "unwritable" as const, sinceMs: this.#sinceMs };
    return { away, outages: this.#outages, unanswered: this.#unanswered };
  }

  failed(error: unknown): void {
    this.#options.onError(error);
    // Another process writes at this moment: nothing is wrong with the file.
    if (resultCode(error) === SQLITE_BUSY) return;
    this.#unanswered++;
    if (this.#sinceMs !== undefined) return;
    this.#sinceMs = this.#options.now();
    this.#probedMs = this.#sinceMs;
    this.#outages++;
  }

  /** Once a second at most: a statement that went well may have changed nothing, which a full disk lets pass. */
  look(): void {
    if (this.#sinceMs === undefined) return;
    const agoMs = this.#options.now() - this.#probedMs;
    if (agoMs >= 0 && agoMs < PROBE_MS) return;
    this.#probedMs = this.#options.now();
    try {
      this.#options.probe();
    } catch {
      return;
    }
    this.#sinceMs = undefined;
    this.#options.onBack();
  }
}
