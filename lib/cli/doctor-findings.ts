/** What `frontdesk doctor` makes of what it heard: for each hop what was seen, a verdict, and how to mend it. */
import { isIPv4 } from "node:net";
import type { SeenBackend } from "../admin/doctor.ts";
import { cacheMarksIn } from "../http/cache-marks.ts";
import type { ClientStatement } from "../http/client-statement.ts";
import { regionText } from "../http/vercel-regions.ts";
import { changesIn, type Heard, isStreamed, type NoAnswer, type OtherAnswer, type Reply } from "./doctor-ask.ts";

export interface Finding {
  /** `frontend`, `gateway`, or the name of a backend. */
  readonly hop: string;
  readonly what: string;
  readonly saw: string;
  /** `odd` may be as it should; `unknown` could not be told. */
  readonly verdict: "good" | "odd" | "bad" | "unknown";
  readonly fix?: string;
}

/** What was asked by way of the frontend, several times; and of the gateway at its own address, where that is known. */
export interface Walk {
  readonly throughFrontend: readonly [Reply, ...Reply[]];
  readonly direct: Reply | undefined;
}

/** Clocks of machines that are looked after differ by less. */
const MAX_SKEW_MS = 5_000;

export function findingsOf({ throughFrontend, direct }: Walk): Finding[] {
  const [first] = throughFrontend;
  const heardDirect = direct?.kind === "heard" ? direct : undefined;
  const atGateway = heardDirect ?? (first.kind === "heard" ? first : undefined);
  return [
    ...(first.kind === "heard" ? frontendFindings(first, throughFrontend, heardDirect) : [notReached("frontend", first)]),
    ...(direct === undefined
      ? [
          {
            hop: "gateway",
            what: "reached",
            saw: "not asked at its own address",
            verdict: "unknown",
            fix: "Name it: --gateway https://gateway.example.com, or GATEWAY_URL.",
          } as const,
        ]
      : direct.kind === "heard"
        ? [reached("gateway", direct)]
        : [notReached("gateway", direct)]),
    ...(atGateway ? [clock(atGateway), region(atGateway), ...atGateway.backends.flatMap(backendFindings)] : []),
  ];
}

function reached(hop: string, { seen }: Heard): Finding {
  const where = seen.host === "vercel" ? "on Vercel" : "on the Node host";
  return { hop, what: "reached", saw: `the gateway answers: frontdesk ${seen.version} ${where}`, verdict: "good" };
}

function notReached(hop: "frontend" | "gateway", reply: NoAnswer | OtherAnswer): Finding {
  const base = { hop, what: "reached", verdict: "bad" } as const;
  if (reply.kind === "none")
    return { ...base, saw: `no answer from ${reply.url.origin}: ${reply.error}`, fix: "Is it running, and is that its address?" };
  const { status, headers } = reply;
  if (hop === "gateway" || headers.has("x-gateway-error"))
    return {
      ...base,
      saw: `${status} ${headers.get("x-gateway-error") ?? ""}`.trim(),
      fix: "A gateway answered, but not the doctor: is GATEWAY_ADMIN_TOKEN the same here and there (the demo prints its own), and does the x-gateway-doctor field get through?",
    };
  const location = headers.get("location");
  return {
    ...base,
    saw: location === null ? `${status}: not the gateway's answer` : `${status}, to ${location}`,
    fix: "The frontend answered itself: name a path that it hands on (frontdesk doctor https://shop.example/api), or add the rewrite (docs/deploy.md). Where it asks for a key, give it by --header.",
  };
}

function frontendFindings(first: Heard, all: readonly Reply[], direct: Heard | undefined): Finding[] {
  return [
    reached("frontend", first),
    caller(first, direct),
    line(first, direct),
    ...fields(first),
    streaming(all),
    cache(first, all),
  ];
}

function callerText({ seen: { client } }: Heard): string {
  return [client.ip ?? "an unknown address", client.geo?.country].filter(Boolean).join(", ");
}

