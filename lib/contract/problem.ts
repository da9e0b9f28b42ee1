/**
 * The catalogue of everything the gateway refuses with, and the one place that renders a refusal.
 * A refusal is a value: `code` and `detail` are for the caller, `reason` is for the record and never leaves the gateway.
 */

import { HeaderList } from "../http/header-list.ts";
import type { Json } from "./json.ts";

interface Entry {
  readonly status: number;
  /** The same for every occurrence of the code (RFC 9457 section 3.1.3). */
  readonly title: string;
  /** What it means and what the caller can do: the text of the problem's page. */
  readonly meaning: string;
  /** What the operator of the gateway looks at. */
  readonly operator: string;
}

export const PROBLEMS = {
  "bad-request": {
    status: 400,
    title: "The request is malformed or ambiguous",
    meaning:
      "The target or the framing of the request can be read in more than one way. Send a normalised path, without dot segments, backslashes, empty segments or broken escapes.",
    operator:
      'The record\'s reason names what was ambiguous. A route that must accept such paths can say `guard: "lenient"` or `encodedSlash: "keep"`.',
  },
  "headers-too-large": {
    status: 431,
    title: "The request headers are too large",
    meaning: "Send fewer or shorter header fields; often a cookie has grown.",
    operator: "Limits on headers and URLs are set by the route's `size`.",
  },
  "expectation-failed": {
    status: 417,
    title: "The expectation can't be met",
    meaning: "Send `Expect: 100-continue`, or no `Expect`: no other expectation is defined.",
    operator: "The caller's `Expect` asks for what RFC 9110 section 10.1.1 does not define.",
  },
  "url-too-long": {
    status: 414,
    title: "The URL is too long",
    meaning: "Send a shorter path or query; large inputs belong in a body.",
    operator: "Limits on headers and URLs are set by the route's `size`.",
  },
  "route-not-found": {
    status: 404,
    title: "No route matches this path",
    meaning: "Nothing is served under this path, host and set of headers. Check the spelling; `/a` and `/a/` are two paths.",
    operator: '`frontdesk explain "GET /path"` shows how a request is matched, `frontdesk routes` lists the routes.',
  },
  "method-not-allowed": {
    status: 405,
    title: "The path exists, the method does not",
    meaning: "The `Allow` header lists the methods of this path.",
    operator: "The most specific route wins and never falls through to a wider one; add the method to its `methods`.",
  },
  "loop-detected": {
    status: 508,
    title: "The request has passed this gateway before",
    meaning: "Nothing that a caller can mend.",
    operator: "A backend's address leads back to the gateway: `Via` named this gateway already.",
  },
  "upgrade-unsupported": {
    status: 501,
    title: "This protocol upgrade is not served here",
    meaning: "WebSocket connections are not served on this host or route.",
    operator: "The table of limits in the README says which host serves what.",
  },
  "connection-auth-unsupported": {
    status: 501,
    title: "NTLM and Negotiate are not served here",
    meaning: "These schemes sign in a connection, and behind the gateway callers share connections. Use another way to sign in.",
    operator:
      "The backend offers only NTLM or Negotiate, or the caller sent such a credential. Switch on another scheme at the backend, or sign callers in at the gateway (`auth`).",
  },
  "upgrade-required": {
    status: 426,
    title: "This version of WebSocket is not spoken here",
    meaning: "Begin the connection anew with the version that `Sec-WebSocket-Version` names.",
    operator: "The client speaks a draft from before RFC 6455.",
  },
  "ip-denied": {
    status: 403,
    title: "This address may not call",
    meaning: "The service does not take requests from your network address.",
    operator: "The route's `ip`; the record names the address that the host saw. Behind a proxy, say so in `trust.proxies`.",
  },
  "geo-denied": {
    status: 403,
    title: "The service is not available where you are",
    meaning: "The service does not take requests from your country or region, or can't tell where you are.",
    operator:
      "The route's `geo`; the record names the country that was seen. On the Node host nobody tells it but a CDN or a database: see `trust.geo`.",
  },
  "client-denied": {
    status: 403,
    title: "This client may not call",
    meaning: "The service does not take requests from this kind of client.",
    operator: "The route's `userAgent`; the record names the rule.",
  },
  "csrf-denied": {
    status: 403,
    title: "The request comes from another site",
    meaning: "A page of another site made the browser send this. Send it from the site itself.",
    operator: "The route's `origin`; the record has the Origin and Sec-Fetch-Site that were sent.",
  },
  "payload-too-large": {
    status: 413,
    title: "The request body is too large",
    meaning: "Send a smaller body; the limit is the route's.",
    operator: "`maxBody` of the route, 4mb unless said otherwise; Vercel itself refuses more than 4.5 MB.",
  },
  "request-invalid": {
    status: 400,
    title: "The request is not what is expected here",
    meaning: "`errors` names each thing that is wrong: where it stands, and what is expected.",
    operator: "The record's reason has the same list.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "The body is of a type that is not taken here",
    meaning: "`Accept` names the types that are.",
    operator: "The caller's Content-Type is not one that this endpoint or route reads.",
  },
  "not-found": {
    status: 404,
    title: "There is nothing of that name",
    meaning: "It was never there, or it was removed.",
    operator: "An id in the path of the admin API that no key or other thing has.",
  },
  conflict: {
    status: 409,
    title: "The change does not fit what is there",
    meaning: "`detail` says why: read it again, and decide anew.",
    operator: "Somebody else has changed it meanwhile, or it is past such a change.",
  },
  "request-timeout": {
    status: 408,
    title: "The request did not arrive in time",
    meaning: "The connection was silent or too slow before the request was whole. Send it again.",
    operator:
      "A client that sends its head or body too slowly, or stops: a poor network, or an attempt to hold connections. `timeout.body` of the route says how slowly a body may come.",
  },
  "length-required": {
    status: 411,
    title: "The request body needs a Content-Length",
    meaning: "Send the length of the body in `Content-Length`.",
    operator: "A step of this route needs to know the size before it reads the body.",
  },
  maintenance: {
    status: 503,
    title: "The service is under maintenance",
    meaning: "Try again after the time in `Retry-After`.",
    operator: "Switched on in the config, by a variable, or by `frontdesk maintenance on`.",
  },
  "rate-limited": {
    status: 429,
    title: "Too many requests",
    meaning: "Try again after the time in `Retry-After`. `RateLimit-Policy` lists the limits, `RateLimit` what is left of each.",
    operator:
      "The route's `limit`; the record names the limit. `frontdesk usage` shows what a consumer has used and can reset it.",
  },
  "quota-exhausted": {
    status: 429,
    title: "The quota is used up",
    meaning: "What was agreed for this day or month has been used. `Retry-After` says when the next one begins.",
    operator:
      "The route's `quota` or the consumer's tier. `frontdesk usage` shows and resets it; an override raises it for one consumer.",
  },
  "credentials-missing": {
    status: 401,
    title: "Credentials are required",
    meaning: "`WWW-Authenticate` lists what is accepted.",
    operator: "The route's `auth` names the authenticators; the record says what each looked for.",
  },
  "credentials-invalid": {
    status: 401,
    title: "The credentials were not accepted",
    meaning: "They are wrong, expired, revoked or meant for another service. Obtain new ones.",
    operator: "The record's reason names the check that failed; the caller is not told which.",
  },
  "not-allowed": {
    status: 403,
    title: "The caller may not do this",
    meaning: "The credentials are good, but they do not permit this request.",
    operator: "The record names the rule that refused.",
  },
  "idempotency-key-missing": {
    status: 400,
    title: "An Idempotency-Key is required",
    meaning:
      "Send `Idempotency-Key` with a value that nobody else uses, such as a UUID, and the same one whenever you send the same request again.",
    operator: "The route's `idempotency` says `required`.",
  },
  "idempotency-key-invalid": {
    status: 400,
    title: "The Idempotency-Key can't be read",
    meaning: "Send one field with 1 to 255 visible characters, such as a UUID, with or without quotes around it.",
    operator: "A client that sends several keys, or one with characters that no key has.",
  },
  "idempotency-in-progress": {
    status: 409,
    title: "A request with this Idempotency-Key is still being carried out",
    meaning: "Send the same request again after the time in `Retry-After`: you get the answer of the first.",
    operator:
      "The first request is under way, or it ended without an answer that tells whether it was carried out; then the key is free again after `lock` of the route's `idempotency`.",
  },
  "idempotency-mismatch": {
    status: 422,
    title: "This Idempotency-Key was used for another request",
    meaning: "Use a new key for each new request. A repeated one has the same method, URL, Content-Type and body, byte for byte.",
    operator: "A client that uses a key twice, or does not send the same bytes again (multipart boundaries, times in the body).",
  },
  "idempotency-not-kept": {
    status: 409,
    title: "The request was carried out, but its answer can't be given again",
    meaning: "It is not carried out a second time. Look at the state of what it changed instead.",
    operator:
      "The answer was larger than `maxAnswer` of the route's `idempotency`, or than the room that its caller has in the store.",
  },
  "idempotency-keys-exhausted": {
    status: 429,
    title: "This caller has as many idempotency keys as one may have",
    meaning: "Nothing was carried out. Try again when older keys have ended.",
    operator:
      "One consumer, or one address where nobody says who calls, holds a quarter of all keys that the store has room for. Shorten `ttl`, put a `limit` on the route, or use Redis, which has no such share.",
  },
  "no-backend-available": {
    status: 503,
    title: "No backend can take the request",
    meaning: "Try again after the time in `Retry-After`.",
    operator:
      "No target of the route's pool is usable, and the record lists what was tried; or, with `strict`, there is none for where the caller is.",
  },
  overloaded: {
    status: 503,
    title: "The gateway has as much to do as it can",
    meaning: "Try again after the time in `Retry-After`.",
    operator:
      "The backend's `bulkhead` is full; more passwords wait to be checked than are taken at once (`basic`); on the Node host the event loop was late (`overload`, and the `priority` of routes); or, under `next start`, more uploads than may be held in memory: 64 MB, or one of the largest `maxBody`. The record says which.",
  },
  "backend-unreachable": {
    status: 502,
    title: "The backend could not be reached",
    meaning: "Try again later.",
    operator: "The connection was refused or reset, or no such host exists; the record has the error and the target.",
  },
  "backend-timeout": {
    status: 504,
    title: "The backend did not answer in time",
    meaning: "Try again later; a request that changes something may have been carried out.",
    operator: "`timeout` of the backend or the route; the record says which of connect, firstByte, idle or total ran out.",
  },
  "not-in-cache": {
    status: 504,
    title: "No stored answer fits the request",
    meaning: "The request said `only-if-cached`. Send it without, and the backend is asked.",
    operator: "Nothing to do: the caller wanted a stored answer or none (RFC 9111 section 5.2.1.7).",
  },
  "response-invalid": {
    status: 502,
    title: "The backend's answer can't be passed on",
    meaning: "Try again later.",
    operator:
      "The answer was not HTTP, had a head over 32 KB, or switched protocols unasked; or a step that needs the whole answer found it larger than its bound or not of the agreed form. The record says which.",
  },
  "store-unavailable": {
    status: 503,
    title: "A store that this request depends on is away",
    meaning: "Try again shortly.",
    operator: "Redis did not answer within its budget and the policy says to deny; the record names the limit or the question.",
  },
  internal: {
    status: 500,
    title: "The gateway failed",
    meaning: "A fault of the gateway itself. Quote the request id when reporting it.",
    operator: "A thrown error, logged once with this request id: a bug in the gateway or in a custom policy.",
  },
} as const satisfies Record<string, Entry>;

