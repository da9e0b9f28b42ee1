/** `apiKey`: keys that the gateway hands out and can take back, or whose digests stand in the config. */
import { ask } from "../../contract/ask.ts";
import {
  type Authenticator,
  type AuthenticatorDefinition,
  type AuthFailure,
  consumerId,
  isAuthFailure,
} from "../../contract/authenticator.ts";
import { claimAt } from "../../contract/claims.ts";
import type { Exchange } from "../../contract/exchange.ts";
import type { MaybePromise } from "../../contract/maybe-promise.ts";
import type { Consumer } from "../../contract/request.ts";
import type { KeyRecord } from "../../contract/stores/keys.ts";
import type { StoreCall, StoreResult } from "../../contract/stores/store-calls.ts";
import { digestOf } from "../../crypto/credential-digest.ts";
import { nameOfSource } from "../../http/credential.ts";
import { IpRanges } from "../../http/ip-range.ts";
import { bearerChallenge } from "../bearer-challenge.ts";
import { KeyFormat } from "./key-format.ts";
import { type Asked, keyMemoryOf, type RememberedKey } from "./key-memory.ts";
import { isUsable, statusOf } from "./key-status.ts";
import type { ApiKeyOptions, ConfiguredKey } from "./options.ts";

/** A record with what every request would have to make of it. */
interface Prepared {
  readonly consumer: Consumer;
  readonly ips: IpRanges | undefined;
  readonly routes: ReadonlySet<string> | undefined;
}

type KeyCall = Extract<StoreCall, { kind: "key" }>;
type ChangesCall = Extract<StoreCall, { kind: "key-changes" }>;

/** A longer text is nobody's key, and is not even digested. */
const MAX_LENGTH = 512;
/** How exactly it is known when a key was last used. */
const USED_MS = 60_000;

const MALFORMED: AuthFailure = {
  kind: "invalid",
  reason: "not a well-formed key",
  // Anybody can compute the checksum: this tells a stranger nothing, and the owner of a mistyped key all.
  detail: "This is no whole API key: a character is missing or wrong.",
};
const UNKNOWN: AuthFailure = { kind: "invalid", reason: "there is no such key" };
const UNAVAILABLE: AuthFailure = { kind: "unavailable", reason: "the store of keys did not answer" };

