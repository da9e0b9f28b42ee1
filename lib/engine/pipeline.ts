/** The pipeline of a route for a method: the steps that it uses and no others. */
import type { Assertion } from "../backends/assertions.ts";
import type { Backend, BackendTarget } from "../backends/backend.ts";
import type { CacheRule } from "../contract/caching.ts";
import type { CompiledVariant } from "../contract/compiled/config.ts";
import type { Policy } from "../contract/policy.ts";
import type { ProblemCode } from "../contract/problem.ts";
import type { CredentialPlace } from "../http/credential.ts";

/** One policy in a pipeline. */
export interface Step {
  readonly name: string;
  readonly rank: number;
  /** False in shadow mode: evaluated and recorded, refusing nothing. */
  readonly enforce: boolean;
  readonly refuses: ReadonlySet<ProblemCode>;
  readonly cacheable: boolean;
  readonly policy: Policy;
}

/** The settings of the variant, such as `timeouts`, with the steps that are built of it. */
export interface Pipeline extends Omit<CompiledVariant, "methods" | "steps"> {
  /** Steps that decide, in the order of their rows; `execute` holds those that need the half that forwards. */
  readonly decide: readonly Step[];
  readonly execute: readonly Step[];
  /** Credentials that stay here. */
  readonly removes: readonly CredentialPlace[];
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
  readonly backend: Backend | undefined;
  readonly assertion: Assertion | undefined;
  readonly mirror: MirrorRule | undefined;
  /** Where a request goes that its own backend has failed. */
  readonly fallback: Pipeline | undefined;
  /** Fields in which an authenticator tells backends of a caller: nobody else may, whether or not the route asks who calls. */
  readonly identityFields: readonly string[];
  /** One target, asked once, and nothing to learn from it: the shortest way. */
  readonly isDirect: boolean;
  /** For the targets whose answers speak of other paths than the caller's. */
  readonly reverseRewrite: ReadonlyMap<BackendTarget, ReverseRewrite>;
  /** Where answers of the backend are kept and given to others. */
  readonly cache: CacheRule | undefined;
}

/** A share of the requests, copied to another backend. */
export interface MirrorRule {
  /** The route's, as it would be if it led to the mirror: no secret and no credential goes there that is meant for the other backend. */
  readonly pipeline: Pipeline;
  /** Of all requests: 0.1 for a tenth. */
  readonly share: number;
  readonly maxBodyBytes: number;
}

/** Maps in place, in name, value, name, value. `host` is the gateway's own, where the backend was told that it is its own too. */
export type ReverseRewrite = (pairs: string[], host: string | undefined) => void;
