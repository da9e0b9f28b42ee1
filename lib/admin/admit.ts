/** Who may see what belongs to the operator: the bearer of GATEWAY_ADMIN_TOKEN, and in the demo anybody on this very machine. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { GatewayRequest } from "../exchange.ts";
import { type Refusal, refuse } from "../problem.ts";

export interface AdminAccess {
  /** Undefined: nobody is an operator, and what is the operator's does not exist. */
  readonly token: string | undefined;
  /** The demo has no secrets; a loopback `Host` keeps pages on other sites from reaching it by DNS rebinding. */
  readonly openOnLoopback: boolean;
}

const CHALLENGE = 'Basic realm="frontdesk", Bearer realm="frontdesk"';
const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;

/** Undefined: admitted. Without a token set, the answer is that of a path that does not exist. */
export function admit(request: Pick<GatewayRequest, "host" | "headers">, access: AdminAccess): Refusal | undefined {
  if (access.openOnLoopback && LOOPBACK_HOST.test(request.host)) return undefined;
  if (access.token === undefined) return refuse("route-not-found");
  const presented = presentedToken(request.headers.get("authorization"));
  if (presented === undefined) return refuse("credentials-missing", { headers: ["www-authenticate", CHALLENGE] });
  if (isSame(presented, access.token)) return undefined;
  return refuse("credentials-invalid", { reason: "not the admin token", headers: ["www-authenticate", CHALLENGE] });
}

/** `Bearer <token>`, or the password of Basic so that a browser can ask for it (RFC 7617). */
function presentedToken(authorization: string | undefined): string | undefined {
  const [scheme, value] = authorization?.split(" ", 2) ?? [];
  if (value === undefined) return undefined;
  if (/^bearer$/i.test(scheme!)) return value;
  if (!/^basic$/i.test(scheme!)) return undefined;
  const pair = Buffer.from(value, "base64").toString("utf8");
  return pair.slice(pair.indexOf(":") + 1);
}

/** Digests have one length, so the time taken tells nothing of the token, not even its length. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
