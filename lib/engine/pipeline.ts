/** The pipeline of a route for a method: the steps that it uses and no others. */
import type { Assertion } from "../backends/assertions.ts";
import type { Backend, BackendTarget } from "../backends/backend.ts";
import type { CacheRule } from "../contract/caching.ts";
import type { CompiledVariant, Timeouts } from "../contract/compiled/config.ts";
import type { CompiledRetry } from "../contract/compiled/resilience.ts";
import type { Policy } from "../contract/policy.ts";
import type { CustomCode, CustomProblem, RefusalCode } from "../contract/problem.ts";
import type { CredentialSource } from "../http/credential.ts";

/** One policy in a pipeline. */
export interface Step {
  readonly name: string;
  readonly order: number;
  /** False in shadow mode: evaluated and recorded, refusing nothing. */
  readonly enforce: boolean;
  readonly refuses: ReadonlySet<RefusalCode>;
  /** By the custom codes of a custom policy. */
  readonly problems?: Readonly<Record<CustomCode, CustomProblem>> | undefined;
  readonly cacheable: boolean;
  readonly policy: Policy;
}

/** The settings of the variant, such as `maxBodyBytes`, with the steps and the upstreams that are built of it. */
export interface Pipeline extends Omit<CompiledVariant, "methods" | "steps" | "timeouts" | "retry"> {
  /** Steps that decide, in the order of their phases; `execute` holds those that need the half that forwards. */
  readonly decide: readonly Step[];
  readonly execute: readonly Step[];
  readonly onRequest: readonly Step[];
  readonly onResponse: readonly Step[];
  readonly onSend: readonly Step[];
  readonly onEnd: readonly Step[];
  /** Steps with an answer of their own for when the backend has failed. */
  readonly onBackendFailure: readonly Step[];
  /** Steps through which an answer goes on its way to the caller. */
  readonly intercepts: readonly Step[];
  /** Steps that see or replace chunks of a body; the response's in the order of onResponse. */
  readonly requestBody: readonly Step[];
  readonly responseBody: readonly Step[];
  /** The smallest bound of the steps that want the whole body in memory; undefined where none does. */
  readonly bufferRequestBytes: number | undefined;
  /** Steps that want it only for some requests. */
  readonly mayBufferRequest: readonly Step[];
  readonly bufferResponseBytes: number | undefined;
  /** "handler" where a verdict needs the raw body: on Vercel the front half then only screens. */
  readonly decideIn: "front" | "handler";
  /** The route's own backend; undefined where the route answers by itself. */
  readonly upstream: Upstream | undefined;
  /** The backend for requests that the route's own has failed. */
  readonly fallback: Upstream | undefined;
  readonly mirror: MirrorRule | undefined;
  /** Fields in which authenticators name the caller to backends. A client's own are dropped, also on routes without `auth`. */
  readonly identityFields: readonly string[];
  /** Where answers of the backend are kept and given to others. */
  readonly cache: CacheRule | undefined;
}

/** A backend, as a route asks it. Secrets and credentials for one upstream of a route never go to another. */
export interface Upstream {
  readonly backend: Backend;
  readonly assertion: Assertion | undefined;
  readonly timeouts: Timeouts;
  /** Absent: no attempt after the first. */
  readonly retry?: CompiledRetry;
  /** One target, asked once, and nothing to learn from it: the shortest way. */
  readonly isDirect: boolean;
  /** For the targets whose answers speak of other paths than the caller's. */
  readonly reverseRewrite: ReadonlyMap<BackendTarget, ReverseRewrite>;
  /** The caller's credentials that this backend does not get. */
  readonly strippedCredentials: readonly CredentialSource[];
}

/** A share of the requests, copied to another backend. */
export interface MirrorRule {
  readonly upstream: Upstream;
  /** Steps that transform the copied body. Those that only look at it have seen the request already. */
  readonly requestBody: readonly Step[];
  /** Of all requests: 0.1 for a tenth. */
  readonly share: number;
  readonly maxBodyBytes: number;
}

/** Maps in place, in name, value, name, value. `host` is the gateway's own, where the backend was told that it is its own too. */
export type ReverseRewrite = (pairs: string[], host: string | undefined) => void;
