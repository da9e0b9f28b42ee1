/** The running gateway for operators: host, config, stores, backends, routes, latest requests. Holds no secret. */

import type { Load } from "../contract/load.ts";
import type { RequestRecord } from "../contract/record.ts";
import type { StoreStatus, Stores } from "../contract/stores/stores.ts";
import type { Gateway } from "../gateway/gateway.ts";

export interface Overview {
  readonly version: string;
  readonly host: string;
  /** `production`, `preview`; `local` where callers on this machine need no token. */
  readonly environment: string;
  /** Of the function, on Vercel. */
  readonly region: string | undefined;
  readonly digest: string;
  readonly loadedAt: string;
  readonly stores: Stores["describe"];
  readonly storeStatus: StoreStatusOverview;
  readonly backends: readonly BackendOverview[];
  readonly routes: readonly RouteOverview[];
  /** Newest first. */
  readonly recent: readonly RequestRecord[];
  /** Sealed plans that did not open: 0 in normal operation. */
  readonly unopenedPlans: number;
  /** How late the event loop is, and how much is refused for it (lib/contract/load.ts). Only of a host that sees it. */
  readonly load: Pick<Load, "lagMs" | "shed"> | undefined;
}

/** Of the store that several instances share, as this one sees it; one in the process is always `up`. */
export interface StoreStatusOverview {
  readonly state: "up" | "away";
  /** Why and since when (ISO 8601) it is away. */
  readonly reason: string | undefined;
  readonly since: string | undefined;
  /** Since the process began. */
  readonly outages: number;
  readonly unanswered: number;
  /** Revocations for which there was no room: in force, and forgotten with the process. */
  readonly heldRevocations: number | undefined;
}

export interface BackendOverview {
  readonly name: string;
  readonly targets: readonly TargetOverview[];
}

export interface TargetOverview {
  readonly url: string;
  /**
   * `trying`: it gets a request now and then, to see whether it is back. `unwatched`: the only address, with nothing that would be done
   * about it, so that nobody looks.
   */
  readonly state: "up" | "warming" | "down" | "trying" | "unwatched";
  readonly reason: string | undefined;
  readonly inFlight: number;
}

export interface RouteOverview {
  readonly host: string | null;
  readonly path: string;
  readonly methods: readonly string[] | null;
  /** What its conditions look at: `x-region`, `?debug`. Not the values, which may be secret. */
  readonly when: readonly string[];
  readonly goesTo: string;
  /** The backend that gets copies, and the one that is asked when its own has failed. */
  readonly mirrorsTo: string | undefined;
  readonly fallsBackTo: string | undefined;
  readonly steps: readonly string[];
}

export function describeRoutes({ config }: Pick<Gateway, "config">): RouteOverview[] {
  return config.routes.map(({ host, path, methods, when, backend, mirror, fallback, variants }) => {
    const all = [...new Set(variants.flatMap((variant) => variant.steps.map(({ policy }) => policy)))];
    const answering = all.find((step) => step === "respond" || step === "redirect");
    const steps = all.filter((step) => step !== answering);
    const nameOf = (index: number | undefined) => (index === undefined ? undefined : config.backends[index]!.name);
    const goesTo = backend === undefined ? (answering ?? "") : config.backends[backend]!.name;
    const conditions = [...(when?.headers ?? []).map(([name]) => name), ...(when?.query ?? []).map(([name]) => `?${name}`)];
    const others = { mirrorsTo: nameOf(mirror?.backend), fallsBackTo: nameOf(fallback) };
    return { host: host ?? null, path, methods: methods ?? null, when: conditions, goesTo, ...others, steps };
  });
}

export function describeStatus({ away, outages, unanswered, heldRevocations }: StoreStatus): StoreStatusOverview {
  const since = away && new Date(away.sinceMs).toISOString();
  return { state: away ? "away" : "up", reason: away?.reason, since, outages, unanswered, heldRevocations };
}

/** Addresses without what may be secret in them: user, password. As this instance sees them at that moment. */
export function describeBackends({ backends }: Pick<Gateway, "backends">, nowMs: number): BackendOverview[] {
  return backends.map(({ name, targets, compiled: { slowStartMs, resilience } }) => ({
    name,
    targets: targets.map(({ origin, basePath, state }): TargetOverview => {
      const { circuit, inFlight, downBecause } = state;
      const isTried = downBecause === undefined && circuit.isTrialDue(nowMs);
      const isWarming = state.shareAt(nowMs, slowStartMs) < 1;
      const isWatched = targets.length > 1 || resilience !== undefined;
      const isDown = downBecause !== undefined || circuit.openedBy !== undefined;
      return {
        url: origin + basePath,
        state: !isWatched ? "unwatched" : isTried ? "trying" : isDown ? "down" : isWarming ? "warming" : "up",
        reason: downBecause ?? (circuit.reason || undefined),
        inFlight,
      };
    }),
  }));
}
