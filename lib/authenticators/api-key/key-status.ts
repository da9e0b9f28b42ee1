/** How a key stands at a moment: what decides whether it is taken, and what people are shown. */
import type { KeyRecord } from "../../contract/stores/keys.ts";

/** `retiring`: its successor exists, and it is still taken. `retired`: no more. */
export type KeyStatus = "active" | "retiring" | "disabled" | "expired" | "retired" | "revoked";

type Standing = Pick<KeyRecord, "revokedMs" | "expiresMs" | "rotation" | "disabled" | "lastUsedMs">;

/** Nothing runs by itself: a key that has expired or was quiet for long enough is found so when it is next looked at. */
export function statusOf(key: Standing, nowMs: number, lastUsedMs = key.lastUsedMs): KeyStatus {
  const { revokedMs, expiresMs, rotation, disabled } = key;
  if (revokedMs !== undefined) return "revoked";
  if (expiresMs !== undefined && nowMs >= expiresMs) return "expired";
  if (rotation) {
    const { sunsetMs, quietMs, rotatedMs } = rotation;
    const quietSinceMs = Math.max(rotatedMs, lastUsedMs ?? 0);
    if (nowMs >= sunsetMs || (quietMs !== undefined && nowMs - quietSinceMs >= quietMs)) return "retired";
  }
  if (disabled) return "disabled";
  return rotation ? "retiring" : "active";
}

export function isUsable(status: KeyStatus): boolean {
  return status === "active" || status === "retiring";
}
