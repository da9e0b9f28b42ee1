/** `origin`: refuses what a page of another site made a browser send (CSRF), by Sec-Fetch-Site and Origin, without tokens. */
import type { GatewayRequest } from "../../exchange.ts";
import { OriginList } from "../../http/origin.ts";
import type { PolicyDefinition } from "../../policy.ts";
import { refuse } from "../../problem.ts";
import type { OriginOptions } from "./options.ts";

/** RFC 9110 section 9.2.1. A backend that changes something on these can't be protected here. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

export const origin: PolicyDefinition<OriginOptions> = {
  name: "origin",
  row: "screen",
  refuses: ["csrf-denied"],
  cacheable: false,
  create({ allow, deny, unknown }) {
    const allowed = new OriginList(allow.flat());
    const denied = new OriginList(deny.flat());

    /** What Go's CrossOriginProtection does: the browser's own word first, then whether Origin is where the request went. */
    function faultOf({ headers, host }: GatewayRequest): string | undefined {
      const from = headers.get("origin");
      const site = headers.get("sec-fetch-site");
      const told = () => `Origin: ${from ?? "none"}, Sec-Fetch-Site: ${site ?? "none"}`;
      if (from !== undefined && denied.has(from)) return told();
      if (from !== undefined && allowed.has(from)) return undefined;
      // Scripts can't write Sec-*; `none` is the person: an address typed, a bookmark.
      if (site !== undefined) return site === "same-origin" || site === "none" ? undefined : told();
      if (from === undefined) return unknown === "deny" ? told() : undefined;
      // Browsers before 2020 (2023 for Safari). The scheme is not compared: a proxy in front may have ended TLS.
      return hostIn(from) === host.toLowerCase() ? undefined : told();
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

/** Undefined for `null`, which sandboxed frames and some redirects send. */
function hostIn(from: string): string | undefined {
  const start = from.indexOf("://");
  return start < 0 ? undefined : from.slice(start + 3).toLowerCase();
}
