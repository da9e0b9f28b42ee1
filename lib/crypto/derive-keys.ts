/** One key per purpose, derived from the operator's secret (HKDF, RFC 5869), so that no key serves two uses. */
import { hkdfSync } from "node:crypto";

export type KeyPurpose = "plan" | "session" | "assertion" | "doctor";

/** 32 bytes for each secret, in the same order: the first seals and signs, all of them open and verify. */
export function deriveKeys(secrets: readonly Uint8Array[], purpose: KeyPurpose): Uint8Array[] {
  return secrets.map((secret) => new Uint8Array(hkdfSync("sha256", secret, "", `frontdesk ${purpose} v1`, 32)));
}
