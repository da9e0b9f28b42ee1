/** `jwt`: a signed token (RFC 7519) of an issuer that is trusted, or of one's own. */
import { type AuthenticatorDefinition, type AuthFailure, isAuthFailure } from "../../contract/authenticator.ts";
import type { Deps } from "../../contract/deps.ts";
import type { Exchange, Outgoing } from "../../contract/exchange.ts";
import type { MaybePromise } from "../../contract/maybe-promise.ts";
import { renderField } from "../../contract/render-template.ts";
import type { Consumer } from "../../contract/request.ts";
import { nameOfSource } from "../../http/credential.ts";
import { bearerChallenge } from "../bearer-challenge.ts";
import { VerifiedTokenCache } from "../verified-token-cache.ts";
import { callerOf } from "./caller.ts";
import { faultOfClaims, issuerFault } from "./check-claims.ts";
import { IssuerKeys } from "./issuer-keys.ts";
import { type KeySource, keysOf, secretsOf } from "./key-source.ts";
import type { JwtOptions } from "./options.ts";
import { marksOf } from "./revocation.ts";
import { type Revocable, revokedTokensOf } from "./revoked-tokens.ts";
import { signatureFault } from "./signature.ts";
import { invalid, issuerIn, quoted, type ReadToken, readToken } from "./token.ts";

interface Verified {
  readonly caller: Consumer;
  /** Where tokens can be taken back. */
  readonly revocable: Revocable | undefined;
}

export const jwt: AuthenticatorDefinition<JwtOptions> = {
  kind: "jwt",
  create(name, options, { deps, claims: kept }) {
    const { issuers, algorithms, sources, headers, revocation } = options;
    const remembered = new VerifiedTokenCache<Verified>();
    const isBearer = sources.some((source) => source.in === "authorization");
    const revoked = revocation && revokedTokensOf(deps.stores);
    const keysByIssuer = keySources(options, deps, () => remembered.clear());
    const tended = [...keysByIssuer.values()].filter(({ tend }) => tend);
    const keySourceOf = (issuer: unknown): KeySource => keysByIssuer.get(issuer as string) ?? keysByIssuer.get(undefined)!;

    async function verifyAtFirstSight(text: string): Promise<Consumer | AuthFailure> {
      const token = readToken(text);
      if (isAuthFailure(token)) return token;
      const { alg, kid, claims } = token;
      // The config says which algorithms there are; the token only which of these it used. `none` is never among them (RFC 8725 section 3.1).
      if (!algorithms.includes(alg)) return invalid(`alg ${quoted(alg)} is not among ${algorithms.join(", ")}`);
      const foreign = issuerFault(claims.iss, issuers);
      if (foreign) return foreign;
      const keys = await keySourceOf(claims.iss).keysFor({ alg, kid });
      if ("away" in keys) return { kind: "unavailable", reason: keys.away };
      if (keys.length === 0) return invalid(`no key of the issuer has kid ${quoted(kid)} for ${alg}`);
      const { generation } = remembered;
      const fault = (await signatureFault(text, keys, algorithms)) ?? faultOfClaims(token, options, deps.clock.now());
      if (fault) return fault;
      const caller = callerOf(name, claims, options, kept);
      if (!caller) return invalid(`the token does not say who calls: "${options.consumer}" is missing, or no text`);
      const marks = revocation ? marksOf(name, token, revocation.maxLifeMs) : undefined;
      if (marks && isAuthFailure(marks)) return marks;
      const verified = { caller, revocable: marks && { ...marks, fault: undefined, asOf: undefined } };
      remembered.set(text, verified, endOf(token, options), deps.clock.now(), generation);
      return judge(verified);
    }

    /** What is remembered of a token is that it was good: it may have been taken back since. */
    function judge({ caller, revocable }: Verified): MaybePromise<Consumer | AuthFailure> {
      if (!revoked || !revocable) return caller;
      const fault = revoked.faultOf(revocable, deps.clock.now(), deps.defer);
      return fault instanceof Promise ? fault.then((settled) => settled ?? caller) : (fault ?? caller);
    }

    function tellBackend(exchange: Exchange, outgoing: Outgoing, consumer: Consumer): void {
      const { route, target, params, request } = exchange;
      const values = consumer === exchange.consumer ? exchange : { route, target, params, request, consumer };
      for (const [field, template] of headers) {
        const value = renderField(template, values);
        if (value !== undefined) outgoing.headers.set(field, value);
      }
    }

    return {
      name,
      expects: `a token in ${sources.map((source) => (source.in === "authorization" ? "`Authorization: Bearer`" : nameOfSource(source))).join(" or ")}`,
      sources,
      mayForward: true,
      fields: headers.map(([field]) => field),
      servers: isBearer ? issuers : [],
      challenge(error, metadata) {
        return isBearer ? bearerChallenge(error, issuers.length > 0 ? metadata : undefined) : undefined;
      },
      recognizes(text) {
        if (issuers.length === 0) return "perhaps";
        if (remembered.get(text, deps.clock.now())) return "theirs";
        return issuers.includes(issuerIn(text) as string) ? "theirs" : "perhaps";
      },
      verify(text): MaybePromise<Consumer | AuthFailure> {
        for (const source of tended) source.tend!();
        const known = remembered.get(text, deps.clock.now());
        return known ? judge(known) : verifyAtFirstSight(text);
      },
      ...(headers.length > 0 ? { onRequest: tellBackend } : {}),
    };
  },
};

/** By issuer; that of `undefined` is for all. */
function keySources({ issuers, keys }: JwtOptions, deps: Deps, onChange: () => void): ReadonlyMap<string | undefined, KeySource> {
  switch (keys.kind) {
    case "secret":
      return new Map([[undefined, secretsOf(keys.secrets.flat())]]);
    case "keys":
      return new Map([[undefined, keysOf(keys.keys.flat())]]);
    case "jwks":
      return new Map([[undefined, new IssuerKeys({ issuer: issuers[0], jwks: keys.url }, deps, onChange)]]);
    case "discovery":
      return new Map(issuers.map((issuer) => [issuer, new IssuerKeys({ issuer, jwks: undefined }, deps, onChange)]));
  }
}

/** When it ends for whoever remembers it, in epoch milliseconds. */
function endOf({ claims }: ReadToken, { toleranceSeconds }: JwtOptions): number {
  return ((claims.exp as number) + toleranceSeconds) * 1000;
}
