/** A backend as the engine runs it: its targets parsed once, the choice of one for a request, and what is learned of them. */
import type { CompiledBackend } from "../contract/compiled/backend.ts";
import type { Deps } from "../contract/deps.ts";
import type { Exchange, TargetOrder } from "../contract/exchange.ts";
import type { Policy } from "../contract/policy.ts";
import { secondsUntil } from "../http/seconds-until.ts";
import { createBalancer } from "./balance/balancer.ts";
import { STICKY } from "./balance/rendezvous.ts";
import { canaryStep } from "./canary.ts";
import { createGeoRouting, whereStep } from "./geo-routing.ts";
import { createRandom, type Random } from "./random.ts";
import { Bulkhead } from "./resilience/bulkhead.ts";
import type { CircuitRules, Result } from "./resilience/circuit.ts";
import { RetryBudget } from "./resilience/retry-budget.ts";
import { stickyCookie } from "./sticky-cookie.ts";
import { type BackendTarget, createTarget } from "./target.ts";
import { targetOrderOf } from "./target-order.ts";
import type { TargetStates } from "./target-state.ts";

export type { BackendTarget } from "./target.ts";

export interface Backend {
  readonly name: string;
  readonly compiled: CompiledBackend;
  readonly targets: readonly BackendTarget[];
  readonly headers: CompiledBackend["headers"];
  readonly forwardCredential: boolean;
  /** Host goes on as received. */
  readonly preserveHost: boolean;
  /** Steps of the phase `pool` that every route to it has, by name. */
  readonly poolSteps: readonly (readonly [name: string, policy: Policy])[];
  readonly budget: RetryBudget;
  readonly bulkhead: Bulkhead | undefined;
  readonly random: Random;
  /** A target for the request: one that is well and was not asked for it before, or else the next best. */
  pick(exchange: Exchange, tried?: readonly BackendTarget[]): BackendTarget | undefined;
  /** A request is sent to the target. True where it tries whether the target is back. */
  begin(target: BackendTarget): boolean;
  /** How it ended; `headMs` is how long the head of the answer took. */
  end(target: BackendTarget, result: Result, isTrial: boolean, headMs: number | undefined): void;
  /** Those that the request may be sent to. */
  fitting(exchange: Exchange): readonly BackendTarget[];
  /** How long a caller should wait where none of these takes requests. */
  retryAfterSeconds(fitting: readonly BackendTarget[]): number;
}

const NONE: readonly BackendTarget[] = [];