export type ProblemCode = keyof typeof PROBLEMS;

/** A code of a custom policy's own, which its `problems` declare. */
export type CustomCode = `custom/${string}`;

export type RefusalCode = ProblemCode | CustomCode;

/** What a custom policy says of one of its codes. */
export interface CustomProblem {
  /** From 400 to 599. */
  readonly status: number;
  /** The same for every occurrence of the code (RFC 9457 section 3.1.3). */
  readonly title: string;
  /** What the caller can do: text of the problem's page. */
  readonly meaning?: string | undefined;
  /** What the operator looks at: text of the problem's page. */
  readonly operator?: string | undefined;
}

/** What the backend is to blame for; everything else the gateway refuses by its own rules. */
export const BACKEND_FAILURES: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  "no-backend-available",
  "backend-unreachable",
  "backend-timeout",
  "response-invalid",
]);

/** A refusal: what the caller is told, and what only the record may hold. */
export interface Refusal {
  readonly code: RefusalCode;
  /** Of a custom code: the engine takes it from the policy that refused. */
  readonly problem?: CustomProblem | undefined;
  /** This occurrence, for the caller: one sentence without secrets. */
  readonly detail?: string | undefined;
  /** This occurrence, for the operator: never sent. */
  readonly reason?: string | undefined;
  /** Further fields, such as Allow, Retry-After or WWW-Authenticate, as name, value, name, value. */
  readonly headers?: readonly string[] | undefined;
  /** One entry for each fault in the request (RFC 9457 section 3, extension members). */
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[] | undefined;
  /** Further members of the problem, for its code (RFC 9457 section 3.2). */
  readonly members?: Readonly<Record<string, Json>> | undefined;
}

