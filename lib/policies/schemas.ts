/** The settings of all built-in policies by name, in the order of their steps. Only the schema and the compiler import this: it holds zod. */
import { corsSchema } from "./cors/options.ts";
import { deprecatedSchema } from "./deprecated/options.ts";
import { headersSchema } from "./headers/options.ts";
import { ipSchema } from "./ip/options.ts";
import { maintenanceSchema } from "./maintenance/options.ts";
import { originSchema } from "./origin/options.ts";
import { redirectSchema } from "./redirect/options.ts";
import { respondSchema } from "./respond/options.ts";
import { securityHeadersSchema } from "./security-headers/options.ts";
import { sizeSchema } from "./size/options.ts";
import { userAgentSchema } from "./user-agent/options.ts";

export const POLICY_SCHEMAS = {
  cors: corsSchema,
  ip: ipSchema,
  size: sizeSchema,
  userAgent: userAgentSchema,
  origin: originSchema,
  maintenance: maintenanceSchema,
  headers: headersSchema,
  securityHeaders: securityHeadersSchema,
  deprecated: deprecatedSchema,
  respond: respondSchema,
  redirect: redirectSchema,
} as const;
