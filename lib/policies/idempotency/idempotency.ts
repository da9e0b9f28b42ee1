/** `idempotency`: a request that is sent again under the same key is carried out once (draft-ietf-httpapi-idempotency-key-header). */
import { createHash } from "node:crypto";
import type { Exchange } from "../../contract/exchange.ts";
import type { Decision, PolicyDefinition } from "../../contract/policy.ts";
import { refuse } from "../../contract/problem.ts";
import type { Claim } from "../../contract/stores/once.ts";
import type { StoreReply } from "../../contract/stores/reply.ts";
import type { HeaderList } from "../../http/header-list.ts";
import { networkOf } from "../../http/ip.ts";
import { HeldKeys } from "./held-keys.ts";
import { KeepingSink } from "./keeping-sink.ts";
import { answerOf, keptPairs, readKept } from "./kept-answer.ts";
import type { IdempotencyOptions } from "./options.ts";
import { readIdempotencyKey } from "./read-key.ts";

/** The shortest key of an anonymous caller: another caller who guesses it gets that caller's answer. */
const ANONYMOUS_LENGTH = 16;
/** What callers hear of a key that can't be used. */
const FORM =
  "A key is one value of 1 to 255 visible ASCII characters, such as a UUID; with a comma or a semicolon in it, in double quotes.";
const ANONYMOUS_FORM = `${FORM} On a route without authentication it has at least ${ANONYMOUS_LENGTH}, so that nobody guesses it.`;
const RETRY_AFTER = ["retry-after", "1"];

export const idempotency: PolicyDefinition<IdempotencyOptions> = {
  name: "idempotency",
  phase: "idempotency",
  refuses: [
    "idempotency-key-missing",
    "idempotency-key-invalid",
    "idempotency-keys-exhausted",
    "idempotency-in-progress",
    "idempotency-mismatch",
    "idempotency-not-kept",
    "store-unavailable",
  ],
  cacheable: true,
  create({ required, anonymous, by, ttlMs, lockMs, maxBodyBytes, maxAnswerBytes, onUnavailable }, deps, route) {
    const { stores, clock, defer } = deps;
    const held = new HeldKeys(deps, route.id, ttlMs);

    const isMeant = ({ consumer }: Exchange) => consumer !== undefined || anonymous;
    /** Undefined where there is none, null for one that can't be used. */
    const keyOf = ({ request, consumer }: Exchange) => {
      const key = readIdempotencyKey(request.headers);
      return key && !consumer && key.length < ANONYMOUS_LENGTH ? null : key;
    };

    const valuesOf = (headers: HeaderList) => by.map((field) => headers.get(field) ?? null);

    function judge(exchange: Exchange, name: string, print: string, reply: StoreReply<Claim>): Decision {
      if (reply.state !== "ok") {
        if (onUnavailable === "allow") return undefined;
        return refuse("store-unavailable", {
          headers: RETRY_AFTER,
          reason: `the idempotency key could not be claimed: ${reply.reason}`,
        });
      }
      const claim = reply.value;
      if (claim.state === "claimed") {
        held.add(exchange, { name, token: claim.token, print });
        return undefined;
      }
      if (claim.state === "exhausted") return refuse("idempotency-keys-exhausted");
      if (claim.state === "held") return refuse("idempotency-in-progress", { headers: RETRY_AFTER });
      const kept = readKept(claim.value);
      if (kept?.print !== print) return refuse("idempotency-mismatch");
      if (kept.body === null) return refuse("idempotency-not-kept", { detail: `The answer had the status ${kept.status}.` });
      return answerOf({ ...kept, body: kept.body });
    }

    return {
      requestBody: { mode: "buffer", maxBytes: maxBodyBytes, when: (exchange) => isMeant(exchange) && Boolean(keyOf(exchange)) },
      // Not by an ask: a step before it may refuse by its own result, and the key would be taken for nothing.
      decide(exchange) {
        if (!isMeant(exchange)) return undefined;
        const key = keyOf(exchange);
        if (key === undefined) return required ? refuse("idempotency-key-missing") : undefined;
        if (key === null) return refuse("idempotency-key-invalid", { detail: exchange.consumer ? FORM : ANONYMOUS_FORM });
        // Of a route in shadow mode.
        if (exchange.request.body && !exchange.body) return undefined;
        const { request, consumer } = exchange;
        // With the host: one route may serve several tenants, whose keys are their own.
        const name = `idempotency:${digest([route.id, request.host.toLowerCase(), consumer?.id ?? null, key, ...valuesOf(request.headers)])}`;
        const print = printOf(exchange);
        const claim = stores.once.claim(name, lockMs, clock.now(), ownerOf(exchange));
        return claim instanceof Promise
          ? claim.then((reply) => judge(exchange, name, print, reply))
          : judge(exchange, name, print, claim);
      },
      // The kept answer is also for a caller that reads other encodings than the first one.
      onRequest(exchange, { headers }) {
        if (held.of(exchange)) headers.set("accept-encoding", "identity");
      },
      onResponse(exchange, { headers }) {
        const own = held.of(exchange);
        if (own) own.pairs = keptPairs(headers);
      },
      intercept(exchange, sink) {
        const own = held.of(exchange);
        if (!own) return sink;
        defer(
          new Promise<void>((resolve) => {
            own.done = resolve;
          }),
        );
        return new KeepingSink(sink, maxAnswerBytes, lockMs, (kept) => held.settle(exchange, kept));
      },
      // A request that was refused after its key was taken, or whose caller had gone.
      onEnd: (exchange) => held.settle(exchange, undefined),
    };
  },
};

/** Whose share of the store a key takes. Callers whose address nobody knows share one. */
function ownerOf({ consumer, request: { client } }: Exchange): string {
  if (consumer) return `idempotency:c:${consumer.id}`;
  return `idempotency:i:${client.ip === undefined ? "unknown" : networkOf(client.ip)}`;
}

/** Of what makes two requests the same. Fields that differ from one try to the next (traces, dates) are no part of it. */
function printOf({ request, target, body }: Exchange): string {
  const { method, headers } = request;
  const head = [method, target.raw, headers.get("content-type") ?? null, headers.get("content-encoding") ?? null];
  return digest(head, body);
}

/** JSON keeps the parts apart: none can run over into the next. */
function digest(parts: readonly (string | null)[], body?: Uint8Array): string {
  const hash = createHash("sha256").update(JSON.stringify(parts));
  if (body) hash.update(body);
  return hash.digest("base64url");
}