export function createBackend(compiled: CompiledBackend, states: TargetStates, deps: Pick<Deps, "clock" | "random">): Backend {
  const { name, balance, slowStartMs, headers, resilience } = compiled;
  const { clock } = deps;
  const random = createRandom(deps.random(4));
  const targets = compiled.targets.map((target, index) => {
    const state = states.stateOf(name, target.url, clock.now());
    // Many instances that each get a few requests would otherwise all begin with the first.
    state.credit = random() * target.weight;
    if (!resilience?.active) state.downBecause = undefined;
    return createTarget(target, index, state);
  });
  const choose = createBalancer(balance, slowStartMs, random);
  /** Nobody gets to the canary, which is the last, unless a step says so. */
  const others = compiled.canary ? compiled.targets.slice(0, -1) : compiled.targets;
  const geoRouting = others.some(({ where }) => where) ? createGeoRouting(others, compiled.strict ?? false) : undefined;
  const poolFor = geoRouting?.poolFor;
  const standard = poolFor ? poolFor(undefined) : targetOrderOf(others, () => 0);
  const rulesFor = targets.map(
    ({ index }): CircuitRules => ({
      passive: resilience?.passive ?? null,
      breaker: resilience?.breaker ?? null,
      random,
      mayEject: () => canBeSpared(index),
    }),
  );
  /** Filled for one choice at a time, and cut to length instead of emptied: nothing is allocated for a request. */
  const fit: BackendTarget[] = [];

  /** On most days whoever is not sent elsewhere finds the first level whole, and nobody has to be left out. */
  const first = standard[0]?.map((index) => targets[index]!);

  /**
   * Of every pool half must stay, which then bears the load of all: that targets of other places are well is of no use to callers who stay
   * in theirs. The canary is in none: the others are there for whoever it fails.
   */
  function canBeSpared(index: number): boolean {
    for (const pool of geoRouting?.pools() ?? [standard]) {
      const members = pool.flat();
      const isEjected = (member: number) => targets[member]!.state.circuit.openedBy === "health";
      if (members.includes(index) && members.filter(isEjected).length >= Math.floor(members.length / 2)) return false;
    }
    return true;
  }

  /** No step says it where a request comes from another backend, as a copy or because that has failed. */
  function poolOfRequest({ pool, request }: Exchange): TargetOrder {
    return pool ?? (poolFor ? poolFor(request.client.geo) : standard);
  }

  function choice(exchange: Exchange, tried: readonly BackendTarget[], mustBeReady: boolean): BackendTarget | undefined {
    const pool = poolOfRequest(exchange);
    const nowMs = clock.now();
    if (pool === standard && tried === NONE && first && areWell(first)) return choose(first, exchange, nowMs);
    for (const level of pool) {
      let count = 0;
      for (let i = 0; i < level.length; i++) {
        const target = targets[level[i]!]!;
        const { state } = target;
        const isFit = state.isWell || (mustBeReady ? state.isReady(nowMs) : state.isBearable(nowMs));
        if (isFit && (tried === NONE || !tried.includes(target))) fit[count++] = target;
      }
      fit.length = count;
      if (count > 0) return choose(fit, exchange, nowMs);
    }
    return undefined;
  }

  function poolStepsOf(): Backend["poolSteps"] {
    const steps: [string, Policy][] = [];
    const { canary } = compiled;
    if (poolFor) steps.push(["where", whereStep(poolFor)]);
    if (canary)
      steps.push(["canary", canaryStep(canary, { backend: name, index: others.length, others: standard, random, deps })]);
    if (balance.by === "hash" && balance.of === "cookie") steps.push(["sticky", stickyCookie(balance.name, STICKY, deps)]);
    return steps;
  }

  return {
    name,
    compiled,
    targets,
    headers,
    forwardCredential: compiled.forwardCredential,
    preserveHost: compiled.preserveHost,
    poolSteps: poolStepsOf(),
    budget: new RetryBudget(),
    bulkhead: resilience?.bulkhead ? new Bulkhead(resilience.bulkhead) : undefined,
    random,
    pick(exchange, tried = NONE) {
      const untried = choice(exchange, tried, true) ?? choice(exchange, tried, false);
      return untried ?? (tried.length > 0 ? (choice(exchange, NONE, true) ?? choice(exchange, NONE, false)) : undefined);
    },
    begin({ state }) {
      state.inFlight++;
      const nowMs = clock.now();
      if (!state.circuit.isTrialDue(nowMs)) return false;
      state.circuit.beginTrial(nowMs);
      return true;
    },
    end({ index, state }, result, isTrial, headMs) {
      state.inFlight--;
      const nowMs = clock.now();
      if (state.circuit.add(result, isTrial, headMs, nowMs, rulesFor[index]!)) state.warmSinceMs = nowMs;
    },
    fitting: (exchange) =>
      poolOfRequest(exchange)
        .flat()
        .map((index) => targets[index]!),
    retryAfterSeconds(fitting) {
      const trials = fitting.flatMap(({ state: { circuit } }) => (circuit.openedBy === undefined ? [] : [circuit.nextTrialMs]));
      return trials.length === 0 ? 1 : secondsUntil(Math.min(...trials), clock.now());
    },
  };
}

function areWell(targets: readonly BackendTarget[]): boolean {
  for (let i = 0; i < targets.length; i++) if (!targets[i]!.state.isWell) return false;
  return true;
}
