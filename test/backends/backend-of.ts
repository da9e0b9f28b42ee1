/** A backend made as a config makes it, a clock that the test turns, and exchanges that ask it for a target. */
import { type Backend, createBackend } from "#lib/backends/backend.ts";
import { createTargetStates, type TargetStates } from "#lib/backends/target-state.ts";
import { compileConfig } from "#lib/compiler/compile.ts";
import { resolveReferences } from "#lib/config/references.ts";
import type { RequestContext } from "#lib/engine/request-context.ts";
import { type ExchangeParts, exchangeFor } from "../support/exchange.ts";

export interface TestBackend {
  readonly backend: Backend;
  readonly states: TargetStates;
  /** What the clock says. */
  nowMs: number;
}

export function backendOf(settings: object, { states = createTargetStates(), nowMs = 1_000_000 } = {}): TestBackend {
  const value = { backends: { b: settings }, routes: [{ path: "/", backend: "b", auth: "none" }] };
  const { config } = compileConfig({ value, origin: "test", locate: () => undefined }, { vercel: false });
  const clock = { nowMs };
  const backend = createBackend(resolveReferences(config, {}).backends[0]!, states, {
    clock: { now: () => clock.nowMs, monotonic: () => clock.nowMs },
    random: (bytes) => new Uint8Array(bytes).fill(7),
  });
  states.settle();
  return Object.assign(clock, { backend, states });
}

/** A request that any route would hand to a backend. */
export function asking(parts: Partial<ExchangeParts> = {}): RequestContext {
  return exchangeFor({ target: "/", ...parts });
}

/** How many of `times` requests each target got, by its host name. */
export function sharesOf(
  { backend }: TestBackend,
  times: number,
  exchange: (turn: number) => RequestContext,
): Record<string, number> {
  const shares: Record<string, number> = {};
  for (let turn = 0; turn < times; turn++) {
    const { host } = backend.pick(exchange(turn))!;
    shares[host] = (shares[host] ?? 0) + 1;
  }
  return shares;
}
