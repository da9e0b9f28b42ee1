/** Where `idempotency` of a route holds: for which methods, and for which callers. */

import type { RedisOnVercel } from "../config/env.ts";
import type { Fields } from "../config/fields.ts";
import type { Place, Report } from "../config/issue.ts";
import { asList } from "../config/schema-fields.ts";
import type { Timeouts } from "../contract/compiled/config.ts";
import type { Json } from "../contract/json.ts";
import { POLICY_SCHEMAS } from "../policies/schemas.ts";
import { STANDARD_TIMEOUTS } from "./compile-backends.ts";
import type { RouteSettings } from "./route-settings.ts";

/** Sent twice, they may do twice what they say (RFC 9110 section 9.2.2, RFC 5789 section 2). */
const KEYED_METHODS: readonly string[] = ["POST", "PATCH"];

/** The methods that have a pipeline of their own for it, so that the others stream as ever. */
export function keyedMethods(merged: RouteSettings, methods: readonly string[] | null, report: Report): readonly string[] {
  const { value, place, isDefault } = merged.get("idempotency");
  if (!value) return [];
  const keyed = KEYED_METHODS.filter((method) => methods?.includes(method) ?? true);
  if (keyed.length === 0 && !isDefault)
    report.error(
      "method-not-on-route",
      place,
      `\`idempotency\` is for ${KEYED_METHODS.join(" and ")}, and the route serves neither.`,
    );
  return keyed;
}

/** Undefined where it does not hold. Without callers who are told apart, one's answer would be another's: that has to be said. */
export function idempotencyOptions(
  merged: RouteSettings,
  method: string | null,
  timeouts: Timeouts | null,
  redis: RedisOnVercel | undefined,
  fields: Fields,
): Json | undefined {
  const { value, place, isDefault } = merged.get("idempotency");
  const isOfDefaults = merged.place[0] === "defaults";
  if (!value || method === null || !KEYED_METHODS.includes(method) || (!timeouts && !isOfDefaults)) return undefined;
  const options = POLICY_SCHEMAS.idempotency.compile(value, place, fields, timeouts ?? STANDARD_TIMEOUTS);
  if (isOfDefaults) return undefined;
  if (asList(merged.get("auth").value).includes("none") && !options.anonymous) {
    if (!isDefault)
      fields.report.error(
        "needs-auth",
        place,
        '`idempotency` keeps answers by caller, and `auth: "none"` asks nobody who calls.',
        "Name an authenticator in `auth`, or say `anonymous: true`.",
      );
    return undefined;
  }
  checkStore(redis, place, fields.report);
  return options as unknown as Json;
}

function checkStore(redis: RedisOnVercel | undefined, place: Place, report: Report): void {
  if (redis === undefined || redis === "set") return;
  report[redis === "absent" ? "warn" : "error"](
    "needs-redis",
    place,
    "`idempotency` needs Redis on Vercel: without it each instance has keys of its own, and what another has carried out is carried out again.",
    "Add Upstash Redis to the project, or set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN.",
  );
}