const WORD_FIXES: Record<Exclude<ClientStatement["verdict"], "believed">, string> = {
  stale: "its clock is behind, or it holds requests back for over a minute: set its clock.",
  early: "its clock is ahead: set it.",
  forged: "the secret differs, or it signs another method or path than the gateway gets.",
  malformed: "compare what it sends with docs/frontends.md; `ip` must be an address.",
};

function caller(first: Heard, direct: Heard | undefined): Finding {
  const base = { hop: "frontend", what: "caller", saw: callerText(first) } as const;
  const { frontend, ip } = first.seen.client;
  if (frontend && frontend.verdict !== "believed") {
    const seconds = Math.round(Math.abs(frontend.aheadMs ?? 0) / 1000);
    const clockText = frontend.aheadMs === undefined ? "" : ` (${seconds} s ${frontend.aheadMs < 0 ? "ago" : "ahead"})`;
    return {
      ...base,
      saw: `${base.saw}: the frontend's x-gateway-client is ${frontend.verdict}${clockText}`,
      verdict: "bad",
      fix: `The frontend's word is not believed: ${WORD_FIXES[frontend.verdict]}`,
    };
  }
  const how = frontend ? `${base.saw}: as the frontend states, signed` : base.saw;
  const own = direct?.seen.client.ip ?? undefined;
  if (ip === own && ip !== undefined) return { ...base, saw: how, verdict: "good" };
  if (own === undefined || ip === null)
    return {
      ...base,
      saw: how,
      verdict: "unknown",
      fix: "Whether that is this machine shows where the gateway's own address is known, and the gateway knows who connects.",
    };
  if (isIPv4(own) !== isIPv4(ip))
    return {
      ...base,
      saw: how,
      verdict: "unknown",
      fix: `At its own address the gateway sees ${own}: another version of IP, which can't be compared.`,
    };
  return {
    ...base,
    saw: `${how}, while this machine is ${own}`,
    verdict: "bad",
    fix: frontend
      ? "The frontend states somebody else: read there what its own platform says of the caller."
      : "The gateway sees your frontend's edge, not the person: add trust.frontends (docs/frontends.md).",
  };
}

/** Next spells queries anew on their way into the gateway itself: what arrives at its own address is the measure. */
function line({ url, seen }: Heard, direct: Heard | undefined): Finding {
  const base = { hop: "frontend", what: "request" } as const;
  if (seen.method !== "GET")
    return { ...base, saw: `GET arrives as ${seen.method}`, verdict: "bad", fix: "Hand methods on as they are." };
  const [path = "", query = ""] = seen.target.split("?");
  const saw = path === url.pathname ? "the path as sent" : `${url.pathname} arrives as ${path}`;
  const expected = [url.search.slice(1), direct?.seen.target.split("?")[1]];
  if (expected.includes(query) || (seen.host === "vercel" && !direct)) return { ...base, saw, verdict: "good" };
  return {
    ...base,
    saw: `${saw}; ${url.search} arrives as ?${query}`,
    verdict: "odd",
    fix: "Harmless, unless something signs or caches by the query's exact text.",
  };
}

function fields(heard: Heard): Finding[] {
  const { lost, changed } = changesIn(heard);
  const base = { hop: "frontend", what: "fields" } as const;
  const credentials = lost.filter((name) => name === "authorization" || name === "cookie");
  if (lost.length + changed.length === 0) return [{ ...base, saw: "arrive as sent", verdict: "good" }];
  return [
    ...(lost.length === 0
      ? []
      : [
          {
            ...base,
            saw: `lost: ${lost.join(", ")}`,
            verdict: credentials.length > 0 ? "bad" : "odd",
            fix:
              credentials.length > 0
                ? "Let them through: without them nobody can be told who calls."
                : "Let them through, where somebody needs them.",
          } as const,
        ]),
    ...(changed.length === 0
      ? []
      : [{ ...base, saw: `changed: ${changed.join(", ")}`, verdict: "odd", fix: "Hand them on as they are." } as const]),
  ];
}