export const apiKey: AuthenticatorDefinition<ApiKeyOptions> = {
  kind: "apiKey",
  create(name, { prefix, sources, keys }, { deps, claims: names }): Authenticator {
    const { stores, clock } = deps;
    const format = new KeyFormat(prefix);
    const memory = keyMemoryOf(stores);
    const configured = keys && new Map(keys.map((key) => [key.digest, recordOf(key)]));
    const carried = `apiKey:${name}`;
    const bearer = sources.some((source) => source.in === "authorization");
    const prepared = new WeakMap<KeyRecord, Prepared>();

    function prepare(record: KeyRecord): Prepared {
      let found = prepared.get(record);
      if (!found) {
        found = {
          consumer: consumerOf(name, record, names),
          ips: record.allowedIps && new IpRanges(record.allowedIps),
          routes: record.allowedRoutes && new Set(record.allowedRoutes),
        };
        prepared.set(record, found);
      }
      return found;
    }

    function judge(record: KeyRecord, exchange: Exchange, nowMs: number, lastUsedMs?: number): Consumer | AuthFailure {
      const status = statusOf(record, nowMs, lastUsedMs);
      if (!isUsable(status)) return { kind: "invalid", reason: `the key ${record.id} is ${status}` };
      const { consumer, ips, routes } = prepare(record);
      const { ip } = exchange.request.client;
      // As if there were no such key: who has stolen it and calls from elsewhere does not learn that it is good.
      if (ips && (ip === undefined || !ips.has(ip)))
        return { kind: "invalid", reason: `the key ${record.id} is not taken from ${ip ?? "an unknown address"}` };
      if (routes && !routes.has(exchange.route.path) && !routes.has(exchange.route.id))
        return { kind: "not-allowed", reason: `the key ${record.id} is not for this route` };
      const { rotation } = record;
      if (rotation)
        exchange.state[carried] = {
          since: seconds(rotation.rotatedMs),
          sunsetMs: Math.min(rotation.sunsetMs, record.expiresMs ?? Infinity),
        };
      return consumer;
    }

    /** Judges what the store said of a key, or has said before, and notes its use. */
    function conclude(known: RememberedKey, exchange: Exchange, nowMs: number): Consumer | AuthFailure {
      const { record, digest } = known;
      if (!record) return UNKNOWN;
      const result = judge(record, exchange, nowMs, known.lastUsedMs);
      if (!isAuthFailure(result) && nowMs - (known.lastUsedMs ?? 0) >= USED_MS) {
        known.lastUsedMs = nowMs;
        deps.defer(Promise.resolve(stores.keys.used(digest, nowMs)));
      }
      return result;
    }

    function judgeKey(digest: string, key: StoreResult<KeyCall>, asked: Asked, exchange: Exchange): Consumer | AuthFailure {
      if (key.state !== "ok") return UNAVAILABLE;
      const nowMs = clock.now();
      return conclude(memory.keep(digest, key.value, asked, nowMs), exchange, nowMs);
    }

    function learn(changes: StoreResult<ChangesCall>, asked: Asked): Asked {
      return changes.state === "ok" ? memory.learn(changes.value, asked) : asked;
    }

    /** Judges a key that was remembered before the changes came. */
    function judgeAgain(digest: string, exchange: Exchange): MaybePromise<Consumer | AuthFailure> {
      const nowMs = clock.now();
      // It may have been revoked since: without an answer nobody is let in.
      if (!memory.isFresh(nowMs)) return UNAVAILABLE;
      const known = memory.find(digest, nowMs);
      if (known) return conclude(known, exchange, nowMs);
      // It was among the changes.
      const asked = memory.ask(nowMs);
      const key = stores.keys.get(digest);
      return key instanceof Promise
        ? key.then((settled) => judgeKey(digest, settled, asked, exchange))
        : judgeKey(digest, key, asked, exchange);
    }

    return {
      name,
      expects: `an API key in ${sources.map(nameOfSource).join(" or ")}`,
      sources,
      mayForward: false,

      challenge(error) {
        if (bearer) return bearerChallenge(error);
        // No scheme is registered for these; a 401 must name one all the same (RFC 9110 section 15.5.2).
        const [source] = sources;
        return source && source.in !== "authorization" ? `ApiKey in="${source.in}", name="${source.name}"` : undefined;
      },

      recognizes(value, source) {
        if (value.startsWith(format.start)) return "theirs";
        // Tokens of others come by Bearer, too.
        return source.in === "authorization" ? "no" : "perhaps";
      },

      asks: !configured,

      verify(credential, exchange) {
        if (configured) {
          const record = credential.length <= MAX_LENGTH ? configured.get(digestOf(credential)) : undefined;
          return record ? judge(record, exchange, clock.now()) : UNKNOWN;
        }
        if (credential.length !== format.length) return MALFORMED;
        const nowMs = clock.now();
        const digest = digestOf(credential);
        const known = memory.find(digest, nowMs);
        // A remembered key had the right form.
        if (!known && !format.fits(credential)) return MALFORMED;
        const isDue = memory.isDue(nowMs);
        if (known && !isDue) return conclude(known, exchange, nowMs);
        const asked = memory.ask(nowMs);
        const key: KeyCall = { kind: "key", digest };
        if (!isDue) return ask([key], ([found]) => judgeKey(digest, found, asked, exchange));
        const changes: ChangesCall = { kind: "key-changes", since: memory.mark };
        // Changes first: a record is never older than they are.
        if (!known) return ask([changes, key], ([news, found]) => judgeKey(digest, found, learn(news, asked), exchange));
        return ask([changes], ([news]) => {
          learn(news, asked);
          return judgeAgain(digest, exchange);
        });
      },

      onSend({ state }, { headers }) {
        const ending = state[carried] as { readonly since: number; readonly sunsetMs: number } | undefined;
        if (!ending) return;
        // RFC 9745 section 2.1, a structured Date; RFC 8594 section 3.
        headers.set("deprecation", `@${ending.since}`);
        headers.set("sunset", new Date(ending.sunsetMs).toUTCString());
      },
    };
  },
};

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

/** What it may say of the caller: the claims that the config names, of the consumer (`sub`) and the metadata. */
function consumerOf(name: string, { id, consumer, scopes, tier, metadata }: KeyRecord, names: readonly string[]): Consumer {
  // Who writes metadata can't choose who calls.
  const all = { ...metadata, sub: consumer };
  const claims = names.flatMap((claim) => {
    const value = claimAt(all, claim);
    return value === undefined ? [] : [[claim, value] as const];
  });
  return {
    id: consumerId(name, consumer),
    authenticator: name,
    key: id,
    scopes: scopes ?? [],
    claims: Object.fromEntries(claims),
    ...(tier === undefined ? {} : { tier }),
  };
}

/** A key of the config has the same form as one of the store, so that both are judged alike. */
function recordOf({ name, digest, consumer, scopes, tier, metadata, expiresSeconds, ips, routes }: ConfiguredKey): KeyRecord {
  return {
    id: `"${name}"`,
    version: 1,
    digest,
    name,
    consumer,
    scopes,
    tier: tier ?? undefined,
    metadata,
    hint: "",
    createdMs: 0,
    expiresMs: expiresSeconds === null ? undefined : expiresSeconds * 1000,
    allowedIps: ips?.flat(),
    allowedRoutes: routes ?? undefined,
  };
}
