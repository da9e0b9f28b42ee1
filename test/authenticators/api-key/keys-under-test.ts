/** Keys for tests: drawn as the gateway draws them, with a record to put into a store. */
import { randomBytes } from "node:crypto";
import { KeyFormat } from "#lib/authenticators/api-key/key-format.ts";
import type { KeyRecord } from "#lib/contract/stores/keys.ts";

let made = 0;

export function newKey(more: Partial<KeyRecord> = {}, prefix = "fd"): { readonly key: string; readonly record: KeyRecord } {
  const { key, digest, hint } = new KeyFormat(prefix).make((bytes) => new Uint8Array(randomBytes(bytes)));
  const record = { id: `key_${++made}`, version: 1, digest, name: "test", consumer: "acme", hint, createdMs: 0, ...more };
  return { key, record };
}