export function refuse(code: RefusalCode, rest: Omit<Refusal, "code" | "problem"> = {}): Refusal {
  return { code, ...rest };
}

/** An answer that is whole in memory: made by the gateway itself, by a policy, or taken from a store. */
export interface LocalResponse {
  status: number;
  headers: HeaderList;
  body: string | Uint8Array | null;
  /** What follows the body later; the caller gets the body at once. It never rejects. */
  rest?: Promise<string>;
}

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

/** Status and title of a refusal. The engine lets no custom code pass that its policy has not declared. */
export function problemOf({ code, problem }: Pick<Refusal, "code" | "problem">): Pick<CustomProblem, "status" | "title"> {
  return problem ?? PROBLEMS[isProblemCode(code) ? code : "internal"];
}

/** Renders a refusal as application/problem+json (RFC 9457). `path` is the target without its query, which may hold credentials. */
export function renderProblem(refusal: Refusal, requestId: string, path: string): LocalResponse {
  const { status, title } = problemOf(refusal);
  const body = JSON.stringify({
    type: `/gateway/problems/${refusal.code}`,
    title,
    status,
    detail: refusal.detail,
    instance: path,
    code: refusal.code,
    requestId,
    errors: refusal.errors,
    ...refusal.members,
  });
  const headers = new HeaderList([
    "content-type",
    "application/problem+json",
    "cache-control",
    "no-store",
    // The body holds the path: no browser may take it for a page or a script.
    "x-content-type-options",
    "nosniff",
    "x-gateway-error",
    refusal.code,
    ...(refusal.headers ?? []),
  ]);
  return { status, headers, body };
}
