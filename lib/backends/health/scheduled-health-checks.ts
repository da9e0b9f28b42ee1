/**
 * Active checks where no timer runs between requests (Vercel): a scheduler asks for a run of all of them, and every instance learns from the
 * stores which targets failed. What was found ends by itself, so that a scheduler that has stopped keeps no target out.
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Deps } from "../../contract/deps.ts";
import type { Pending, StoreReply } from "../../contract/stores/reply.ts";
import type { Backend } from "../backend.ts";
import type { Pools } from "../pools.ts";
import { type Down, FINDINGS_KEY, type Findings, readFindings, writeFindings } from "./check-findings.ts";
import { type Checked, checkedTargets, FAILURES, faultOf, MAX_AT_ONCE, markDown, markUp, PASSES } from "./health-check.ts";
import { findingTtlMs } from "./schedule.ts";

export interface ScheduledHealthChecks {
  /** The gateway's. Each use of one with checks looks at what is known of its targets. */
  readonly backends: readonly Backend[];
  /** Checks all targets. Who asks while a run is under way gets what that one finds. */
  run(): Promise<CheckReport>;
  /** Looks at what is known; resolves once that is as in the stores, where it is time to ask these. */
  look(): Promise<void> | undefined;
}

export interface CheckReport {
  readonly startedMs: number;
  readonly targets: readonly {
    readonly backend: string;
    /** Without what may be secret in it. */
    readonly url: string;
    readonly state: "up" | "down" | "unchecked";
    readonly reason: string | undefined;
  }[];
  /** Why other instances do not hear of it; undefined where they do. */
  readonly notShared: string | undefined;
}

export interface CheckDeps extends Pick<Deps, "clock" | "log" | "stores" | "defer"> {
  readonly pools: Pools;
  /** Cut short when the signal says so. */
  wait?(ms: number, stopped?: AbortSignal): Promise<void>;
  /** Aborted when the time is over. */
  within?(ms: number): AbortSignal;
}

/** Between the two checks that fail. */
const AGAIN_MS = 1_000;
/** Well below what a function may take (`maxDuration` in vercel.json). Targets that it does not come to stay as they are. */
const MAX_RUN_MS = 240_000;
/** An instance asks the stores this often, while it serves. */
const READ_MS = 4_000;
/** The first trip of an instance makes a connection too, and may take longer than a trip is given. */
const TRIES = 3;

const EXPIRED = "nobody checks a target any more that failed its checks: it gets requests again";

interface Watched extends Checked {
  /** Names the target and what it was asked, and nothing secret: an address may hold a password. */
  readonly id: string;
  readonly holdMs: number;
}

interface Finding {
  readonly fault: string | undefined;
  readonly checkedMs: number;
}

