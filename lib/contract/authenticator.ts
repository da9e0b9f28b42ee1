/**
 * The authenticator contract. An authenticator is a named entry of the config's `auth`: it finds its credential in a request and
 * says who calls. A kind is a folder under lib/authenticators: its definition is listed in authenticators/index.ts, its options in
 * authenticators/schemas.ts. `create` runs once for each name when a config is loaded; routes share what it returns.
 */

import type { CredentialSource } from "../http/credential.ts";
import type { Ask } from "./ask.ts";
import type { Deps } from "./deps.ts";
import type { Exchange, Outgoing, ResponseHead } from "./exchange.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { Consumer } from "./request.ts";

/** Why a presented credential was not accepted. */
export interface AuthFailure {
  /**
   * `invalid`: 401. `missing`: nothing was presented that it takes, found out by asking: as if it had found no credential. `not-allowed`:
   * it is good, but not for this: 403. `unavailable`: what would have to be asked did not answer, and credentials are never taken on
   * trust: 503. `overloaded`: nobody has time to look at it: 503.
   */
  readonly kind: "invalid" | "missing" | "not-allowed" | "unavailable" | "overloaded";
  /** For the operator: which check failed, without any part of the credential. */
  readonly reason: string;
  /** For the caller: one sentence that helps an honest one and nobody else. */
  readonly detail?: string;
  /** Where a browser finds a way in, instead of 401. */
  readonly redirect?: Redirect;
}

export interface Redirect {
  readonly status: number;
  /** `Location` and what goes with it, as name, value, name, value. */
  readonly headers: readonly string[];
}

/** What a challenge says beside its scheme (RFC 6750 section 3). */
export interface ChallengeError {
  readonly error: "invalid_token" | "insufficient_scope";
  /** What the caller may know of it. */
  readonly description?: string | undefined;
  readonly scope?: string;
}

export interface Authenticator {
  readonly name: string;
  /** The end of the sentence "This route takes …": a bearer token in `Authorization`. */
  readonly expects: string;
  /** Where its credential comes from: the first source that holds one counts. No backend gets it. */
  readonly sources: readonly CredentialSource[];
  /** It judges requests without a credential, too: the service that it asks may know a way in. */
  readonly handlesAnonymous?: boolean;
  /** Header fields (lower case) that its judgment depends on, beside those of its credential. */
  readonly varyHeaders?: readonly string[];
  /** The caller's own credential may go on to a backend that asks for it (`forwardCredential`); keys never do. */
  readonly mayForward: boolean;
  /** Fields (lower case) that it alone may set on what goes to a backend: a caller's own are taken away on every route. */
  readonly fields?: readonly string[];
  /** Issuers whose tokens it takes by `Authorization: Bearer`: where a client can get one (RFC 9728). */
  readonly servers?: readonly string[];
  /**
   * Its part of WWW-Authenticate (RFC 9110 section 11.6.1); undefined where no scheme fits. `metadata` is the address of the document
   * that names `servers`.
   */
  challenge(error?: ChallengeError, metadata?: string): string | undefined;
  /**
   * Whether a value in one of its sources is meant for it: "theirs" where its form shows so, "perhaps" where anything could
   * stand there, "no" where it is another's. Of several authenticators, the first whose it certainly is judges it. All by default.
   */
  recognizes?(value: string, source: CredentialSource): "theirs" | "perhaps" | "no";
  /** Who calls, or why the credential is not accepted; or an ask, where that takes the stores. */
  verify(credential: string, exchange: Exchange): MaybePromise<Consumer | AuthFailure | Ask<Consumer | AuthFailure>>;
  /** `verify` may return an ask. */
  readonly asks?: boolean;
  /**
   * What the backend is told of the caller beside `x-gateway-consumer`. `consumer` is whom this authenticator identified: where several
   * did (`allOf`), not the one that the exchange has.
   */
  onRequest?(exchange: Exchange, outgoing: Outgoing, consumer: Consumer): void;
  /** What the caller is told with the answer: a key that is being retired, say. */
  onSend?(exchange: Exchange, head: ResponseHead): void;
}

export interface AuthenticatorDefinition<Options = unknown> {
  readonly kind: string;
  create(name: string, options: Options, parts: AuthenticatorParts): Authenticator;
}

export interface AuthenticatorParts {
  readonly deps: Deps;
  /** Names of claims that routes speak of; an authenticator keeps these of a token, and no others. */
  readonly claims: readonly string[];
}

export function isAuthFailure(result: object): result is AuthFailure {
  return "kind" in result;
}

/**
 * `<authenticator>:<subject>`. A subject is whatever an issuer says; what can't stand in a header field, and `%` itself, is
 * percent-encoded, so that two subjects never share an id and none ends a line (header injection).
 */
export function consumerId(authenticator: string, subject: string): string {
  return `${authenticator}:${subject.toWellFormed().replace(/[^\x21-\x24\x26-\x7e]/gu, (char) => encodeURIComponent(char))}`;
}
