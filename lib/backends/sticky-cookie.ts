/** The step that gives a caller a cookie of the gateway's own, by which later requests find the same target. */

import type { Deps } from "../contract/deps.ts";
import type { Policy } from "../contract/policy.ts";
import { cookieValue, sessionCookie } from "../http/cookie.ts";

const VALUE_BYTES = 9;

/** `name` is the cookie's; the value drawn for a caller without one is left under `key` in `state`, for who chooses. */
export function stickyCookie(name: string, key: string, { random }: Pick<Deps, "random">): Policy {
  return {
    decide({ request, state }) {
      if (cookieValue(request.headers, name) === undefined) state[key] = Buffer.from(random(VALUE_BYTES)).toString("base64url");
      return undefined;
    },
    onSend({ request, state }, head) {
      const value = state[key];
      if (typeof value === "string") head.headers.append("set-cookie", sessionCookie(name, value, request.scheme));
    },
  };
}
