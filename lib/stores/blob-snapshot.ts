/** An instance's copy of a value in the blobs. While the store is away, the last copy counts. */
import type { Blob } from "../contract/stores/blobs.ts";
import type { BlobCall, StoreResult } from "../contract/stores/store-calls.ts";
import { SnapshotAge } from "./snapshot-age.ts";

export class BlobSnapshot<Value> {
  value: Value;
  readonly #call: BlobCall;
  readonly #read: (blob: Blob | undefined) => Value;
  readonly #age = new SnapshotAge();

  /** `read` makes the value of a blob; undefined: there is none. */
  constructor(key: string, read: (blob: Blob | undefined) => Value) {
    this.value = read(undefined);
    this.#call = { kind: "blob", key };
    this.#read = read;
  }

  /** The call that renews the copy, where it is getting old. */
  refresh(nowMs: number): BlobCall | undefined {
    return this.#age.isDue(nowMs) ? this.#call : undefined;
  }

  update(result: StoreResult<BlobCall>, nowMs: number): void {
    this.#age.checked(nowMs);
    if (result.state === "ok") this.value = this.#read(result.value);
  }
}
