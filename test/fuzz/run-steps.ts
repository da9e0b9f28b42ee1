/** Carries out the steps of one end of a connection, in their order. */
import type { Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { AnswerStep } from "./fuzz-case.ts";

/** What only a backend does; false where nothing more is to be done. */
export type SpecialStep = (step: Extract<AnswerStep, { takeRequest: true } | { accept: string }>) => Promise<void> | void;

export async function runSteps(socket: Socket, steps: readonly AnswerStep[], special: SpecialStep = () => {}): Promise<void> {
  for (const step of steps) {
    if (socket.destroyed) return;
    if ("write" in step) {
      if (step.write.length > 0 && socket.writable) socket.write(step.write, "latin1");
    } else if ("waitMs" in step) {
      if (step.waitMs > 0) await wait(step.waitMs);
      // What was written leaves as a segment of its own.
      else await new Promise(setImmediate);
    } else if ("reads" in step) {
      if (step.reads) socket.resume();
      else socket.pause();
    } else if ("end" in step) socket.end();
    else if ("reset" in step) socket.resetAndDestroy();
    else await special(step);
  }
}
