/**
 * Lines on stdout, written in batches. A reader that stops reading holds up no request: Node queues what a full pipe does not take
 * (https://nodejs.org/api/process.html#a-note-on-process-io), and lines beyond `MAX_WAITING_BYTES` are dropped and counted.
 */
import type { Writable } from "node:stream";
import type { WriteLine } from "./request-log.ts";

export interface BatchedLines {
  readonly write: WriteLine;
  /** Hands over what waits: for the end of the process. */
  flush(): void;
}

/** Written sooner than after `BATCH_MS` where so much waits. */
const BATCH_BYTES = 16 * 1024;
const BATCH_MS = 50;
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** `onLoss` is told how many lines nobody will read, and why. */
export function createBatchedLines(stream: Writable, onLoss: (lines: number, why: string) => void): BatchedLines {
  let batch = "";
  let timer: NodeJS.Timeout | undefined;
  let dropped = 0;
  let isBroken = false;
  stream.on("error", (error) => {
    if (!isBroken) onLoss(dropped, `the log can't be written any more: ${error.message}`);
    isBroken = true;
    batch = "";
  });
  stream.on("drain", () => {
    if (dropped === 0) return;
    onLoss(dropped, "nobody read the lines before them");
    dropped = 0;
  });
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (batch === "" || isBroken) return;
    stream.write(batch);
    batch = "";
  };
  return {
    write(line) {
      if (isBroken) return;
      if (stream.writableLength > MAX_WAITING_BYTES) {
        dropped++;
        return;
      }
      batch += `${line}\n`;
      if (batch.length >= BATCH_BYTES) flush();
      else timer ??= setTimeout(flush, BATCH_MS);
    },
    flush,
  };
}
