/** `respond`: an answer that the gateway gives itself. */
import type { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import { compileFixedAnswer, fixedAnswer } from "../../config/fixed-answer.ts";
import type { ConfigPath } from "../../config/issue.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { strict } from "../../config/schema-fields.ts";
import type { FixedAnswer } from "../../contract/fixed-answer.ts";

/** What the policy's `create` gets. */
export type RespondOptions = FixedAnswer;

const STANDARD_STATUS = 200;
const setting = strict("respond", fixedAnswer(STANDARD_STATUS));

export const respondSchema = {
  setting: setting.describe("Answers without a backend: `{ status, headers, body }` or `{ status, headers, json }`"),
  isDestination: true,
  ignoresShadow: true,
  compile: (input: z.output<typeof setting>, place: ConfigPath, fields: Fields): RespondOptions =>
    compileFixedAnswer(input, STANDARD_STATUS, place, fields),
} satisfies KeySchema;
