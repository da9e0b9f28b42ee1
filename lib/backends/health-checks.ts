/** Active checks: a GET on each target now and then, by a host that is always awake. Two failures in a row take it out, one success brings it back. */
import type { CompiledActive } from "../config/compiled-resilience.ts";
import type { Clock, Log } from "../policy.ts";
import type { Backend, BackendTarget } from "./backend.ts";
import type { Pools } from "./pools.ts";

export interface HealthChecks {
  /** Whatever is under way is given up. */
  stop(): void;
}

/** Of all checks at once: with many targets they take turns, and never crowd out requests. */
const MOST_AT_ONCE = 10;
const CROWDED_MS = 100;
const FAILURES = 2;
/** What is read of an answer. */
const MAX_BYTES = 64 * 1024;

interface Surroundings {
  readonly pools: Pools;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
}

export function startHealthChecks(backends: readonly Backend[], surroundings: Surroundings): HealthChecks {
  const stopping = new AbortController();
  let running = 0;

  function watch(backend: Backend, target: BackendTarget, active: CompiledActive): void {
    let failures = 0;
    let timer: NodeJS.Timeout;
    stopping.signal.addEventListener("abort", () => clearTimeout(timer));
    const plan = (waitMs: number) => {
      timer = setTimeout(run, waitMs).unref();
    };
    const run = async () => {
      if (running >= MOST_AT_ONCE) {
        plan(CROWDED_MS);
        return;
      }
      running++;
      const fault = await faultOf(backend, target, active, surroundings, stopping.signal);
      running--;
      if (stopping.signal.aborted) return;
      failures = fault === undefined ? 0 : failures + 1;
      if (fault === undefined) comeBack(backend, target, surroundings);
      else if (failures >= FAILURES) takeOut(backend, target, fault, surroundings);
      // By lot, so that gateways which started together do not ask together.
      plan(active.intervalMs * (0.8 + 0.2 * backend.dice()));
    };
    plan(Math.min(active.intervalMs, 1000) * backend.dice());
  }

  for (const backend of backends) {
    const active = backend.compiled.resilience?.active;
    if (active) for (const target of backend.targets) watch(backend, target, active);
  }
  return { stop: () => stopping.abort() };
}

function takeOut({ name }: Backend, { state, url }: BackendTarget, fault: string, { log }: Surroundings): void {
  if (state.downBecause === undefined) log.warn("a target fails its checks", { backend: name, target: url, reason: fault });
  state.downBecause = fault;
}

function comeBack({ name }: Backend, { state, url }: BackendTarget, { log, clock }: Surroundings): void {
  if (state.downBecause === undefined) return;
  state.downBecause = undefined;
  state.warmSinceMs = clock.now();
  log.info("a target passes its checks again", { backend: name, target: url });
}

/** Undefined where it answered as it should. */
async function faultOf(
  { compiled, headers }: Backend,
  { origin, host, basePath }: BackendTarget,
  { path, timeoutMs, from, to }: CompiledActive,
  { pools, clock }: Surroundings,
  stopped: AbortSignal,
): Promise<string | undefined> {
  try {
    const { statusCode, body } = await pools.poolFor(origin, compiled.timeouts.connectMs, clock.now()).request({
      method: "GET",
      path: basePath + path,
      headers: { host, "user-agent": "frontdesk health check", ...Object.fromEntries(headers) },
      signal: AbortSignal.any([stopped, AbortSignal.timeout(timeoutMs)]),
    });
    await body.dump({ limit: MAX_BYTES });
    return statusCode >= from && statusCode <= to ? undefined : `the check was answered ${statusCode}`;
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    return name === "TimeoutError" ? "the check was not answered in time" : `the check failed: ${code ?? message}`;
  }
}
