/** `ip`: lets addresses in or keeps them out. */

import type { Decision, PolicyDefinition } from "../../contract/policy.ts";
import { refuse } from "../../contract/problem.ts";
import type { Client } from "../../contract/request.ts";
import { IpRanges } from "../../http/ip-range.ts";
import type { IpOptions } from "./options.ts";

export const ip: PolicyDefinition<IpOptions> = {
  name: "ip",
  phase: "screen",
  refuses: ["ip-denied"],
  cacheable: false,
  create({ allow, deny, unknown }) {
    const allowed = allow && new IpRanges(allow.flat());
    const denied = new IpRanges(deny.flat());
    /** One object stands for a connection: its address is looked up once. */
    const known = new WeakMap<Client, string>();

    function faultOf({ ip: address, isDisputed }: Client): string {
      // A caller that makes its address unreadable must not get round `deny` by it.
      if (isDisputed) return "the proxies in front name nobody who can be believed";
      if (address === undefined) return unknown === "deny" ? "the caller's address is not known" : "";
      if (denied.has(address)) return `${address} is denied`;
      return allowed && !allowed.has(address) ? `${address} is not allowed` : "";
    }

    return {
      decide({ request: { client } }): Decision {
        let fault = known.get(client);
        if (fault === undefined) {
          fault = faultOf(client);
          known.set(client, fault);
        }
        return fault === "" ? undefined : refuse("ip-denied", { reason: fault });
      },
    };
  },
};
