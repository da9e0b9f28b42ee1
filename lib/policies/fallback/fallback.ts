/** `fallback`: what answers when no target of the backend can. */
import { renderFixedAnswer } from "../../contract/fixed-answer.ts";
import type { PolicyDefinition } from "../../contract/policy.ts";
import { BACKEND_FAILURES } from "../../contract/problem.ts";
import type { FallbackOptions } from "./options.ts";

export const fallback: PolicyDefinition<FallbackOptions> = {
  name: "fallback",
  refuses: [],
  cacheable: true,
  create: (options) => ({
    onBackendFailure: (exchange, { code }) => (BACKEND_FAILURES.has(code) ? renderFixedAnswer(options, exchange) : undefined),
  }),
};
