/** A statement that fails while the gateway runs (disk full, file locked) is an outage, not an exception. */
import { ok, type StoreReply, unavailable } from "../reply.ts";

export type Attempt = <T>(work: () => T) => StoreReply<T>;

export function attemptWith(onError: (error: unknown) => void): Attempt {
  return (work) => {
    try {
      return ok(work());
    } catch (error) {
      onError(error);
      return unavailable("error");
    }
  };
}
