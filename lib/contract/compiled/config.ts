/**
 * A compiled config: plain, frozen data that names nothing it does not hold. The schema produces it once (at start on the Node
 * host, at build on Vercel); the engine reads it and never sees the config that a user wrote.
 *
 * Two forms share these types. As built, a place that refers to a variable holds a `Reference`, so that no secret is written
 * into a build artifact. `resolveReferences` (./references.ts) replaces each by its value at start; the engine sees only that form.
 */

import type { GeoFields } from "../../http/geo-fields.ts";
import type { Priority } from "../load.ts";
import type { Phase } from "../phases.ts";
import type { Template } from "../template.ts";
import type { CompiledBackend, Timeouts } from "./backend.ts";
import type { CompiledObserve } from "./observe.ts";
import type { CompiledRetry } from "./resilience.ts";

export type { CompiledAssertion, CompiledBackend, CompiledTarget, Timeouts } from "./backend.ts";

export interface CompiledConfig {
  /** SHA-256 over the compiled data without this field, references unresolved; base64url. */
  readonly digest: string;
  /** The largest `maxBody` of any route, so that a host can set its own limit above it. */
  readonly maxBodyBytes: number;
  /** Of Vercel, where the gateway is to run there; empty where nothing is said. */
  readonly regions: readonly string[];
  readonly backends: readonly CompiledBackend[];
  readonly authenticators: readonly CompiledAuthenticator[];
  /** Names of the claims that the config speaks of, sorted: of a token, these are kept. */
  readonly claims: readonly string[];
  readonly routes: readonly CompiledRoute[];
  /** What shapes answers that belong to no route, such as 404: from `defaults`. */
  readonly unrouted: readonly CompiledStep[];
  readonly trust: {
    /** Canonical addresses and ranges of the proxies whose word about the caller a host that sees the socket may take. */
    readonly proxies: readonly string[];
    /** The field in which they name the caller. Absent: X-Forwarded-For. */
    readonly field?: "forwarded";
    /** Fields in which they name the caller to backends, in lower case. Absent: none. */
    readonly pass?: readonly string[];
    /** The fields by which these proxies tell where the caller is; null where they tell nothing. */
    readonly geo?: GeoFields | undefined;
    /** Secrets by which frontends sign whom they speak for; any of them. */
    readonly frontends: readonly string[];
  };
  /** Absent: letter case in paths counts. */
  readonly caseSensitive?: false;
  /** Absent: `/a` and `/a/` are two paths. */
  readonly trailingSlash?: "ignore";
  /** Absent: every request is logged, in the format of the host. */
  readonly observe?: CompiledObserve;
  /** How late the event loop may be; null: requests are never refused for it. Absent: the standard. */
  readonly overloadLagMs?: number | null;
  /** Names of the custom policies in use; each is found again by name in gateway.config.ts. */
  readonly customPolicies: readonly string[];
}

/** An entry of the config's `auth`. */
export interface CompiledAuthenticator {
  readonly name: string;
  readonly kind: string;
  /** What the kind's `create` gets: plain data. `AuthenticatorOfKind` (lib/authenticators) has its type. */
  readonly options: unknown;
}

export interface CompiledRoute {
  /** Unique and stable for humans: host and path, with `#2`, `#3` … where several routes share them. */
  readonly id: string;
  /** Where it stands in the config: `routes[3]`. */
  readonly position: string;
  /** Exact (`api.example.com`), wildcard (`*.example.com`) in lower case, or null for any. */
  readonly host?: string | undefined;
  /** As written: literal segments, `:name`, a `*` or `:name*` at the end. */
  readonly path: string;
  /** Upper case; null means all. */
  readonly methods?: readonly string[] | undefined;
  readonly when?: RouteCondition | undefined;
  /** Index into `backends`; null where a step answers (`respond`, `redirect`). */
  readonly backend?: number | undefined;
  readonly rewrite?: Rewrite | undefined;
  readonly guard: "strict" | "lenient";
  readonly encodedSlash: "refuse" | "keep";
  /** Which rules a request must pass here, by number; absent where no other route is compared by them. */
  readonly rules?: number;
  /** The `rules` of stricter routes to the same server that a laxer reading of a path may reach from here. */
  readonly stricter?: readonly number[];
  /** Absent: fields that name another method or path than the request line are not sent on. */
  readonly overrides?: "pass" | undefined;
  /** Absent: normal. */
  readonly priority?: Priority | undefined;
  /** Absent: none. */
  readonly mirror?: CompiledMirror | undefined;
  /** Index into `backends`: what is asked when the route's own has failed. Absent: none. */
  readonly fallback?: number | undefined;
  /** One for each distinct setting by method; the one with `methods: null` is for all others and stands last. */
  readonly variants: readonly CompiledVariant[];
}

/** Where a share of the requests is copied to. */
export interface CompiledMirror {
  /** Index into `backends`. */
  readonly backend: number;
  readonly share: number;
  readonly maxBodyBytes: number;
}

/** All must hold. A value of `true` asks only that it be present. */
export interface RouteCondition {
  readonly headers: readonly (readonly [name: string, value: string | true])[];
  readonly query: readonly (readonly [name: string, value: string | true])[];
}

export type Rewrite =
  | {
      readonly kind: "strip";
      /** Decoded, as paths are matched. */
      readonly prefix: string;
      /** As it stands in a URL. */
      readonly encoded: string;
    }
  | { readonly kind: "path"; readonly template: Template };

export interface CompiledVariant {
  readonly methods?: readonly string[] | undefined;
  readonly maxBodyBytes: number;
  /** The backend's, with the route's own laid over; null where the route has no backend. */
  readonly timeouts?: Timeouts | undefined;
  /** A silent event stream gets a comment so often; null for never. */
  readonly heartbeatMs?: number | undefined;
  /** The backend's, with the route's own laid over; null where a request is sent once. */
  readonly retry?: CompiledRetry | undefined;
  readonly steps: readonly CompiledStep[];
}

/** `PolicyStep` (lib/policies/policy-step.ts) has the options of a built-in policy by their type. */
export interface CompiledStep {
  readonly policy: string;
  /** True for a policy from `use`. */
  readonly custom: boolean;
  /** Where it ranks in place of the policy's own phase; the step then goes by the phase's name. */
  readonly phase?: Phase;
  readonly mode: "enforce" | "shadow";
  /** What the policy's `create` gets: plain data. Absent for a custom policy. */
  readonly options?: unknown;
}
