/** `fallback`: what answers when no target of the backend can. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import { compileFixedAnswer, fixedAnswer } from "../../config/fixed-answer.ts";
import type { ConfigPath } from "../../config/issue.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { strict } from "../../config/schema-fields.ts";
import type { FixedAnswer } from "../../contract/fixed-answer.ts";

/** What the policy's `create` gets. */
export type FallbackOptions = FixedAnswer;

/** Whoever reads only the status must not take it for the real answer, unless the config says so. */
const STANDARD_STATUS = 503;
const setting = strict("fallback", {
  backend: z
    .string()
    .optional()
    .describe(
      "The name of another backend that is asked, in place of a fixed answer. What was sent goes there only if it is safe to repeat",
    ),
  ...fixedAnswer(STANDARD_STATUS),
});

export const fallbackSchema = {
  setting: setting.describe(
    "Answers when the backend has failed, after all retries and where no stored answer may be used: `{ status, headers, body }`, `{ status, headers, json }` or `{ backend }`",
  ),
  expects: "{ status, headers, body }",
  needsBackend: true,
  isPublic: true,
  ignoresShadow: true,
  /** Undefined where another backend answers. */
  compile({ backend, ...answer }: z.output<typeof setting>, place: ConfigPath, fields: Fields): FallbackOptions | undefined {
    const own = Object.keys(answer);
    if (backend === undefined) return compileFixedAnswer(answer, STANDARD_STATUS, place, fields);
    if (own.length > 0)
      fields.report.error("body-conflict", place, `\`backend\` and \`${own[0]}\` exclude each other: one of them answers.`);
    return undefined;
  },
} satisfies KeySchema;
