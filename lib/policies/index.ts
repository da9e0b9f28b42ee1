/**
 * Every built-in policy, one line each. The order is that of policies within one row of the life of a request, and the order in
 * which they shape a request; answers are shaped in reverse. test/policies/order.test.ts spells it out.
 */
import type { PolicyDefinition } from "../policy.ts";
import { headers } from "./headers/headers.ts";
import { redirect } from "./redirect/redirect.ts";
import { respond } from "./respond/respond.ts";

const LIST = [headers, respond, redirect];

/** By name. Each `create` gets what its own options.ts compiles, which the compiler of the config guarantees. */
export const POLICIES: ReadonlyMap<string, PolicyDefinition> = new Map(
  LIST.map((definition) => [definition.name, definition as PolicyDefinition]),
);
