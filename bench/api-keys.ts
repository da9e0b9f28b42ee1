/** API keys for the bench: drawn once, and put into a store file as the gateway keeps them. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { KeyFormat } from "../lib/authenticators/api-key/key-format.ts";
import { digestOf } from "../lib/crypto/credential-digest.ts";
import { createSqliteStores } from "../lib/stores/sqlite/sqlite-stores.ts";

const format = new KeyFormat("fd");
const random = (bytes: number) => new Uint8Array(randomBytes(bytes));

export function drawKeys(count: number): readonly string[] {
  return Array.from({ length: count }, () => format.make(random).key);
}

/** Below `folder`, where a Node host that is started there finds them. */
export function storeKeys(keys: readonly string[], folder: string): void {
  const stores = createSqliteStores({ file: join(folder, ".frontdesk", "frontdesk.db") });
  for (const [index, key] of keys.entries()) {
    const hint = key.slice(0, 12);
    stores.keys.put({
      id: `key_${index}`,
      version: 1,
      digest: digestOf(key),
      name: "bench",
      consumer: `c${index}`,
      hint,
      createdMs: index,
    });
  }
  void stores.close();
}
