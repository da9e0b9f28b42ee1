/**
 * The policy contract. A policy is a folder under lib/policies: its definition is listed in policies/index.ts, its options
 * in policies/schemas.ts. `create` runs once per route when a config is loaded; what it returns is called for each request.
 * The gateway owns order, timing, tracing and shadow mode; a policy only decides.
 */

import type { CredentialSource } from "../http/credential.ts";
import type { Target } from "../http/target.ts";
import type { Ask } from "./ask.ts";
import type { Authenticator } from "./authenticator.ts";
import type { CacheOptions } from "./caching.ts";
import type { Deps } from "./deps.ts";
import type { Exchange, Outgoing, ResponseHead } from "./exchange.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { CustomPhase, Phase } from "./phases.ts";
import type { CustomCode, CustomProblem, LocalResponse, ProblemCode, Refusal } from "./problem.ts";
import type { Outcome } from "./record.ts";
import type { RouteInfo } from "./route-info.ts";
import type { Sink } from "./sink.ts";

/** Nothing (go on), a refusal, or a whole answer (a redirect, a preflight, a replay). */
export type Decision = undefined | Refusal | LocalResponse;
/** A policy's part in a body that streams. Bytes of other routes pass untouched. */
export interface BodyPart {
  /** `observe` sees each chunk, `transform` replaces it, `buffer` asks for the whole body first. */
  readonly mode: "observe" | "transform" | "buffer";
  /** For `buffer`: a larger body is refused with payload-too-large (request) or response-invalid (response). */
  readonly maxBytes?: number;
  /** For a buffered request body: only for these requests, the others stream. */
  when?(exchange: Exchange): boolean;
  /** A tap for each body: `chunk` sees or replaces a chunk, `end` adds the rest. Absent for a buffered request body: that is `exchange.body`. */
  open?(exchange: Exchange): BodyTap;
}
export interface BodyTap {
  chunk(bytes: Uint8Array): Uint8Array | undefined;
  end?(): Uint8Array | undefined;
}

export interface Policy {
  /** A decision, or an ask: calls to the stores, and what is decided by their results. */
  decide?(exchange: Exchange): MaybePromise<Decision | Ask<Decision>>;
  /** `decide` may return an ask. Steps before it then send their calls together with its own, in one trip to the store. */
  readonly asks?: boolean;
  /** Credentials of the caller that no backend gets. They are taken away before anything is added: a backend's own fields stay. */
  readonly strippedCredentials?: readonly CredentialSource[];
  /** Changes the request to the backend, once for each attempt. */
  onRequest?(exchange: Exchange, outgoing: Outgoing): void;
  /** The shared part of an answer: stored with it in a cache. Runs in reverse order. */
  onResponse?(exchange: Exchange, head: ResponseHead): void;
  /** An answer in place of a refusal, which the record has all the same: for when the backend has failed. */
  onBackendFailure?(exchange: Exchange, refusal: Refusal): LocalResponse | undefined;
  /** @deprecated The former name of `onBackendFailure`. */
  instead?(exchange: Exchange, refusal: Refusal): LocalResponse | undefined;
  /** Every answer, refusals and cache hits included; the last to touch it. Runs in reverse order. */
  onSend?(exchange: Exchange, head: ResponseHead): void;
  readonly requestBody?: BodyPart;
  readonly responseBody?: BodyPart;
  /** Last before the cache and the backend: their answer goes to this sink in place of the caller's own. For built-in policies. */
  intercept?(exchange: Exchange, sink: Sink): Sink;
  /**
   * What its onRequest and onResponse take from a request beside method, host and target (values of fields, say), as text. Answers
   * that a cache gives to others are kept apart by it. A custom policy with such a hook and without this one says `cacheable`,
   * or nothing is stored on its routes.
   */
  cacheKey?(exchange: Exchange): string;
  /** Rules by which the backend's answers are stored: only the policy `cache` has them. */
  readonly cache?: CacheOptions;
  /** Origins whose scripts may call: only the policy `cors` has it. */
  readonly cors?: CorsRule;
  /** At most once, in the half that ends the request, also after an abort. Not awaited: use `deps.defer`. */
  onEnd?(exchange: Exchange, outcome: Outcome): void;
}

/** A route's answer to a preflight. */
export interface CorsRule {
  readonly credentials: boolean;
  /** What may be granted for the route's path; undefined: the method that was asked for. */
  readonly methods: readonly string[] | undefined;
  allows(origin: string): boolean;
}

export interface PolicyDefinition<Options = unknown> {
  readonly name: string;
  /** Where its verdict ranks; undefined for a policy that never decides. */
  readonly phase?: Phase;
  /** Every code it may refuse with; the gateway treats another as a bug. */
  readonly refuses: readonly ProblemCode[];
  /** Whether an answer that passed it may be served from a shared cache to another caller without asking it again. */
  readonly cacheable: boolean;
  /** True where its verdict needs the raw request body: the whole decision then moves to the handler. */
  readonly needsBody?: boolean;
  create(options: Options, deps: Deps, route: RouteInfo, parts: RouteParts): Policy;
}

/** The parts of the gateway that a policy may use. */
export interface RouteParts {
  /** By name. */
  readonly authenticators: ReadonlyMap<string, Authenticator>;
  /** Absent where the route answers itself. */
  readonly backend: { readonly forwardCredential: boolean } | undefined;
  /** False in shadow mode: for a policy that does more than decide. */
  readonly enforce: boolean;
  /** Where a client learns whose tokens a path takes (RFC 9728); undefined where nothing tells. */
  readonly metadata: { urlFor(target: Target): string | undefined } | undefined;
}

/** A policy that a user writes in gateway.config.ts or policies/, named in a route's `use`. */
export interface CustomPolicy {
  readonly name: string;
  /** The phase in which it decides; "authorize" by default. */
  readonly phase?: CustomPhase;
  /** An alias of `phase` for one version. */
  readonly row?: CustomPhase;
  readonly cacheable?: boolean;
  readonly mode?: "enforce" | "shadow";
  /** The codes of its own that it refuses with. */
  readonly problems?: Readonly<Record<CustomCode, CustomProblem>>;
  create(deps: Deps, route: RouteInfo): Policy;
}