/** A machine that stalls reads two parts at once: held back is what never came in parts. */
function streaming(all: readonly Reply[]): Finding {
  const heard = all.filter((reply) => reply.kind === "heard");
  const base = { hop: "frontend", what: "streaming" } as const;
  if (heard.some(isStreamed)) return { ...base, saw: "answers come as they are made", verdict: "good" };
  return {
    ...base,
    saw: "what the gateway sent in two parts, a second apart, came at once",
    verdict: "bad",
    fix: "Switch buffering and compression off for these paths (Next: compress: false; nginx: proxy_buffering off).",
  };
}

function cache(first: Heard, all: readonly Reply[]): Finding {
  const base = { hop: "frontend", what: "cache" } as const;
  const kept = all.find((reply) => reply.kind === "heard" && reply.seen.nonce !== reply.nonce);
  if (kept)
    return {
      ...base,
      saw: "an answer that says no-store was kept, and given to the next",
      verdict: "bad",
      fix: "Let nothing on the way keep these paths: what it keeps of one caller, others will see.",
    };
  const marks = cacheMarksIn({ get: (name) => first.headers.get(name) ?? undefined });
  const says = first.headers.get("cache-control") ?? "nothing";
  if (!/no-store/.test(says))
    return {
      ...base,
      saw: `Cache-Control was no-store, and is ${says}`,
      verdict: "odd",
      fix: "Hand Cache-Control on as it is, to browsers too.",
    };
  return {
    ...base,
    saw: marks.length === 0 ? "nothing was kept" : `nothing was kept; on the way: ${marks.join(", ")}`,
    verdict: "good",
  };
}

/** The gateway read its clock after the request was sent and before the first part was here. */
function clock({ seen, sentAt, firstPartAt }: Heard): Finding {
  const base = { hop: "gateway", what: "clock" } as const;
  const [ahead, behind] = [seen.now - firstPartAt, sentAt - seen.now];
  const off = Math.max(ahead, behind);
  if (off <= MAX_SKEW_MS) return { ...base, saw: "agrees with this machine's", verdict: "good" };
  return {
    ...base,
    saw: `${Math.round(off / 1000)} s ${ahead > behind ? "ahead of" : "behind"} this machine's`,
    verdict: "bad",
    fix: "Set whichever is wrong by NTP: tokens, signatures and limits go by it.",
  };
}

function region({ seen: { host, region: ran, regions } }: Heard): Finding {
  const base = { hop: "gateway", what: "region" } as const;
  if (host === "node") return { ...base, saw: "a machine of your own", verdict: "good" };
  if (ran === null) return { ...base, saw: "not known", verdict: "unknown", fix: "Vercel says it in VERCEL_REGION." };
  if (regions.length === 0 || regions.includes(ran)) return { ...base, saw: `ran in ${regionText(ran)}`, verdict: "good" };
  return {
    ...base,
    saw: `ran in ${regionText(ran)}, not in ${regions.map(regionText).join(", ")}`,
    verdict: "bad",
    fix: `Say "regions": ${JSON.stringify(regions)} in vercel.json, and deploy.`,
  };
}

function backendFindings({ backend, url, ms, status, error, aheadMs = 0, caches = [] }: SeenBackend): Finding[] {
  const hop = `backend ${backend}`;
  if (error !== undefined)
    return [
      {
        hop,
        what: "reached",
        saw: `${url}: ${error} after ${ms} ms`,
        verdict: "bad",
        fix: "Is it running, and may the gateway reach it from where it runs?",
      },
    ];
  const said = `${url} answers ${status} in ${ms} ms`;
  const skewed = Math.abs(aheadMs) > MAX_SKEW_MS;
  return [
    status !== undefined && status >= 500
      ? { hop, what: "reached", saw: said, verdict: "odd", fix: "It is there, and says that it fails: its own log tells why." }
      : { hop, what: "reached", saw: said, verdict: "good" },
    ...(caches.length > 0
      ? [
          {
            hop,
            what: "cache",
            saw: caches.join(", "),
            verdict: "odd",
            fix: "A cache stands before it: it must go by Cache-Control.",
          } as const,
        ]
      : []),
    ...(skewed
      ? [
          {
            hop,
            what: "clock",
            saw: `${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? "ahead of" : "behind"} the gateway's`,
            verdict: "bad",
            fix: "Set it by NTP: assertions and caching go by it.",
          } as const,
        ]
      : []),
  ];
}
