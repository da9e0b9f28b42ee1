/** The schema of a backend. The descriptions are the documentation: docs/config.md and gateway.schema.json are made of them. */
import { z } from "zod";
import { region } from "../../config/region-setting.ts";
import { duration, flag, oneOf, oneOrMore, reference, strict, switchable } from "../../config/schema-fields.ts";
import { fallbackSchema } from "../../policies/fallback/options.ts";
import { breaker, bulkhead, health, percent, retry } from "./resilience.ts";

const wait = (what: string, standard: string) =>
  oneOf('a duration, or "none"', [duration, z.literal(false)])
    .optional()
    .describe(`${what}. ${standard} by default; "none" or false: no limit`);

const byteRate = z.string().meta({ examples: ["240b/s", "1kb/s"] });

const bodyPace = strict("timeout.body", {
  rate: byteRate.optional().describe("The slowest pace: 240b/s by default"),
  grace: duration.optional().describe("By how much a body may fall behind that pace: 5s by default"),
});

const timeouts = strict("timeout", {
  connect: duration.optional().describe("Until the connection to the backend stands. 2s by default"),
  firstByte: wait("From the request's last byte to the first of the answer's head", "30s"),
  idle: wait("Between two pieces of the answer's body; on a WebSocket, between two frames of either side", "No limit"),
  total: wait("The whole exchange, body included; on a WebSocket, the conversation", "No limit"),
  body: oneOf('a rate such as "1kb/s", { rate, grace }, or "none"', [byteRate, bodyPace, z.literal(false)])
    .optional()
    .describe(
      'How slowly a caller may send its body: a rate, or `{ rate, grace }`. 240b/s after 5s by default; "none" or false: no limit. The time in which the backend does not read is not counted. A body that is silent for 30s, or for `grace` where that is longer, is given up in any case',
    ),
});

export const timeout = oneOf("a duration or { connect, firstByte, idle, total, body }", [duration, timeouts]);

export const assertionObject = strict("assertion", {
  audience: z.string().optional().describe("`aud`: the backend's name by default"),
  issuer: z.string().optional().describe("`iss`: `GATEWAY_URL` by default"),
  ttl: duration.optional().describe("How long one is good, from 5s to 1h: 1m by default. It is sent for half of that"),
  header: z
    .string()
    .optional()
    .describe("The field that it is sent in: `x-gateway-assertion` by default; in `authorization`, as `Bearer`"),
  claims: oneOrMore("the name of a claim, or a list of them", z.string())
    .optional()
    .describe("Claims of the caller that it holds, by name, under `claims`"),
});

const address = z.string();

const degrees = (most: number) => {
  const expects = `a number from -${most} to ${most}`;
  return z.number(expects).min(-most, expects).max(most, expects);
};

const at = strict("at", {
  lat: degrees(90).describe("Degrees north of the equator: `50.1`"),
  lon: degrees(180).describe("Degrees east of Greenwich: `8.7`"),
});

const target = strict("target", {
  url: address.describe("Where it is, as `url` of a backend"),
  weight: oneOf("a whole number from 0 to 1000, or a reference", [z.number(), reference])
    .optional()
    .describe("Its share of the requests, beside those of the others: 1 by default. 0 takes none"),
  priority: oneOf("a whole number, or a reference", [z.number(), reference])
    .optional()
    .describe("0 by default. Targets of the lowest number take the requests; those of the next are for when none of them can"),
  where: region
    .optional()
    .describe(
      'Whose requests it takes, by where they are: countries (`"DE"`), or `{ continents, countries, subdivisions, union }`. Without it: of everyone else',
    ),
  at: at.optional().describe('Where it stands, for `balance: "nearest"`: `{ lat, lon }`'),
});

export const targets = z.array(oneOf("a URL or { url, weight, priority, where, at }", [address, target])).min(1);

const wanted = (what: string) =>
  z
    .record(z.string(), oneOf("a text, or true for any value", [z.string(), z.literal(true)]))
    .optional()
    .describe(`${what} by name: a value, or true for any`);

