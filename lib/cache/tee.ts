/**
 * One answer to several callers, and to memory. A slow caller reads from what is kept, so it holds up neither the others nor the
 * entry; what is too large to keep is passed through at the pace of the slowest.
 */
import type { Sink } from "../contract/sink.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { ownBytes } from "./own-bytes.ts";

export interface TeeEvents {
  head(statusText: string): void;
  /** Called where all of it was kept. */
  whole(body: Uint8Array): void;
  /** It grew over the bound or found no room, or broke off. */
  lost(): void;
}

interface Reader {
  readonly ctx: RequestContext;
  readonly sink: Sink;
  /** The chunk that it gets next. */
  next: number;
  isBlocked: boolean;
  hasEnded: boolean;
}

export class Tee implements Sink {
  onDrain: (() => void) | undefined;
  closed = false;
  readonly #events: TeeEvents;
  readonly #held: ByteBudget;
  readonly #readers = new Map<Sink, Reader>();
  #listener: ((complete: boolean) => void) | undefined;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** Of the budget: what is kept, until the last caller has read it. */
  #heldBytes = 0;
  /** Over 0 while chunks are kept from the first on. */
  #keptBytes = 0;
  #isOver = false;

  constructor(events: TeeEvents, held: ByteBudget) {
    this.#events = events;
    this.#held = held;
  }

  set onClose(listener: (complete: boolean) => void) {
    this.#listener = listener;
  }

  /** From now on, before the first chunk: keeps up to so many bytes. */
  keep(maxBytes: number): void {
    this.#keptBytes = maxBytes;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** A caller whose head has been sent. It gets the body from its beginning. */
  add(ctx: RequestContext, sink: Sink): void {
    const reader: Reader = { ctx, sink, next: 0, isBlocked: false, hasEnded: false };
    this.#readers.set(sink, reader);
    sink.onDrain = () => {
      reader.isBlocked = false;
      this.#pump(reader);
      this.#resume();
    };
    this.#pump(reader);
  }

  remove(sink: Sink): void {
    this.#readers.delete(sink);
    sink.onDrain = undefined;
    this.#letGo();
    this.#resume();
  }

  /** Gives the backend up. */
  abandon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.closed = true;
    this.#letGo();
    this.#listener?.(false);
  }

  head(_: number, statusText: string): void {
    this.#events.head(statusText);
  }

  flush(): void {
    for (const { sink } of this.#readers.values()) if (!sink.closed) sink.flush();
  }

  write(chunk: Uint8Array): boolean {
    this.#take(chunk);
    for (const reader of this.#readers.values()) this.#pump(reader);
    return this.#isReady();
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#isOver) return;
    if (chunk !== undefined && chunk.length > 0) this.#take(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
    this.#isOver = true;
    // Before the last caller has read it, and the chunks are let go of.
    const whole = this.#keptBytes > 0 ? ownBytes(this.#chunks) : undefined;
    for (const reader of this.#readers.values()) this.#pump(reader);
    if (whole) this.#events.whole(whole);
    this.#letGo();
    this.#listener?.(true);
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.closed = true;
    for (const { sink } of this.#readers.values()) sink.destroy();
    this.#readers.clear();
    this.#letGo();
    this.#events.lost();
    this.#listener?.(false);
  }

  #take(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#keptBytes === 0) return;
    if (this.#bytes <= this.#keptBytes && this.#held.take(chunk.length)) {
      this.#heldBytes += chunk.length;
      return;
    }
    this.#keptBytes = 0;
    this.#events.lost();
  }

  /** Once it is over and everybody has read it. */
  #letGo(): void {
    if (!this.#isOver || this.#readers.size > 0) return;
    this.#forgetChunks();
  }

  #forgetChunks(): void {
    this.#chunks = [];
    this.#held.give(this.#heldBytes);
    this.#heldBytes = 0;
  }

  #pump(reader: Reader): void {
    const { ctx, sink } = reader;
    while (!reader.isBlocked && !reader.hasEnded && reader.next < this.#chunks.length) {
      const chunk = this.#chunks[reader.next++]!;
      ctx.countSent(chunk.length);
      // Together with the end, so that a host can send all in one write.
      reader.hasEnded = this.#isOver && reader.next === this.#chunks.length;
      if (reader.hasEnded) sink.end(chunk);
      else reader.isBlocked = !sink.write(chunk);
    }
    if (this.#isOver && !reader.hasEnded && reader.next === this.#chunks.length) {
      reader.hasEnded = true;
      sink.end();
    }
  }

  /** Whether the backend may go on. What is kept is bounded; what is not waits for every caller. */
  #isReady(): boolean {
    if (this.#keptBytes > 0) return true;
    let isReady = true;
    let isRead = true;
    for (const { isBlocked, next } of this.#readers.values()) {
      if (isBlocked) isReady = false;
      if (next < this.#chunks.length) isRead = false;
    }
    if (isRead && !this.#isOver) {
      this.#forgetChunks();
      for (const reader of this.#readers.values()) reader.next = 0;
    }
    return isReady;
  }

  #resume(): void {
    if (!this.#isOver && this.#isReady()) this.onDrain?.();
  }
}
