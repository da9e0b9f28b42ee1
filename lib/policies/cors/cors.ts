/** `cors`: which origins' scripts may call, by the Fetch standard. Answers preflights; every answer carries the fields, errors too. */
import type { Exchange } from "../../contract/exchange.ts";
import type { PolicyDefinition } from "../../contract/policy.ts";
import { HeaderList } from "../../http/header-list.ts";
import { OriginList } from "../../http/origin.ts";
import { addVary } from "../../http/vary.ts";
import type { CorsOptions } from "./options.ts";

/** What scripts always get to read beside the standard's own safe list. */
const ALWAYS_EXPOSED = ["x-request-id", "RateLimit", "RateLimit-Policy", "Retry-After", "x-gateway-error"];
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export const cors: PolicyDefinition<CorsOptions> = {
  name: "cors",
  phase: "cors",
  refuses: [],
  // What depends on the origin says so in Vary.
  cacheable: true,
  create({ origins, credentials, methods, headers, expose, maxAgeSeconds }) {
    const allowed = origins === "*" ? undefined : new OriginList(origins.flat());
    const exposed = [...ALWAYS_EXPOSED, ...expose].join(", ");
    /** Without a list of origins and without credentials the answer is the same for everybody. */
    const varies = allowed !== undefined;

    /** The value of Access-Control-Allow-Origin; undefined where this caller gets none. */
    function allowOrigin({ request }: Exchange): string | undefined {
      if (!allowed) return "*";
      const origin = request.headers.get("origin");
      return origin !== undefined && allowed.has(origin) ? origin : undefined;
    }

    function answerPreflight({ request, granted = [] }: Exchange, fields: HeaderList): void {
      const listed = granted.filter((method) => TOKEN.test(method));
      if (listed.length > 0) fields.append("access-control-allow-methods", listed.join(", "));
      const wanted = headers ?? namesIn(request.headers.get("access-control-request-headers"));
      if (wanted.length > 0) fields.append("access-control-allow-headers", wanted.join(", "));
      fields.append("access-control-max-age", String(maxAgeSeconds));
    }

    return {
      cors: { credentials, methods, allows: (origin) => !allowed || allowed.has(origin) },
      decide: (exchange) => (isPreflight(exchange) ? { status: 204, headers: new HeaderList(), body: null } : undefined),
      onSend(exchange, { headers: fields }) {
        // The backend's own would stand beside ours, and two origins are none to a browser.
        dropAccessControl(fields);
        // Also where no Origin was sent: a cache would give this answer to a script, without the fields it needs.
        if (varies) addVary(fields, "Origin");
        const origin = allowOrigin(exchange);
        if (origin === undefined) return;
        fields.append("access-control-allow-origin", origin);
        if (credentials) fields.append("access-control-allow-credentials", "true");
        if (isPreflight(exchange)) answerPreflight(exchange, fields);
        else fields.append("access-control-expose-headers", exposed);
      },
    };
  },
};

/** Fetch standard, CORS-preflight request. Any other OPTIONS is the backend's. */
function isPreflight({ request: { method, headers } }: Exchange): boolean {
  return method === "OPTIONS" && headers.has("origin") && headers.has("access-control-request-method");
}

/** Only names go back: what was asked for is the caller's own text. */
function namesIn(list: string | undefined): string[] {
  return (list ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => TOKEN.test(name));
}

function dropAccessControl({ pairs }: HeaderList): void {
  for (let i = pairs.length - 2; i >= 0; i -= 2) {
    const name = pairs[i]!;
    if (name.length > 15 && name.slice(0, 15).toLowerCase() === "access-control-") pairs.splice(i, 2);
  }
}
