/**
 * Every built-in policy, one line each. The order is that of policies within one phase of the life of a request, and the order in
 * which they shape a request; answers are shaped in reverse. test/policies/order.test.ts spells it out.
 */
import type { PolicyDefinition } from "../contract/policy.ts";
import { auth } from "./auth/auth.ts";
import { authorize } from "./authorize/authorize.ts";
import { cache } from "./cache/cache.ts";
import { cors } from "./cors/cors.ts";
import { deprecated } from "./deprecated/deprecated.ts";
import { fallback } from "./fallback/fallback.ts";
import { fault } from "./fault/fault.ts";
import { geo } from "./geo/geo.ts";
import { headers } from "./headers/headers.ts";
import { idempotency } from "./idempotency/idempotency.ts";
import { ip } from "./ip/ip.ts";
import { limit } from "./limit/limit.ts";
import { maintenance } from "./maintenance/maintenance.ts";
import { origin } from "./origin/origin.ts";
import { redirect } from "./redirect/redirect.ts";
import { respond } from "./respond/respond.ts";
import { securityHeaders } from "./security-headers/security-headers.ts";
import { size } from "./size/size.ts";
import { userAgent } from "./user-agent/user-agent.ts";

const LIST = [
  // Outermost: preflights bring no credentials, and no step may touch the fields of an answer after it.
  cors,
  // Who may call at all, before anything is read of what they say: one look-up per connection.
  ip,
  geo,
  // Sizes before what walks through the fields.
  size,
  userAgent,
  origin,
  maintenance,
  // After what costs nothing to ask. Limits that count by consumer stand in a phase of their own, once the caller is known.
  limit,
  auth,
  authorize,
  // The config's own word on a field is the last: it can change what the two below it set.
  headers,
  securityHeaders,
  deprecated,
  idempotency,
  // Between all that decides and the backend.
  cache,
  fallback,
  // In the place of what answers, so that everything before it is as it would be.
  fault,
  // What answers stands innermost.
  respond,
  redirect,
];

/** By name. Each `create` gets what its own options.ts compiles, which the compiler of the config guarantees. */
export const POLICIES: ReadonlyMap<string, PolicyDefinition> = new Map(
  LIST.map((definition) => [definition.name, definition as PolicyDefinition]),
);
