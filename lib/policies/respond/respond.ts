/** `respond`: an answer that the gateway gives itself. */
import { renderFixedAnswer } from "../../contract/fixed-answer.ts";
import type { PolicyDefinition } from "../../contract/policy.ts";
import type { RespondOptions } from "./options.ts";

export const respond: PolicyDefinition<RespondOptions> = {
  name: "respond",
  phase: "answer",
  refuses: [],
  cacheable: true,
  create: (options) => ({ decide: (exchange) => renderFixedAnswer(options, exchange) }),
};
