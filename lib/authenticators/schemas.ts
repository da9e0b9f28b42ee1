/** The settings of all kinds of authenticator. Only the schema and the compiler import this: it holds zod. */
import { basicSchema } from "./basic/options.ts";
import { jwtSchema } from "./jwt/options.ts";

export const AUTHENTICATOR_SCHEMAS = {
  jwt: jwtSchema,
  basic: basicSchema,
} as const;
