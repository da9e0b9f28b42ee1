/** The schema of what is done about targets that fail. The descriptions are the documentation: docs/config.md is made of them. */
import { z } from "zod";
import { duration, oneOf, oneOrMore, reference, strict } from "../../config/schema-fields.ts";

const whole = oneOf("a whole number, or a reference", [z.number(), reference]);
export const percent = oneOf('a share such as "20%", or a reference', [z.string(), z.number()]);

const retryObject = strict("retry", {
  attempts: whole.optional().describe("How often a request is sent at most, the first time included: 2 by default, 5 at most"),
  on: oneOrMore(
    '"connect", a status from 400 to 599, or a list of these',
    oneOf('"connect" or a status', [z.literal("connect"), z.number()]),
  )
    .optional()
    .describe(
      'What is tried again: `["connect", 502, 503, 504]` by default. "connect": no connection came about. 502 and 504 also stand for a connection that broke, and for no answer in time, before an answer had begun',
    ),
  budget: percent
    .optional()
    .describe(
      'Retries for each hundred requests: "20%" by default. What is not used is kept for 5 seconds. One every 2 seconds, and 5 at once, are always allowed',
    ),
});

export const retry = oneOf("{ attempts, on, budget } or false", [retryObject, z.literal(false)])
  .optional()
  .describe(
    "Sends a request again, to another target where there is one: `{ attempts, on, budget }`. On by default where a backend has several targets, off where it has one. Only what is safe to repeat, see traffic.md",
  );

const passive = strict("passive", {
  failures: whole
    .optional()
    .describe(
      "So many failures in a row: 5 by default. A failure is a status from 500, a broken connection, or no answer in time",
    ),
  eject: duration
    .optional()
    .describe(
      "For so long the target is left out, 1s by default; twice as long each time that it fails again, up to eight times",
    ),
});

const healthObject = strict("health", {
  path: z
    .string()
    .optional()
    .describe(
      "Asked for by GET on each target, below the target's own path: by the Node host itself, on Vercel when a scheduler asks for a run (traffic.md)",
    ),
  interval: duration
    .optional()
    .describe(
      "Between two checks of one target: 10s by default, shortened by up to a fifth at random. On Vercel the scheduler's pace: what was found holds for three of these, and at least 3m",
    ),
  timeout: duration.optional().describe("2s by default"),
  status: z.string().optional().describe('What counts as well: "2xx" by default; "200" or "200-399"'),
  passive: oneOf("{ failures, eject } or false", [passive, z.literal(false)])
    .optional()
    .describe(
      "Leaves out a target whose answers fail, on every host: on by default where a backend has several targets, never for more than half of those that a request may go to. `false`: off",
    ),
});

export const health = oneOf("a path, { path, interval, timeout, status, passive }, or false", [
  z.string(),
  healthObject,
  z.literal(false),
])
  .optional()
  .describe(
    "Which targets can take requests: a path such as `/up` that the gateway asks for, or `{ path, interval, timeout, status, passive }`. `false`: neither checks nor `passive`",
  );

const breakerObject = strict("breaker", {
  window: duration.optional().describe("What is looked at: the last 10s by default"),
  requests: whole.optional().describe("With fewer in the window nothing happens: 20 by default"),
  failures: percent.optional().describe('Opens at this share of failures: "50%" by default'),
  slow: percent.optional().describe('Opens at this share of slow answers: "80%" by default, where `slowAfter` is said'),
  slowAfter: duration.optional().describe("An answer that begins later is slow. None is by default"),
  open: duration
    .optional()
    .describe("How long the target gets nothing: 1s by default; twice as long each time that it fails again, up to eight times"),
});

export const breaker = oneOf("true, false or { window, requests, failures, slow, slowAfter, open }", [z.boolean(), breakerObject])
  .optional()
  .describe(
    "Stops sending requests to a target that fails too often, also where it is the only one: `true` or `{ window, requests, failures, slow, slowAfter, open }`. Off by default",
  );

const bulkheadObject = strict("bulkhead", {
  requests: whole.describe("So many requests under way at the backend, their answers included, by one instance of the gateway"),
  queue: whole.optional().describe("So many more wait for a place: 10 by default"),
  wait: duration.optional().describe("For at most so long: 1s by default"),
});

export const bulkhead = oneOf("{ requests, queue, wait } or false", [bulkheadObject, z.literal(false)])
  .optional()
  .describe(
    "Bounds the requests under way: `{ requests, queue, wait }`; the others are refused with 503 `overloaded`. Off by default",
  );
