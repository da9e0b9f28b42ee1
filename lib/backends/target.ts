/** One address of a backend as the engine runs it: parsed once, with what changes from request to request beside it. */
import type { CompiledTarget } from "../contract/compiled/backend.ts";
import { hashText } from "./balance/hash.ts";
import { type Point, pointAt } from "./balance/point.ts";
import type { TargetState } from "./target-state.ts";

export interface BackendTarget {
  /** Its place in the backend's list, as `pool` names it. */
  readonly index: number;
  readonly url: string;
  readonly origin: string;
  /** The value of Host: name and port as the target's URL spells them. */
  readonly host: string;
  /** Without a trailing slash; empty for the root. */
  readonly basePath: string;
  /** Its name or address, the same for each request: undici keeps a connection for those alone that agree on it. */
  readonly serverName: string;
  readonly weight: number;
  readonly priority: number;
  /** Tells it from others in rendezvous hashing: the same for the same address, wherever that stands in the list. */
  readonly seed: number;
  /** Where it stands, for `nearest`. */
  readonly at: Point | undefined;
  readonly state: TargetState;
}

export function createTarget(compiled: CompiledTarget, index: number, state: TargetState): BackendTarget {
  const { url, weight, priority } = compiled;
  const { origin, host, hostname: serverName, pathname } = new URL(url);
  const basePath = pathname.replace(/\/$/, "");
  const at = compiled.at && pointAt(compiled.at.lat, compiled.at.lon);
  return Object.freeze({ index, url, origin, host, basePath, serverName, weight, priority, seed: hashText(url), at, state });
}
