/** `fault`: makes requests wait or fail, for drills. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { duration, oneOf, reference, strict } from "../../config/schema-fields.ts";

/** What the policy's `create` gets. */
export interface FaultOptions {
  readonly delayMs?: number | undefined;
  /** The status of the answer in place of the backend's; absent: the request goes on. */
  readonly abort?: number | undefined;
  /** Of the requests: 0.1 is one of ten. */
  readonly share: number;
  readonly force: boolean;
}

const setting = strict("fault", {
  delay: duration.optional().describe("They wait for so long before they go on"),
  abort: oneOf("a status from 200 to 599, or a reference", [z.number(), reference])
    .optional()
    .describe("They get this status, after `delay`, and reach no backend"),
  percent: oneOf('a share such as "20%", or a reference', [z.string(), z.number()])
    .optional()
    .describe("So many of a hundred requests, chosen at random: all by default. `percent: ${env.DRILL:-0}` is a switch"),
  force: z.boolean().optional().describe("Also in production, where it is an error otherwise"),
});

export const faultSchema = {
  setting: setting.describe(
    "Makes requests wait or fail, for drills: `{ delay, abort, percent }`. Refused in production unless `force`",
  ),
  expects: "{ delay, abort, percent, force }",
  compile({ delay, abort, percent, force = false }: z.output<typeof setting>, place: ConfigPath, fields: Fields): FaultOptions {
    if (delay === undefined && abort === undefined) fields.report.error("missing-key", place, "`delay` or `abort` is missing.");
    return {
      delayMs: delay === undefined ? undefined : fields.value(delay, [...place, "delay"], "wait"),
      abort: abort === undefined ? undefined : fields.value(abort, [...place, "abort"], "status"),
      share: percent === undefined ? 1 : (fields.value(percent, [...place, "percent"], "percent") ?? 1),
      force,
    };
  },
} satisfies KeySchema;
