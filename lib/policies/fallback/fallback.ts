/** `fallback`: what answers when no target of the backend can. */
import { renderFixedAnswer } from "../../fixed-answer.ts";
import type { PolicyDefinition } from "../../policy.ts";
import type { ProblemCode } from "../../problem.ts";
import type { FallbackOptions } from "./options.ts";

/** The backend's failures. What the gateway refuses by its own rules is the caller's to hear. */
const FAILURES: ReadonlySet<ProblemCode> = new Set(["no-backend-available", "backend-unreachable", "backend-timeout"]);

export const fallback: PolicyDefinition<FallbackOptions> = {
  name: "fallback",
  refuses: [],
  cacheable: true,
  create: (options) => ({
    instead: (exchange, { code }) => (FAILURES.has(code) ? renderFixedAnswer(options, exchange) : undefined),
  }),
};
