/** `origin`: refuses what a page of another site made a browser send (CSRF), by Sec-Fetch-Site and Origin, without tokens. */

import type { PolicyDefinition } from "../../contract/policy.ts";
import { refuse } from "../../contract/problem.ts";
import type { GatewayRequest } from "../../contract/request.ts";
import { OriginList, siteOf } from "../../http/origin.ts";
import type { OriginOptions } from "./options.ts";

/** RFC 9110 section 9.2.1. A backend that changes something on these can't be protected here. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

export const origin: PolicyDefinition<OriginOptions> = {
  name: "origin",
  phase: "screen",
  refuses: ["csrf-denied"],
  cacheable: false,
  create({ allow, deny, unknown }) {
    const allowed = new OriginList(allow.flat());
    const denied = new OriginList(deny.flat());

    function faultOf(request: GatewayRequest): string | undefined {
      const { headers } = request;
      const from = headers.get("origin");
      const told = () => `Origin: ${from ?? "none"}, Sec-Fetch-Site: ${headers.get("sec-fetch-site") ?? "none"}`;
      if (from !== undefined && denied.has(from)) return told();
      if (from !== undefined && allowed.has(from)) return undefined;
      const site = siteOf(request);
      return site === "other" || (site === "unknown" && unknown === "deny") ? told() : undefined;
    }

    return {
      decide({ request }) {
        // Browsers open WebSockets across sites, cookies and all, by a GET: cross-site WebSocket hijacking.
        if (SAFE.has(request.method) && !request.headers.has("upgrade")) return undefined;
        const reason = faultOf(request);
        return reason === undefined ? undefined : refuse("csrf-denied", { reason });
      },
    };
  },
};
