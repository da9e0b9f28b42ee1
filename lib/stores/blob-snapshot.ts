/** What one instance knows of a value that stands in the blobs. While the store is away, that is how it stood last. */
import type { Blob } from "../contract/stores/blobs.ts";
import type { StoreReply } from "../contract/stores/reply.ts";
import type { StoreCall, StoreResult } from "../contract/stores/store-calls.ts";
import { SnapshotAge } from "./snapshot-age.ts";

export class BlobSnapshot<Value> {
  value: Value;
  readonly #question: StoreCall;
  readonly #read: (blob: Blob | undefined) => Value;
  readonly #age = new SnapshotAge();

  /** `read` makes the value of what stands there; undefined: nothing does. */
  constructor(key: string, read: (blob: Blob | undefined) => Value) {
    this.value = read(undefined);
    this.#question = { kind: "blob", key };
    this.#read = read;
  }

  /** The question for the stores, where what is known is getting old. */
  question(nowMs: number): StoreCall | undefined {
    return this.#age.isDue(nowMs) ? this.#question : undefined;
  }

  update(reply: StoreResult, nowMs: number): void {
    this.#age.checked(nowMs);
    const read = reply as StoreReply<Blob | undefined>;
    if (read.state === "ok") this.value = this.#read(read.value);
  }
}
