/** `userAgent`: keeps kinds of clients out by what they say they are. It stops the honest: anybody can write another name. */
import type { PolicyDefinition } from "../../contract/policy.ts";
import { refuse } from "../../contract/problem.ts";
import type { UserAgentOptions } from "./options.ts";

export const userAgent: PolicyDefinition<UserAgentOptions> = {
  name: "userAgent",
  phase: "screen",
  refuses: ["client-denied"],
  cacheable: false,
  create({ allow, deny, unknown }) {
    const allowed = allow?.map(matcherOf);
    const denied = deny.map(matcherOf);
    return {
      decide({ request }) {
        const name = request.headers.get("user-agent")?.toLowerCase();
        if (name === undefined || name === "") {
          return unknown === "deny" ? refuse("client-denied", { reason: "no User-Agent" }) : undefined;
        }
        const rule = denied.findIndex((fits) => fits(name));
        if (rule >= 0) return refuse("client-denied", { reason: `denied by ${JSON.stringify(deny[rule])}` });
        if (allowed && !allowed.some((fits) => fits(name))) return refuse("client-denied", { reason: "no entry of allow fits" });
        return undefined;
      },
    };
  },
};

/** Texts in order, found from the left: one pass, whatever the pattern. A regular expression of a user's could take for ever. */
function matcherOf(pattern: string): (name: string) => boolean {
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  const last = rest.pop();
  if (last === undefined) return (name) => name.includes(first);
  return (name) => {
    if (!name.startsWith(first)) return false;
    let at = first.length;
    for (const piece of rest) {
      const found = name.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return name.length - last.length >= at && name.endsWith(last);
  };
}
