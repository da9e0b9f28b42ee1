/** `maintenance`: answers 503 while the service is worked on, but for the paths and people that are let through. */
import { createHash, timingSafeEqual } from "node:crypto";
import { ask } from "../../contract/ask.ts";
import type { Exchange } from "../../contract/exchange.ts";
import type { Decision, Policy, PolicyDefinition } from "../../contract/policy.ts";
import { refuse } from "../../contract/problem.ts";
import type { GatewayRequest } from "../../contract/request.ts";
import type { Stores } from "../../contract/stores/stores.ts";
import { HeaderList } from "../../http/header-list.ts";
import { IpRanges } from "../../http/ip-range.ts";
import { fitsShape } from "../../http/path-shape.ts";
import type { MaintenanceOptions } from "./options.ts";
import { SwitchSnapshot } from "./switch.ts";

/** One for each set of stores, so that all routes, and the gateways of later configs, ask together. */
const snapshots = new WeakMap<Stores, SwitchSnapshot>();

export const maintenance: PolicyDefinition<MaintenanceOptions> = {
  name: "maintenance",
  phase: "maintenance",
  refuses: ["maintenance"],
  cacheable: true,
  create({ on, retryAfterSeconds, body, except, allow }, { stores, clock }) {
    const snapshot = snapshots.get(stores) ?? new SwitchSnapshot();
    snapshots.set(stores, snapshot);
    const ips = new IpRanges(allow.ips.flat());
    const headers = allow.headers.map(([name, value]) => [name, digestOf(value)] as const);
    const retryAfter = ["retry-after", String(retryAfterSeconds)];

    const isLetThrough = ({ client, headers: sent }: GatewayRequest): boolean =>
      (client.ip !== undefined && ips.has(client.ip)) ||
      headers.some(([name, digest]) => sent.all(name).some((value) => timingSafeEqual(digestOf(value), digest)));

    const answer = (): Decision => {
      if (body === null) return refuse("maintenance", { headers: retryAfter });
      const type = body.trimStart().startsWith("<") ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
      const fields = ["content-type", type, "cache-control", "no-store", "x-gateway-error", "maintenance", ...retryAfter];
      return { status: 503, headers: new HeaderList(fields), body };
    };

    const decide = ({ request, target }: Exchange): Decision => {
      if (!on && !snapshot.value.on) return undefined;
      if (except.some((shape) => fitsShape(shape, target.segments)) || isLetThrough(request)) return undefined;
      return answer();
    };

    // A service that the config closes stays closed, whatever the switch says.
    const policy: Policy = on
      ? { decide }
      : {
          asks: true,
          decide(exchange) {
            const refresh = snapshot.refresh(clock.now());
            if (!refresh) return decide(exchange);
            return ask([refresh], ([result]) => {
              snapshot.update(result, clock.now());
              return decide(exchange);
            });
          },
        };
    // A credential for the gateway, which is nothing to the backend.
    if (headers.length > 0) policy.onRequest = (_, outgoing) => headers.forEach(([name]) => outgoing.headers.delete(name));
    return policy;
  },
};

/** Digests have one length, so the time taken to compare tells nothing of the value. */
function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
