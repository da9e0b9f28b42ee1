/** The switch that `frontdesk maintenance on` turns: where it stands in the stores, and what an instance remembers of it. */

import type { Blob, Blobs } from "../../contract/stores/blobs.ts";
import { ok, type Pending, type StoreReply } from "../../contract/stores/reply.ts";
import { BlobSnapshot } from "../../stores/blob-snapshot.ts";

/** How the switch stands, and since when. */
export interface SwitchState {
  readonly on: boolean;
  /** ISO 8601; undefined where it was never turned. */
  readonly since: string | undefined;
}

const KEY = "maintenance";
/** It stays as it was left: ten years are as good as for ever. */
const TTL_MS = 10 * 365 * 86_400_000;
const NEVER: SwitchState = { on: false, since: undefined };

/** For the command: what stands in the store. */
export function readSwitch(blobs: Blobs, nowMs: number): Pending<SwitchState> {
  const reply = blobs.get(KEY, nowMs);
  return reply instanceof Promise ? reply.then(stateIn) : stateIn(reply);
}

/** For the command: turns it, for every instance on this store within 5 s. */
export function writeSwitch(blobs: Blobs, on: boolean, nowMs: number): Pending<void> {
  const state: SwitchState = { on, since: new Date(nowMs).toISOString() };
  return blobs.set(KEY, new TextEncoder().encode(JSON.stringify(state)), { ttlMs: TTL_MS }, nowMs);
}

function stateIn(reply: StoreReply<Blob | undefined>): StoreReply<SwitchState> {
  return reply.state === "ok" ? ok(readState(reply.value)) : reply;
}

function readState(blob: Blob | undefined): SwitchState {
  if (blob === undefined) return NEVER;
  try {
    const { on, since } = JSON.parse(new TextDecoder().decode(blob.value)) as Partial<SwitchState>;
    return { on: on === true, since };
  } catch {
    return NEVER;
  }
}

/** What one instance knows of the switch. */
export class SwitchSnapshot extends BlobSnapshot<SwitchState> {
  constructor() {
    super(KEY, readState);
  }
}
