/** The settings of all kinds of authenticator. Only the schema and the compiler import this: it holds zod. */
import { basicSchema } from "./basic/options.ts";

export const AUTHENTICATOR_SCHEMAS = {
  basic: basicSchema,
} as const;
