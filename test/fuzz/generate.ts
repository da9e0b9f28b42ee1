/** Draws case number `index` of a seed. The same two numbers make the same case. */
import { drawAnswer, drawUpgradeAnswer, soundAnswer } from "./answers.ts";
import type { FuzzCase, Step } from "./fuzz-case.ts";
import { Random } from "./random.ts";
import { drawRequest, plainRequest } from "./requests.ts";
import { frames, handshake } from "./websocket.ts";

type Draw = (random: Random, id: string) => Omit<FuzzCase, "id" | "kind" | "isMutated">;

/** How often each kind is drawn, of a hundred. */
const KINDS: readonly (readonly [kind: string, weight: number, draw: Draw, isMutated?: true])[] = [
  ["request", 34, oneRequest],
  ["keep-alive", 14, severalRequests],
  ["mutated", 22, (random, id) => mutate(random, severalRequests(random, id)), true],
  ["pipelined", 6, pipelined],
  ["connect", 6, tunnel],
  ["websocket", 10, webSocket],
  ["mutated websocket", 4, (random, id) => mutate(random, webSocket(random, id)), true],
  ["noise", 2, (random) => ({ steps: [{ write: random.bytes(random.between(0, 2000)) }], answers: [] }), true],
  ["abandoned", 2, (random) => ({ steps: random.few(1, () => ({ waitMs: random.below(20) })), answers: [] })],
];

const WEIGHTED = KINDS.flatMap((kind) => Array.from({ length: kind[1] }, () => kind));

export function drawCase(seed: number, index: number): FuzzCase {
  const random = Random.forCase(seed, index);
  const id = `c${index}`;
  const [kind, , draw, isMutated = false] = random.pick(WEIGHTED);
  const { steps, answers } = draw(random, id);
  return { id, kind, isMutated, answers, steps: disturbed(random, split(random, steps)) };
}

function oneRequest(random: Random, id: string): ReturnType<Draw> {
  const { head, body } = drawRequest(random, `${id}.0`);
  const isPatient = random.chance(0.3);
  return {
    steps: isPatient ? [{ write: head }, { waitMs: random.below(30) }, { write: body }] : [{ write: head + body }],
    answers: [drawAnswer(random, `${id}.0`)],
  };
}

function severalRequests(random: Random, id: string): ReturnType<Draw> {
  const requests = Array.from({ length: random.between(1, 5) }, (_, n) => drawRequest(random, `${id}.${n}`));
  const together = random.chance(0.4);
  const steps = requests.flatMap(({ head, body }): Step[] => [
    { write: head + body },
    { waitMs: together ? 0 : random.below(40) },
  ]);
  return {
    steps,
    answers: requests.map((_, n) => (random.chance(0.3) ? soundAnswer(random, `${id}.${n}`) : drawAnswer(random, `${id}.${n}`))),
  };
}

/** Up to hundreds in one write; the backend answers at once, so that the last is not late. */
function pipelined(random: Random, id: string): ReturnType<Draw> {
  const count = random.between(2, random.chance(0.2) ? 400 : 40);
  const last = drawRequest(random, `${id}.1`);
  const bytes = Array.from({ length: count }, () => plainRequest(random, `${id}.0`)).join("");
  return {
    steps: [{ write: bytes + last.head + last.body }],
    answers: [soundAnswer(random, `${id}.0`), drawAnswer(random, `${id}.1`)],
  };
}

function tunnel(random: Random, id: string): ReturnType<Draw> {
  const before = random.few(3, () => plainRequest(random, `${id}.0`)).join("");
  const target = random.pick(["x:1", "gateway.example:443", "127.0.0.1:22", "[::1]:1", "/", "*", "x", "http://x/"]);
  const connect = `CONNECT ${target} HTTP/1.1\r\nHost: ${random.pick(["x:1", "gateway.example", ""])}\r\n\r\n`;
  const behind = random.chance(0.5) ? random.bytes(random.pick([1, 500, 70_000])) : "";
  return {
    steps: [{ write: before + connect }, { waitMs: random.below(4) }, { write: behind }],
    answers: [soundAnswer(random, `${id}.0`)],
  };
}

function webSocket(random: Random, id: string): ReturnType<Draw> {
  const before = random.few(2, () => plainRequest(random, `${id}.1`)).join("");
  const steps: Step[] = [{ write: before + handshake(random, `${id}.0`) }];
  if (random.chance(0.8)) steps.push({ waitMs: random.below(40) });
  steps.push(...random.few(5, () => ({ write: frames(random, true) })));
  return { steps, answers: [drawUpgradeAnswer(random, `${id}.0`), soundAnswer(random, `${id}.1`)] };
}

const INSERTS = [
  "\r\n",
  "\r",
  "\n",
  "\0",
  " ",
  "\t",
  ":",
  ",",
  "\r\n\r\n",
  "0\r\n\r\n",
  "\x7f",
  "\x80",
  "\xff",
  "HTTP/1.1",
  "Host: x\r\n",
  "\r\n ",
];

/** Changes a few bytes of what is written: a flip, a loss, an insertion, a repetition, another line end. */
function mutate(random: Random, { steps, answers }: ReturnType<Draw>): ReturnType<Draw> {
  const mutated = steps.map((step) => {
    if (!("write" in step)) return step;
    let text = step.write;
    for (let count = random.between(0, 4); count > 0; count--) text = mutateOnce(random, text);
    return { write: text };
  });
  return { steps: mutated, answers };
}

function mutateOnce(random: Random, text: string): string {
  // Most of what matters stands at the beginning.
  const at = Math.floor(random.next() ** 2 * text.length);
  const length = random.between(1, random.pick([1, 1, 4, 40]));
  const [before, cut, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
  switch (random.below(6)) {
    case 0:
      return before + String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << random.below(8))) + text.slice(at + 1);
    case 1:
      return before + after;
    case 2:
      return before + random.pick(INSERTS) + cut + after;
    case 3:
      return before + cut + cut + after;
    case 4:
      return before + random.bytes(length) + after;
    default:
      return before + (cut + after).replace("\r\n", random.pick(["\n", "\r", "\r\r\n", "\n\r", ""]));
  }
}

/** One write becomes several, at any place. */
function split(random: Random, steps: readonly Step[]): Step[] {
  return steps.flatMap((step): Step[] => {
    if (!("write" in step) || step.write.length < 2 || !random.chance(0.3)) return [step];
    const pieces: Step[] = [];
    for (let at = 0; at < step.write.length && pieces.length < 12; ) {
      const end =
        pieces.length === 10 ? step.write.length : at + random.between(1, Math.ceil(step.write.length / random.pick([1, 2, 5])));
      pieces.push({ write: step.write.slice(at, end) }, { waitMs: random.below(6) });
      at = end;
    }
    return pieces;
  });
}

/** What a client does beside sending: it does not read for a while, closes its side, or breaks off. */
function disturbed(random: Random, steps: readonly Step[]): Step[] {
  const drawn = random.next();
  const at = random.below(steps.length + 1);
  const [before, after] = [steps.slice(0, at), steps.slice(at)];
  if (drawn < 0.06) return [...before, { waitMs: random.below(8) }, { reset: true }];
  if (drawn < 0.1) return [...steps, { waitMs: random.below(60) }, { reset: true }];
  if (drawn < 0.14) return [...before, { end: true }];
  if (drawn < 0.2) return [{ reads: false }, ...steps, { waitMs: random.between(50, 300) }, { reads: true }];
  if (drawn < 0.23) return [...before, { waitMs: random.between(100, 600) }, ...after];
  return [...steps];
}
