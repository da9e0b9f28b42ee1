/** The settings of all kinds of authenticator. Only the schema and the compiler import this: it holds zod. */
import { apiKeySchema } from "./api-key/options.ts";
import { basicSchema } from "./basic/options.ts";
import { forwardSchema } from "./forward/options.ts";
import { jwtSchema } from "./jwt/options.ts";

export const AUTHENTICATOR_SCHEMAS = {
  jwt: jwtSchema,
  apiKey: apiKeySchema,
  basic: basicSchema,
  forward: forwardSchema,
} as const;