export function createScheduledHealthChecks(
  backends: readonly Backend[],
  { pools, clock, log, stores: { blobs }, defer, wait = waitFor, within = AbortSignal.timeout }: CheckDeps,
): ScheduledHealthChecks {
  const surroundings = { pools, clock, log };
  const watched = checkedTargets(backends).map((checked): Watched => {
    const { backend, target, active } = checked;
    const text = JSON.stringify([backend.name, target.url, active.path]);
    const id = createHash("sha256").update(text).digest("base64url").slice(0, 22);
    return { ...checked, id, holdMs: findingTtlMs(active.intervalMs) };
  });
  const isShared = !blobs.isOfThisProcess && watched.length > 0;
  let known: Findings = { startedMs: 0, down: new Map() };
  /** When the first of what is known ends. */
  let endsMs = Number.POSITIVE_INFINITY;
  let askedMs = Number.NEGATIVE_INFINITY;
  let running: Promise<CheckReport> | undefined;

  if (watched.length > 0 && !isShared)
    log.warn("without Redis a run of the checks counts in the instance that makes it, and in no other");

  function look(): Promise<void> | undefined {
    const nowMs = clock.now();
    if (nowMs >= endsMs) apply(EXPIRED);
    // A clock that was set back must not keep us from asking.
    if (!isShared || Math.abs(nowMs - askedMs) < READ_MS) return undefined;
    askedMs = nowMs;
    return learn();
  }

  /** Where the stores are away, or say nothing, what was known holds until it ends. */
  async function learn(): Promise<void> {
    const found = findingsIn(await blobs.get(FINDINGS_KEY, clock.now()));
    // This instance may have made a run meanwhile.
    if (!found || found.startedMs < known.startedMs) return;
    known = found;
    apply(PASSES);
  }

  function findingsIn(reply: StoreReply<Parameters<typeof readFindings>[0]>): Findings | undefined {
    return reply.state === "ok" ? readFindings(reply.value, clock.now()) : undefined;
  }

  /** Makes of what is known what `pick` goes by. */
  function apply(whyBack: string): void {
    const nowMs = clock.now();
    endsMs = Number.POSITIVE_INFINITY;
    for (const one of watched) {
      const down = known.down.get(one.id);
      const untilMs = down ? Math.min(down.checkedMs, nowMs) + one.holdMs : Number.NEGATIVE_INFINITY;
      if (untilMs > nowMs) {
        markDown(one, down!.reason, surroundings);
        endsMs = Math.min(endsMs, untilMs);
      } else markUp(one, whyBack, surroundings);
    }
  }

  /** What was found of each target that there was time for: two failures in a row, with a pause between them, or one good answer. */
  async function checkAll(stopped: AbortSignal): Promise<ReadonlyMap<Watched, Finding>> {
    const findings = new Map<Watched, Finding>();
    let left = byLot(watched);
    for (let asked = 1; asked <= FAILURES && left.length > 0; asked++) {
      if (asked > 1) await wait(AGAIN_MS, stopped);
      const failed: Watched[] = [];
      const queue = left.values();
      const takeTurns = async () => {
        for (const one of queue) {
          const fault = await faultOf(one, surroundings, stopped);
          if (stopped.aborted) return;
          if (fault !== undefined && asked < FAILURES) failed.push(one);
          else findings.set(one, { fault, checkedMs: clock.now() });
        }
      };
      await Promise.all(Array.from({ length: MAX_AT_ONCE }, takeTurns));
      left = failed;
    }
    return findings;
  }

  async function runOnce(): Promise<CheckReport> {
    const startedMs = clock.now();
    const findings = await checkAll(within(MAX_RUN_MS));
    const stored = isShared ? findingsIn(await patiently(() => blobs.get(FINDINGS_KEY, clock.now()))) : undefined;
    // Runs may overlap, or be asked for twice: what began later knows better.
    const isLate = stored !== undefined && stored.startedMs > startedMs;
    known = isLate ? stored : { startedMs, down: downIn(findings, (stored ?? known).down) };
    apply(PASSES);
    return { startedMs, targets: watched.map((one) => reportOf(one, findings.get(one))), notShared: await share(isLate) };
  }

  /** Of a target that there was no time for, what was known before. */
  function downIn(findings: ReadonlyMap<Watched, Finding>, before: Findings["down"]): Findings["down"] {
    const down = new Map<string, Down>();
    for (const one of watched) {
      const finding = findings.get(one);
      const own = finding?.fault === undefined ? undefined : { reason: finding.fault, checkedMs: finding.checkedMs };
      const entry = finding ? own : before.get(one.id);
      if (entry) down.set(one.id, entry);
    }
    return down;
  }

  async function share(isLate: boolean): Promise<string | undefined> {
    if (isLate || watched.length === 0) return undefined;
    if (!isShared) return "there is no Redis";
    const ttlMs = Math.max(...watched.map(({ holdMs }) => holdMs));
    const reply = await patiently(() => blobs.set(FINDINGS_KEY, writeFindings(known), { ttlMs }, clock.now()));
    return reply.state === "ok" ? undefined : `Redis did not take it (${reply.reason})`;
  }

  async function patiently<T>(ask: () => Pending<T>): Promise<StoreReply<T>> {
    for (let tries = 1; ; tries++) {
      const reply = await ask();
      if (reply.state === "ok" || tries === TRIES) return reply;
      await wait(AGAIN_MS);
    }
  }

  function looking(backend: Backend): Backend {
    return {
      ...backend,
      pick(exchange, tried) {
        const news = look();
        if (news) defer(news);
        return backend.pick(exchange, tried);
      },
    };
  }

  return {
    backends: backends.map((backend) => (backend.compiled.resilience?.active ? looking(backend) : backend)),
    run() {
      if (!running) {
        running = runOnce().finally(() => {
          running = undefined;
        });
        // Also where whoever asked does not wait for the end.
        defer(running);
      }
      return running;
    },
    look,
  };
}

function reportOf({ backend, target }: Watched, finding: Finding | undefined): CheckReport["targets"][number] {
  const state = finding === undefined ? "unchecked" : finding.fault === undefined ? "up" : "down";
  return { backend: backend.name, url: target.origin + target.basePath, state, reason: finding?.fault };
}

/** So that it is not always the same ones that a run has no time for. */
function byLot(watched: readonly Watched[]): Watched[] {
  const drawn = watched.map((one) => ({ one, lot: one.backend.random() }));
  return drawn.sort((a, b) => a.lot - b.lot).map(({ one }) => one);
}

function waitFor(ms: number, signal?: AbortSignal): Promise<void> {
  return sleep(ms, undefined, signal && { signal }).catch(() => {});
}
