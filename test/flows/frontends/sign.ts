/** The signing code of docs/frontends.md, as it stands there. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blocksOf, ROOT, readDocument } from "../../docs/documents.ts";

type GatewayClient = (method: string, path: string, caller: Record<string, string>, secret: string) => Promise<string>;

const blocks = blocksOf(readDocument("docs/frontends.md"));

/** Writes files of that page, by the names in their first lines, into a folder of the repository's own: they find its packages. */
export function writeSnippets(name: string, ...files: readonly string[]): string {
  const folder = join(ROOT, ".frontdesk", name);
  mkdirSync(folder, { recursive: true });
  for (const file of files) {
    const block = blocks.find(({ text }) => text.startsWith(`// ${file}\n`));
    if (!block) throw new Error(`docs/frontends.md has no ${file}`);
    writeFileSync(join(folder, file), block.text);
  }
  return folder;
}

export async function loadGatewayClient(): Promise<GatewayClient> {
  const folder = writeSnippets("sign-snippet", "gateway-client.ts");
  const { gatewayClient } = (await import(/* @vite-ignore */ join(folder, "gateway-client.ts"))) as {
    gatewayClient: GatewayClient;
  };
  return gatewayClient;
}
