/**
 * Reads the JSON of an answer that passes by: a whole document, or the data of server-sent events, one at a time. A stream is never
 * held: only the event that is just arriving is, and of either kind no more than a bound.
 */
import type { BodyTap } from "../../contract/policy.ts";

/** A document or event beyond it is not read, and costs its reserve. */
const MAX_BYTES = 4 * 1024 * 1024;
const LINE_FEED = 10;
const DATA = Buffer.from("data:");

export class AnswerReader implements BodyTap {
  readonly #onValue: (value: unknown) => void;
  readonly #words: readonly string[];
  /** Of the document so far, or of the line that is not whole yet. */
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #isDocument: boolean | undefined;
  #isTooLong = false;

  /** Of what holds none of `words` nothing is parsed: most events of a stream are a word or two of a text. */
  constructor(words: readonly string[], onValue: (value: unknown) => void) {
    this.#words = words;
    this.#onValue = onValue;
  }

  chunk(bytes: Uint8Array): undefined {
    // An event stream begins with a field's name or a colon, a document of JSON with a brace.
    this.#isDocument ??= isDocument(bytes);
    if (this.#isDocument === undefined || this.#isDocument) {
      this.#keep(bytes);
      return;
    }
    let from = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
      this.#keep(bytes.subarray(from, end));
      this.#readLine(this.#take());
      from = end + 1;
    }
    this.#keep(bytes.subarray(from));
  }

  end(): undefined {
    const rest = this.#take();
    if (this.#isDocument) this.#readJson(rest);
    else this.#readLine(rest);
  }

  #keep(bytes: Uint8Array): void {
    this.#keptBytes += bytes.length;
    if (this.#keptBytes > MAX_BYTES) {
      this.#isTooLong = true;
      this.#kept = [];
    }
    // A copy: the chunk is a slice of a read that would be held whole.
    if (!this.#isTooLong && bytes.length > 0) this.#kept.push(Uint8Array.from(bytes));
  }

  #take(): Buffer {
    const kept = this.#isTooLong ? Buffer.alloc(0) : Buffer.concat(this.#kept);
    this.#kept = [];
    this.#keptBytes = 0;
    this.#isTooLong = false;
    return kept;
  }

  #readLine(line: Buffer): void {
    if (line.subarray(0, DATA.length).equals(DATA)) this.#readJson(line.subarray(DATA.length));
  }

  /** What is no JSON says nothing: `[DONE]`, a page of an error. */
  #readJson(text: Buffer): void {
    if (!this.#words.some((word) => text.includes(word))) return;
    let value: unknown;
    try {
      value = JSON.parse(text.toString("utf8"));
    } catch {
      return;
    }
    this.#onValue(value);
  }
}

/** Undefined while there is only white space. */
function isDocument(bytes: Uint8Array): boolean | undefined {
  const first = bytes.find((byte) => byte > 32);
  return first === undefined ? undefined : first === 0x7b || first === 0x5b;
}
