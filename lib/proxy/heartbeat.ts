/**
 * Keeps an event stream alive through proxies and browsers: a comment after each silence, between two events and nowhere
 * else. (HTML standard, section 9.2, has the grammar and advises one every 15 seconds or so.)
 */
import type { BackendHead } from "../http/sanitize-headers.ts";

/** The empty line is for readers that split at those before they look for comments. */
const COMMENT = Buffer.from(":\n\n");
/** An empty line has just ended, by any of the three line ends. CRLF is one of them, not two. */
const BETWEEN_EVENTS = /(?:\n\n|[\r\n]\r\n?)$/;
const BYTE_ORDER_MARK = Buffer.from("\ufeff");

export class Heartbeat {
  readonly #timer: NodeJS.Timeout;
  /** The last bytes that were passed. The beginning of a stream is as good as an empty line. */
  #tail = "\n\n";
  #hasBegun = false;

  constructor(everyMs: number, write: (comment: Uint8Array) => void) {
    this.#timer = setInterval(() => {
      if (BETWEEN_EVENTS.test(this.#tail)) write(COMMENT);
    }, everyMs);
  }

  /** Gives back what may go on of a chunk. */
  pass(chunk: Uint8Array): Uint8Array {
    this.#timer.refresh();
    this.#tail = (this.#tail + Buffer.from(chunk.subarray(-3)).toString("latin1")).slice(-3);
    // The mark means nothing, but only as the very first bytes: behind a comment it would belong to the name of a field.
    const isMarked = !this.#hasBegun && BYTE_ORDER_MARK.equals(chunk.subarray(0, 3));
    this.#hasBegun = true;
    return isMarked ? chunk.subarray(3) : chunk;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

export function isEventStream({ contentType }: BackendHead): boolean {
  return contentType !== undefined && /^\s*text\/event-stream\s*(?:;|$)/i.test(contentType);
}
