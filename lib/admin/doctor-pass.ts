/**
 * What `frontdesk doctor` shows on its way to the gateway, through frontends and caches: it proves that the operator asks, and whoever
 * gets hold of it can do nothing with it but ask the same for ten minutes. The admin token itself stays at home.
 */

import { deriveKeys } from "../crypto/derive-keys.ts";
import { hmacOf, isHmacOf } from "../crypto/hmac.ts";

export const DOCTOR_HEADER = "x-gateway-doctor";
/** To either side: the doctor is asked because clocks may be wrong. */
const LIFE_MS = 10 * 60_000;
const FORM = /^(\d{1,15})\.([A-Za-z0-9_-]{16,64})\.([A-Za-z0-9_-]{43})$/;

export function doctorKey(adminToken: string): Uint8Array {
  return deriveKeys([Buffer.from(adminToken)], "doctor")[0]!;
}

/** `nonce` comes back in the answer: one that was kept for somebody else shows. */
export function writePass(key: Uint8Array, nonce: string, nowMs: number): string {
  return `${nowMs}.${nonce}.${hmacOf(`${nowMs}.${nonce}`, key).toString("base64url")}`;
}

/** The nonce; undefined for anything but a fresh pass. */
export function readPass(text: string, key: Uint8Array, nowMs: number): string | undefined {
  const [, atMs, nonce, signature] = FORM.exec(text) ?? [];
  if (atMs === undefined || nonce === undefined || signature === undefined) return undefined;
  if (!isHmacOf(`${atMs}.${nonce}`, key, signature)) return undefined;
  return Math.abs(Number(atMs) - nowMs) <= LIFE_MS ? nonce : undefined;
}
