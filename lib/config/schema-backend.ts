/** The schema of a backend. The descriptions are the documentation: docs/config.md and gateway.schema.json are made of them. */
import { z } from "zod";
import { duration, flag, oneOf, oneOrMore, strict } from "./schema-fields.ts";

const wait = (what: string, standard: string) =>
  oneOf('a duration, or "none"', [duration, z.literal(false)])
    .optional()
    .describe(`${what}. ${standard} by default; "none" or false: no limit`);

const timeouts = strict("timeout", {
  connect: duration.optional().describe("Until the connection to the backend stands. 2s by default"),
  firstByte: wait("From the request's last byte to the first of the answer's head", "30s"),
  idle: wait("Between two pieces of the answer's body", "No limit"),
  total: wait("The whole exchange, body included", "No limit"),
});

export const timeout = oneOf("a duration or { connect, firstByte, idle, total }", [duration, timeouts]);

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

export const backendObject = strict(
  "backend",
  {
    url: z
      .string()
      .optional()
      .describe("Where it is: an http or https URL, to whose path the request's is joined. May be a reference"),
    timeout: timeout.optional().describe("A duration means `firstByte`; or `{ connect, firstByte, idle, total }`"),
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
        "The backend gets `Host` as the caller sent it; otherwise the name and port of its own `url`. The certificate that it must show is that of its `url` all the same",
      ),
    assertion: oneOf("true, false, { audience, issuer, ttl, header, claims }", [z.boolean(), assertionObject])
      .optional()
      .describe(
        "A short-lived JWT, signed by the gateway, that says who calls: for a backend that can be reached on other ways too. Its keys are at `/gateway/jwks.json`",
      ),
  },
  [
    "targets",
    "strict",
    "canary",
    "balance",
    "retry",
    "breaker",
    "bulkhead",
    "slowStart",
    "health",
    "idempotencyKeys",
    "openapi",
    "fallback",
  ],
);

export const backendSchema = oneOf("a URL or { url, timeout, headers }", [z.string(), backendObject]);
