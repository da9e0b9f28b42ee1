/** Plays one case against a gateway, and judges what the client saw of it. */
import { connect, type Socket } from "node:net";
import type { HostProcess } from "../support/host-process.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import { judgeAnswers } from "./judge-answers.ts";
import { readAnswers } from "./read-answers.ts";
import { runSteps } from "./run-steps.ts";
import { sentRequests } from "./sent-requests.ts";

/** From a client's last step to its last answer: many times what the time-outs of the config allow. */
const ANSWER_MS = 15_000;
/** From the client's FIN to the end of the connection. */
const CLOSE_MS = 10_000;
/** Where no further answer is due, one that nobody expects may still come within this time. */
const QUIET_MS = 60;
/** More is not kept: no answer of any backend here is as long. */
const MAX_RECEIVED_BYTES = 8 * 1024 * 1024;

interface Received {
  text: string;
  isOver: boolean;
  wake: () => void;
}

/** What is wrong; an empty list where nothing is. */
export async function play(fuzzCase: FuzzCase, { name: host, port }: Pick<HostProcess, "name" | "port">): Promise<string[]> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  const received = receive(socket);
  await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
  if (socket.destroyed) return ["the gateway accepts no connection"];
  const sent = sentRequests(fuzzCase);
  const methods = sent.map(({ method }) => method);
  await runSteps(socket, fuzzCase.steps);
  socket.resume();
  const findings: string[] = [];
  try {
    const isAnswered = await within(ANSWER_MS, received, () => received.isOver || hasAll(received, methods, socket));
    if (!isAnswered) {
      const { length } = readAnswers(received.text, methods, false).answers;
      const end = JSON.stringify(received.text.slice(-500));
      findings.push(
        `no whole answer within ${ANSWER_MS} ms to one of ${methods.length} requests; ${length} have begun, the last bytes are ${end}`,
      );
    } else await within(QUIET_MS, received, () => received.isOver);
    if (!socket.destroyed) socket.end();
    if (!(await within(CLOSE_MS, received, () => received.isOver)))
      findings.push(`the connection is open ${CLOSE_MS} ms after the client's end`);
    const { answers } = readAnswers(received.text, methods, received.isOver);
    findings.push(...judgeAnswers(fuzzCase, sent, answers, host));
  } catch (error) {
    findings.push(`the client got ${(error as Error).message}`);
  }
  socket.destroy();
  return findings;
}

function receive(socket: Socket): Received {
  const received: Received = { text: "", isOver: false, wake: () => {} };
  const over = () => {
    received.isOver = true;
    received.wake();
  };
  socket.on("data", (bytes) => {
    if (received.text.length < MAX_RECEIVED_BYTES) received.text += bytes.toString("latin1");
    received.wake();
  });
  socket.on("error", () => socket.destroy());
  socket.on("end", over).on("close", over);
  return received;
}

/** A client that has closed its side or broken off waits for nothing more. */
function hasAll(received: Received, methods: readonly string[], socket: Socket): boolean {
  if (socket.writableEnded || socket.destroyed) return true;
  const { answers, hasSwitched } = readAnswers(received.text, methods, false);
  return hasSwitched || answers.filter(({ isWhole }) => isWhole).length >= methods.length;
}

async function within(ms: number, received: Received, condition: () => boolean): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!condition()) {
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      received.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  return true;
}
