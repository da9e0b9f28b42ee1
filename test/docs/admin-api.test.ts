/** docs/admin-api.md lists the operations that there are. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { createAdminApi } from "#lib/admin/create-api.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { ROOT, readDocument } from "./documents.ts";

test("its table is that of the API", async () => {
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const config = { authenticators: [], routes: [] } as never;
  const context = { stores: createMemoryStores(), log, config, now: () => 0, random: (bytes: number) => new Uint8Array(bytes) };
  const { operations } = createAdminApi(context, {} as never);
  const rows = operations.map(({ method, path, summary }) => `| \`${method} /gateway/api/${path}\` | ${summary} |\n`);
  const shown = readDocument("docs/admin-api.md").text.replace(
    /(<!-- operations:[^>]*-->\n)[\s\S]*?(<!-- \/operations -->)/,
    (_, open: string, close: string) => `${open}| call | what it does |\n|---|---|\n${rows.join("")}${close}`,
  );
  await expect(shown).toMatchFileSnapshot(join(ROOT, "docs/admin-api.md"));
});
