/** `idempotency`: a request that is sent again under the same key is carried out once (draft-ietf-httpapi-idempotency-key-header). */
import { createHash } from "node:crypto";
import type { HeaderList } from "../../http/header-list.ts";
import { networkOf } from "../../http/ip.ts";
import type { AttemptRecord } from "../../observe/record.ts";
import type { Decision, Exchange, MaybePromise, PolicyDefinition } from "../../policy.ts";
import { refuse } from "../../problem.ts";
import type { Claim } from "../../stores/once.ts";
import type { StoreReply } from "../../stores/reply.ts";
import { KeepingSink, type Kept } from "./keeping-sink.ts";
import { answerOf, type KeptAnswer, keptPairs, readKept } from "./kept-answer.ts";
import type { IdempotencyOptions } from "./options.ts";
import { readIdempotencyKey } from "./read-key.ts";

/** A key that somebody holds while the request is carried out. */
interface Held {
  readonly name: string;
  readonly token: string;
  readonly print: string;
  /** Of the backend's answer, as everybody would get it. */
  pairs: readonly string[] | undefined;
  isSettled: boolean;
  /** Lets go of the instance, which was kept for the outcome. */
  done: (() => void) | undefined;
}

/** Whoever guesses the key of a caller without a name gets that caller's answer. */
const ANONYMOUS_LENGTH = 16;
/** What callers hear of a key that can't be used. */
const FORM =
  "A key is one value of 1 to 255 visible ASCII characters, such as a UUID; with a comma or a semicolon in it, in double quotes.";
const ANONYMOUS_FORM = `${FORM} On a route without authentication it has at least ${ANONYMOUS_LENGTH}, so that nobody guesses it.`;
const RETRY_AFTER = ["retry-after", "1"];
/** By these a backend says that it has done nothing and may be asked again: RFC 9110 sections 15.5.2 and 15.5.9, 8470, 6585. */
const ASK_AGAIN = new Set([401, 408, 425, 429]);

export const idempotency: PolicyDefinition<IdempotencyOptions> = {
  name: "idempotency",
  row: "idempotency",
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
    const { stores, clock, log, defer } = deps;
    const held = new WeakMap<Exchange, Held>();

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
        held.set(exchange, { name, token: claim.token, print, pairs: undefined, isSettled: false, done: undefined });
        return undefined;
      }
      if (claim.state === "exhausted") return refuse("idempotency-keys-exhausted");
      if (claim.state === "held") return refuse("idempotency-in-progress", { headers: RETRY_AFTER });
      const kept = readKept(claim.value);
      if (kept?.print !== print) return refuse("idempotency-mismatch");
      if (kept.body === null) return refuse("idempotency-not-kept", { detail: `The answer had the status ${kept.status}.` });
      return answerOf({ ...kept, body: kept.body });
    }

    /**
     * What becomes of the key. Without a whole answer of the backend nobody knows whether it has done its work, or does it still:
     * then the key stays locked until `lock` is over, unless nothing was sent at all.
     */
    function settle(exchange: Exchange, kept: Kept | undefined): void {
      const own = held.get(exchange);
      if (!own || own.isSettled) return;
      own.isSettled = true;
      const { name, token, print, pairs } = own;
      const answer = pairs && kept;
      if (answer && answer.status < 500 && !ASK_AGAIN.has(answer.status)) {
        const body = answer.body ? Buffer.from(answer.body).toString("base64") : null;
        const value: KeptAnswer = { print, status: answer.status, pairs, body };
        const complete = (kept: KeptAnswer) => stores.once.complete(name, token, JSON.stringify(kept), ttlMs, clock.now());
        settled(
          exchange,
          orWithout(complete(value), () => complete({ ...value, pairs: [], body: null })),
          (done) => done,
        );
      } else if (answer || !exchange.record.attempts.some(mayHaveDoneIt)) {
        settled(exchange, stores.once.release(name, token), () => true);
      }
      own.done?.();
    }

    function settled<T>(exchange: Exchange, reply: MaybePromise<StoreReply<T>>, isDone: (value: T) => boolean): void {
      if (reply instanceof Promise) {
        defer(reply.then((late) => settled(exchange, late, isDone)));
        return;
      }
      if (reply.state === "ok" && isDone(reply.value)) return;
      const reason = reply.state === "ok" ? "its lock was over" : reply.reason;
      log.error("the outcome of a request could not be kept for its idempotency key", {
        route: route.id,
        requestId: exchange.requestId,
        reason,
      });
    }

    return {
      requestBody: { mode: "buffer", maxBytes: maxBodyBytes, when: (exchange) => isMeant(exchange) && Boolean(keyOf(exchange)) },
      // Not by `reads`: a step before it may refuse when its own answer comes, and the key would be taken for nothing.
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
      // Who asks again may read other encodings than who asked first.
      onRequest(exchange, { headers }) {
        if (held.has(exchange)) headers.set("accept-encoding", "identity");
      },
      onResponse(exchange, { headers }) {
        const own = held.get(exchange);
        if (own) own.pairs = keptPairs(headers);
      },
      intercept(exchange, sink) {
        const own = held.get(exchange);
        if (!own) return sink;
        defer(
          new Promise<void>((resolve) => {
            own.done = resolve;
          }),
        );
        return new KeepingSink(sink, maxAnswerBytes, lockMs, (kept) => settle(exchange, kept));
      },
      // Whoever was refused after the key was taken, or had gone.
      onEnd: (exchange) => settle(exchange, undefined),
    };
  },
};

/** Whose share of the store a key takes. Callers whose address nobody knows share one. */
function ownerOf({ consumer, request: { client } }: Exchange): string {
  if (consumer) return `idempotency:c:${consumer.id}`;
  return `idempotency:i:${client.ip === undefined ? "unknown" : networkOf(client.ip)}`;
}

/** Where there is no room for an answer, it is kept that there was one: carried out again is worse than answered by a 409. */
function orWithout<T>(
  reply: MaybePromise<StoreReply<T>>,
  without: () => MaybePromise<StoreReply<T>>,
): MaybePromise<StoreReply<T>> {
  if (reply instanceof Promise) return reply.then((late) => orWithout(late, without));
  return reply.state === "unavailable" && reply.reason === "error" ? without() : reply;
}

function mayHaveDoneIt({ wasSent, status }: AttemptRecord): boolean {
  return wasSent && (status === undefined || status < 500);
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
