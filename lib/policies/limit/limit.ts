/**
 * `limit`: how much a caller may ask for. All limits of a request are taken in one call, and all must allow. A cost that is known only
 * at the end (tokens, the length of a connection, a failed log-in) is reserved before and settled then.
 */
import type { Policy, PolicyDefinition } from "../../contract/policy.ts";
import type { Stores } from "../../contract/stores/stores.ts";
import { AskForUsage } from "./ask-for-usage.ts";
import type { LimitOptions } from "./compiled-limit.ts";
import { LimitStep } from "./limit-step.ts";
import { OverridesSnapshot } from "./overrides.ts";
import { Renewals } from "./renewals.ts";

/** One for each set of stores, so that all routes, and the gateways of later configs, ask together. */
const snapshots = new WeakMap<Stores, OverridesSnapshot>();

export const limit: PolicyDefinition<LimitOptions> = {
  name: "limit",
  phase: "limit",
  refuses: ["rate-limited", "quota-exhausted", "store-unavailable"],
  // A cached answer consumes too.
  cacheable: false,
  create(options, deps, route) {
    const snapshot = snapshots.get(deps.stores) ?? new OverridesSnapshot();
    snapshots.set(deps.stores, snapshot);
    const step = new LimitStep(options, route.id, deps, snapshot);
    const { meters } = step;
    const renewals = new Renewals(deps);
    // Only the hooks that its limits need: most are asked and told, and that is all.
    return {
      asks: true,
      decide: (exchange) => step.decide(exchange),
      ...(options.headers === "none" ? {} : { onSend: (exchange, head) => step.tell(exchange, head) }),
      ...(meters.isEmpty ? {} : { onResponse: (exchange, { headers }) => meters.readHead(exchange, headers) }),
      ...(meters.readsBody ? { responseBody: { mode: "observe", open: (exchange) => meters.openBody(exchange) } } : {}),
      ...(meters.asksForUsage ? { requestBody: { mode: "transform", open: () => new AskForUsage() } } : {}),
      ...(step.takesLeases || meters.readsBody
        ? {
            onRequest(exchange, { headers }) {
              // What is compressed can't be read.
              if (meters.readsBody) headers.set("accept-encoding", "identity");
              const leases = step.leasesOf(exchange);
              if (leases.length > 0) renewals.hold(exchange, leases);
            },
          }
        : {}),
      ...(step.leavesCharges
        ? {
            onEnd(exchange, outcome) {
              renewals.drop(exchange);
              step.end(exchange, outcome);
            },
          }
        : {}),
    } satisfies Policy;
  },
};