const canary = strict("canary", {
  url: address.describe("Where it is, as `url` of a backend"),
  percent: percent.optional().describe("So many of a hundred callers: 0 by default, which leaves only `when`"),
  sticky: oneOf('"caller", "consumer", "cookie" or false', [z.enum(["caller", "consumer", "cookie"]), z.literal(false)])
    .optional()
    .describe(
      'Who stays with it: "caller" (default; the consumer, else the address), "consumer" (nobody else goes there), "cookie" (set by the gateway: `canary-<backend>`); `false`: each request is drawn for by itself',
    ),
  when: strict("canary.when", { headers: wanted("Header fields"), cookies: wanted("Cookies") })
    .optional()
    .describe("Whoever brings all of these always goes there: `{ headers, cookies }`"),
});

const BALANCES = ["round-robin", "least-inflight", "p2c", "nearest", "hash:ip", "hash:consumer"] as const;

const balance = oneOf(`${BALANCES.map((name) => `"${name}"`).join(", ")}, "hash:header:NAME" or "hash:cookie:NAME"`, [
  z.enum(BALANCES),
  z.templateLiteral(["hash:header:", z.string().min(1)]),
  z.templateLiteral(["hash:cookie:", z.string().min(1)]),
]);

export const backendObject = strict(
  "backend",
  {
    url: address
      .optional()
      .describe(
        "Where it is: an http or https URL, to whose path the request's is joined. May be a reference. A backend has `url` or `targets`",
      ),
    targets: targets.optional().describe("Several addresses of one service: URLs, or `{ url, weight, priority, where, at }`"),
    strict: z
      .boolean()
      .optional()
      .describe(
        "Residency: a request never leaves the targets that `where` has chosen for it. Where none of them can take it, the answer is 503, and so it is for a caller for whom there is none. false by default",
      ),
    balance: balance
      .optional()
      .describe(
        'Which of several targets takes a request: "round-robin" (default), each in turn; "least-inflight", the one with the fewest requests under way; "p2c", the less busy of two drawn at random; "nearest", the one closest to the caller by `at`; "hash:ip", "hash:consumer", "hash:header:NAME", "hash:cookie:NAME", always the same for the same value',
      ),
    canary: canary
      .optional()
      .describe(
        "A new version that a part of the callers gets: `{ url, percent, sticky, when }`. Where it fails, the others take over",
      ),
    slowStart: oneOf("a duration or false", [duration, z.literal(false)])
      .optional()
      .describe(
        "How long a target that is back, or new in a reloaded config, takes to its full share: 5s by default. Not for `hash:…` and `nearest`. `false`: at once",
      ),
    retry,
    health,
    breaker,
    bulkhead,
    idempotencyKeys: z
      .boolean()
      .optional()
      .describe(
        "The backend carries out a request with a known `Idempotency-Key` only once, so that requests of any method which bring one may be sent again. false by default",
      ),
    fallback: switchable("{ status, headers, body }", fallbackSchema.setting).describe(
      "What answers on its routes when all of its targets have failed, as `fallback` of a route, which comes before it; it comes before that of `defaults`, and `false` switches that off",
    ),
    timeout: timeout.optional().describe("A duration means `firstByte`; or `{ connect, firstByte, idle, total, body }`"),
    headers: z
      .record(z.string(), z.string())
      .optional()
      .describe(
        "Sent to the backend in place of the caller's fields of these names; secrets by reference. Never seen by the caller",
      ),
    forwardCredential: z
      .boolean()
      .optional()
      .describe("The caller's own token goes on to the backend, which verifies it again. API keys never go on"),
    preserveHost: flag
      .optional()
      .describe(
        "The backend gets `Host` as the caller sent it; otherwise the name and port of its own `url`. The certificate that it must show is that of its `url` all the same: for the name in it, or for the address",
      ),
    assertion: oneOf("true, false, { audience, issuer, ttl, header, claims }", [z.boolean(), assertionObject])
      .optional()
      .describe(
        "A short-lived JWT, signed by the gateway, that says who calls: for a backend that can be reached on other ways too. Its keys are at `/gateway/jwks.json`",
      ),
  },
  ["openapi"],
);

export const backendSchema = oneOf("a URL or { url, targets, … }", [z.string(), backendObject]);
