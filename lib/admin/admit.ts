/** Who may see what belongs to the operator: the bearer of GATEWAY_ADMIN_TOKEN, and in the demo anybody on this very machine. A scheduler may do one thing. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Log } from "../contract/deps.ts";
import { type Refusal, refuse } from "../contract/problem.ts";
import type { GatewayRequest } from "../contract/request.ts";
import type { CounterRule, LocalCounters, Take } from "../contract/stores/counters.ts";
import { networkOf } from "../http/ip.ts";
import { siteOf } from "../http/origin.ts";
import { secondsUntil } from "../http/seconds-until.ts";
import type { Sessions } from "./sessions.ts";

export interface AdminAccess {
  /** Undefined: nobody is an operator, and what is the operator's does not exist. */
  readonly token: string | undefined;
  /** Admits a scheduler to a run of the health checks, and to nothing else. */
  readonly cronSecret?: string | undefined;
  /** Admits a scraper to the metrics, and to nothing else. */
  readonly metricsToken?: string | undefined;
  /**
   * The demo and `npm run dev`: callers on this machine need no token. A loopback `Host` keeps pages on other sites from reaching it by
   * DNS rebinding.
   */
  readonly openOnLoopback: boolean;
}

/** Without Basic, which a browser would ask for: the password of Basic is taken all the same, for curl. */
const CHALLENGE = 'Bearer realm="frontdesk"';
/** Undefined: the host does not know, and listens for this machine alone. */
const isHere = (ip: string | undefined) => ip === undefined || ip === "::1" || ip.startsWith("127.");
const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;

/** Undefined: admitted. Without a token set, the answer is that of a path that does not exist. */
export type Admit = (request: AskingRequest) => Refusal | undefined;

/** Where a caller's address is not known, such callers count as one. */
type AskingRequest = Pick<GatewayRequest, "host" | "headers"> & Partial<Pick<GatewayRequest, "client">>;

/**
 * Wrong tokens from one place on the network in a minute; after them none is looked at until the minute is over, not even the right one,
 * or guessing would go on. Operators elsewhere are not held up.
 */
const GUESSES: CounterRule = { algorithm: "fixed-window", limit: 10, windowMs: 60_000 };

/** Where many share an address, or nobody knows it, a stranger's guesses lock the operator out of the API. */
const LOCKED_OUT =
  "Too many wrong admin tokens came from this address: for a minute none is looked at, not even the right one. Meanwhile the `frontdesk` command on the machine or the Redis of this gateway works on its store directly, without `--url`.";

export interface AdmitDeps {
  /** Of this instance: they answer at once, are bounded, and don't go away. */
  readonly counters: LocalCounters;
  readonly log: Log;
  now(): number;
}

/** The operator, by the token or by a session. */
export function createAdmit({ token, openOnLoopback }: AdminAccess, deps: AdmitDeps, sessions?: Sessions): Admit {
  return admitWith([token], openOnLoopback, deps, sessions);
}

/** The operator, or a scheduler. A wrong guess here counts with those elsewhere. */
export function createCronAdmit({ token, cronSecret, openOnLoopback }: AdminAccess, deps: AdmitDeps): Admit {
  return admitWith([token, cronSecret], openOnLoopback, deps);
}

/** The operator, or a scraper. */
export function createMetricsAdmit({ token, metricsToken, openOnLoopback }: AdminAccess, deps: AdmitDeps): Admit {
  return admitWith([token, metricsToken], openOnLoopback, deps);
}

function admitWith(
  set: readonly (string | undefined)[],
  openOnLoopback: boolean,
  { counters, log, now }: AdmitDeps,
  sessions?: Sessions,
): Admit {
  const tokens = set.filter((token) => token !== undefined);
  return ({ host, headers, client }) => {
    if (openOnLoopback && LOOPBACK_HOST.test(host) && isHere(client?.ip)) return undefined;
    if (tokens.length === 0) return refuse("route-not-found");
    const presented = presentedToken(headers.get("authorization"));
    if (presented === undefined && sessions?.isOpen(headers)) return undefined;
    if (presented === undefined) return refuse("credentials-missing", { headers: ["www-authenticate", CHALLENGE] });
    const from = client?.ip === undefined ? "unknown" : networkOf(client.ip);
    const guess: readonly Take[] = [{ key: `admin:${from}`, rule: GUESSES, cost: 1, enforce: true }];
    const nowMs = now();
    const before = counters.peek(guess, nowMs);
    const [count] = before.state === "ok" ? before.value : [];
    if (count && !count.allowed) {
      const headers = ["retry-after", String(secondsUntil(count.resetMs, nowMs))];
      return refuse("rate-limited", { reason: "too many wrong admin tokens", detail: LOCKED_OUT, headers });
    }
    if (tokens.some((token) => isSame(presented, token))) return undefined;
    const after = counters.take(guess, nowMs);
    // Once in a window: whoever guesses shall not fill the log.
    if (after.state === "ok" && after.value.counts[0]!.remaining === 0)
      log.warn("somebody tries admin tokens: no more are looked at in this minute", { from, tried: GUESSES.limit });
    return refuse("credentials-invalid", { reason: "not the admin token", headers: ["www-authenticate", CHALLENGE] });
  };
}

/** A browser sends a password that it has by itself, whoever wrote the page (CSRF); a Bearer token only a script of ours sends. */
export function refuseForced(request: Pick<GatewayRequest, "host" | "headers">): Refusal | undefined {
  const { headers } = request;
  if (/^bearer /i.test(headers.get("authorization") ?? "") || siteOf(request) !== "other") return undefined;
  return refuse("csrf-denied", {
    reason: `Origin: ${headers.get("origin")}, Sec-Fetch-Site: ${headers.get("sec-fetch-site")}`,
  });
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
