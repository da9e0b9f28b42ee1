/** The config as the console's pages tell it. Holds no secret. */
import { type RouteSummary, summarizeRoutes } from "../admin/route-summary.ts";
import { isOfKind } from "../authenticators/authenticator-of-kind.ts";
import type { CompiledBackend, CompiledConfig } from "../contract/compiled/config.ts";

export interface ConfigSummary {
  /** In the order of the config. */
  readonly routes: readonly RouteSummary[];
  readonly authenticators: readonly AuthenticatorSummary[];
  readonly backends: readonly BackendSummary[];
}

export interface AuthenticatorSummary {
  readonly name: string;
  readonly kind: string;
  /** Of keys that the admin API makes; undefined where it makes none. */
  readonly keyPrefix: string | undefined;
}

export interface BackendSummary {
  readonly name: string;
  /** What the gateway does about targets that fail. */
  readonly measures: readonly string[];
}

export function summarizeConfig(config: CompiledConfig): ConfigSummary {
  return {
    routes: summarizeRoutes(config),
    authenticators: config.authenticators.map((each) => ({
      name: each.name,
      kind: each.kind,
      keyPrefix: isOfKind("apiKey", each) && each.options.keys === null ? each.options.prefix : undefined,
    })),
    backends: config.backends.map((backend) => ({ name: backend.name, measures: measuresOf(backend) })),
  };
}

function measuresOf({ resilience, canary }: CompiledBackend): string[] {
  const { retry, passive, active, breaker, bulkhead } = resilience ?? {};
  return [
    ...(retry ? [`${retry.attempts} attempts`] : []),
    ...(breaker ? ["breaker"] : []),
    ...(passive ? [`left out after ${passive.failures} failures`] : []),
    ...(active ? [`asked at ${active.path}`] : []),
    ...(bulkhead ? [`at most ${bulkhead.requests} requests at once`] : []),
    ...(canary ? ["canary"] : []),
  ];
}
