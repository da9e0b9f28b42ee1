/** What is known of a target from the requests it got. It outlives a reload of the config for as long as the target stands in it. */
import { Circuit } from "./resilience/circuit.ts";

export class TargetState {
  /** Requests under way. */
  inFlight = 0;
  /** What the smooth round robin owes it. */
  credit = 0;
  /** When it came back, where it takes its share step by step; undefined where it has all of it. */
  warmSinceMs: number | undefined;
  /** Why the gateway's own checks find it wanting; undefined where they do not, or are not made. */
  downBecause: string | undefined;
  readonly circuit = new Circuit();

  /** The part of its weight that it gets: less than all for a while after it came back. */
  shareAt(nowMs: number, slowStartMs: number): number {
    if (this.warmSinceMs === undefined) return 1;
    const share = (nowMs - this.warmSinceMs) / slowStartMs;
    if (share < 1) return Math.max(share, FIRST_SHARE);
    this.warmSinceMs = undefined;
    return 1;
  }

  /** Nothing speaks against it. */
  get isWell(): boolean {
    return this.circuit.openedBy === undefined && this.downBecause === undefined;
  }

  /** Whether it should get a request: it is well, or it is time to try whether it is. */
  isReady(nowMs: number): boolean {
    if (this.isWell) return true;
    if (this.downBecause !== undefined) return false;
    const { circuit } = this;
    if (!circuit.closesByNow(nowMs)) return circuit.isTrialDue(nowMs);
    this.warmSinceMs = nowMs;
    return true;
  }

  /** Where no target is ready: advice may be wrong, and a try costs nothing then. What a breaker says holds. */
  isBearable(nowMs: number): boolean {
    return this.circuit.openedBy !== "breaker" || this.isReady(nowMs);
  }
}

/** With less it would not warm up at all. */
const FIRST_SHARE = 0.1;

export interface TargetStates {
  /** The state of a target: the one that it had under a config before, or a new one. */
  stateOf(backend: string, url: string, nowMs: number): TargetState;
  /** Called when a config has been loaded: forgets the targets that are not in it. */
  settle(): void;
}

export function createTargetStates(): TargetStates {
  let known = new Map<string, TargetState>();
  let used = new Map<string, TargetState>();
  return {
    stateOf(backend, url, nowMs) {
      const key = `${backend} ${url}`;
      let state = used.get(key) ?? known.get(key);
      if (!state) {
        state = new TargetState();
        // New beside others that are warm.
        if (known.size > 0) state.warmSinceMs = nowMs;
      }
      used.set(key, state);
      return state;
    },
    settle() {
      known = used;
      used = new Map();
    },
  };
}
