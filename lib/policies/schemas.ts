/** The settings of all built-in policies by name, in the order of their steps. Only the schema and the compiler import this: it holds zod. */
import { headersSchema } from "./headers/options.ts";
import { redirectSchema } from "./redirect/options.ts";
import { respondSchema } from "./respond/options.ts";

export const POLICY_SCHEMAS = {
  headers: headersSchema,
  respond: respondSchema,
  redirect: redirectSchema,
} as const;
