/** `fallback`: what answers when no target of the backend can. */
import type { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import { compileFixedAnswer, fixedAnswer } from "../../config/fixed-answer.ts";
import type { Place } from "../../config/issue.ts";
import { strict } from "../../config/schema-fields.ts";
import type { FixedAnswer } from "../../fixed-answer.ts";

/** What the policy's `create` gets. */
export type FallbackOptions = FixedAnswer;

/** Whoever reads only the status must not take it for the real answer, unless the config says so. */
const STANDARD_STATUS = 503;
const setting = strict("fallback", fixedAnswer(STANDARD_STATUS), ["backend"]);

export const fallbackSchema = {
  setting: setting.describe(
    "Answers when the backend has failed, after all retries and where no stored answer may be used: `{ status, headers, body }` or `{ status, headers, json }`",
  ),
  compile: (input: z.output<typeof setting>, place: Place, fields: Fields): FallbackOptions =>
    compileFixedAnswer(input, STANDARD_STATUS, place, fields),
};
