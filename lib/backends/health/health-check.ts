/** One check of one target and what follows from it, whoever asks: the Node host's timers (./health-checks.ts), or a scheduler (./scheduled-health-checks.ts). */
import type { CompiledActive } from "../../contract/compiled/resilience.ts";
import type { Clock, Log } from "../../contract/deps.ts";
import type { Backend, BackendTarget } from "../backend.ts";
import type { Pools } from "../pools.ts";

/** Of all checks at once: with many targets they take turns, and never crowd out requests. */
export const MAX_AT_ONCE = 10;
/** In a row. One may be chance: a connection that closed, a slow moment. */
export const FAILURES = 2;
/** What is read of an answer. */
const MAX_BYTES = 64 * 1024;

export interface Checked {
  readonly backend: Backend;
  readonly target: BackendTarget;
  readonly active: CompiledActive;
}

export interface CheckSurroundings {
  readonly pools: Pools;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
}

/** Every target that is to be checked. */
export function checkedTargets(backends: readonly Backend[]): Checked[] {
  return backends.flatMap((backend) => {
    const active = backend.compiled.resilience?.active;
    return active ? backend.targets.map((target) => ({ backend, target, active })) : [];
  });
}

export function markDown({ backend, target: { state, url } }: Checked, fault: string, { log }: CheckSurroundings): void {
  if (state.downBecause === undefined)
    log.warn("a target fails its checks", { backend: backend.name, target: url, reason: fault });
  state.downBecause = fault;
}

export const PASSES = "a target passes its checks again";

export function markUp({ backend, target: { state, url } }: Checked, why: string, { log, clock }: CheckSurroundings): void {
  if (state.downBecause === undefined) return;
  state.downBecause = undefined;
  state.warmSinceMs = clock.now();
  log.info(why, { backend: backend.name, target: url });
}

/** Undefined where it answered as it should. */
export async function faultOf(
  { backend: { compiled, headers }, target: { origin, host, basePath }, active: { path, timeoutMs, from, to } }: Checked,
  { pools, clock }: CheckSurroundings,
  stopped: AbortSignal,
): Promise<string | undefined> {
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(timeoutMs)]);
  try {
    const { statusCode, body } = await pools.poolFor(origin, compiled.timeouts.connectMs, clock.now()).request({
      method: "GET",
      path: basePath + path,
      headers: { host, "user-agent": "frontdesk health check", ...Object.fromEntries(headers) },
      signal,
    });
    // With the signal: without it an answer that never ends would count as one that has ended.
    await body.dump({ limit: MAX_BYTES, signal });
    return statusCode >= from && statusCode <= to ? undefined : `the check was answered ${statusCode}`;
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    return name === "TimeoutError" ? "the check was not answered in time" : `the check failed: ${code ?? message}`;
  }
}
