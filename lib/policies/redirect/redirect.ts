/** `redirect`: sends the caller elsewhere. */

import type { PolicyDefinition } from "../../contract/policy.ts";
import { refuse } from "../../contract/problem.ts";
import { renderTemplate } from "../../contract/render-template.ts";
import { HeaderList } from "../../http/header-list.ts";
import { hasDotSegment } from "../../http/target.ts";
import type { RedirectOptions } from "./options.ts";

export const redirect: PolicyDefinition<RedirectOptions> = {
  name: "redirect",
  phase: "answer",
  refuses: ["bad-request"],
  cacheable: true,
  create: ({ status, to, keepQuery }) => ({
    decide(exchange) {
      const base = renderTemplate(to, exchange, "path");
      if (hasDotSegment(base)) return refuse("bad-request", { detail: "A value in the request would change the path." });
      const location = keepQuery ? withQuery(base, exchange.target.search) : base;
      return { status, headers: new HeaderList(["location", location]), body: null };
    },
  }),
};

/** The query as received, before a fragment; after the query that `location` has of its own. */
function withQuery(location: string, search: string): string {
  if (search.length <= 1) return location;
  const hash = location.indexOf("#");
  const [address, fragment] = hash < 0 ? [location, ""] : [location.slice(0, hash), location.slice(hash)];
  return address + (address.includes("?") ? `&${search.slice(1)}` : search) + fragment;
}
