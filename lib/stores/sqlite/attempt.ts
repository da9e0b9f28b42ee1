/** A statement that fails while the gateway runs (disk full, file locked) is an outage, not an exception. */
import { ok, type StoreReply, unavailable } from "../../contract/stores/reply.ts";
import type { FileHealth } from "./file-health.ts";

export interface Attempt {
  read<T>(work: () => T): StoreReply<T>;
  /** Tells the file's health, whichever way it goes. */
  write<T>(work: () => T): StoreReply<T>;
}

export function attemptWith(health: FileHealth, onError: (error: unknown) => void): Attempt {
  return {
    read(work) {
      try {
        return ok(work());
      } catch (error) {
        onError(error);
        return unavailable("error");
      }
    },
    write(work) {
      try {
        const result = work();
        health.look();
        return ok(result);
      } catch (error) {
        health.failed(error);
        return unavailable("error");
      }
    },
  };
}
