/**
 * The schemas of all built-in policies by name, in the order of their steps: their keys of a route follow from here. Only the schema and
 * the compiler import this table's values: it holds zod.
 */
import { authSchema } from "./auth/options.ts";
import { authorizeSchema } from "./authorize/options.ts";
import { cacheSchema } from "./cache/options.ts";
import { corsSchema } from "./cors/options.ts";
import { deprecatedSchema } from "./deprecated/options.ts";
import { fallbackSchema } from "./fallback/options.ts";
import { faultSchema } from "./fault/options.ts";
import { geoSchema } from "./geo/options.ts";
import { headersSchema } from "./headers/options.ts";
import { idempotencySchema } from "./idempotency/options.ts";
import { ipSchema } from "./ip/options.ts";
import { limitSchema } from "./limit/options.ts";
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
  geo: geoSchema,
  size: sizeSchema,
  userAgent: userAgentSchema,
  origin: originSchema,
  maintenance: maintenanceSchema,
  limit: limitSchema,
  auth: authSchema,
  authorize: authorizeSchema,
  headers: headersSchema,
  securityHeaders: securityHeadersSchema,
  deprecated: deprecatedSchema,
  idempotency: idempotencySchema,
  cache: cacheSchema,
  fallback: fallbackSchema,
  fault: faultSchema,
  respond: respondSchema,
  redirect: redirectSchema,
} as const;
