import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { COMMAND, checkout, ROOT, run } from "./checkout.ts";

const PAGE = join(ROOT, "docs", "cli.md");

/** What differs from run to run, in place of which the page has an example. */
function settled(output: string): string {
  return output
    .replace(/\d+\.\d ms/g, "0.1 ms")
    .replace(/\b[0-9a-f]{32}\b/g, "4bf92f3577b34da6a3ce929d0e0e4736")
    .replace(/\bkey_[0-9A-Za-z]{16}\b/g, "key_7hLrVJqZ0bKd2mXw")
    .replace(/\bfd_live_[0-9A-Za-z]{4}…/g, "fd_live_7hLr…")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "2027-01-31T12:00:00.000Z")
    .replace(/-[0-9a-f]{16}-00/g, "-00f067aa0ba902b7-00")
    .replace(/(digest +)[\w-]{43}/, "$1kJk1B7JWv6A6cSurpf741FAHnUE6XlkbdTZXOMcauF0")
    .replace(/frontdesk-[A-Za-z0-9]{10}\b/, "frontdesk-kJk1B7JWv6");
}

/** A process for each command, on a machine that may be busy. */
const TIMEOUT_MS = 120_000;

test("docs/cli.md shows what its commands print", { timeout: TIMEOUT_MS }, async () => {
  const page = readFileSync(PAGE, "utf8");
  const config = /```ts\n(.*?)```/s.exec(page)![1]!;
  const { folder } = checkout({ "gateway.config.ts": config, ".env": "SHOP_TOKEN=s3cret\n" });
  const bin = mkdtempSync(join(tmpdir(), "frontdesk-bin-"));
  onTestFinished(() => rmSync(bin, { recursive: true }));
  symlinkSync(process.execPath, join(bin, "node"));
  // The commands are run as they stand there; npx itself is npm's.
  writeFileSync(join(bin, "npx"), `#!/bin/sh\nshift\nexec node "${COMMAND}" "$@"\n`, { mode: 0o755 });

  let shown = page;
  for (const [block, session] of page.matchAll(/```console\n(.*?)```/gs)) {
    const commands = session!.split("\n").filter((line) => line.startsWith("$ "));
    const outputs: string[] = [];
    for (const command of commands) {
      // In the shell, an empty variable in front of a command stands over that of .env.
      const { out, err } = await run("sh", ["-c", command.slice(2)], folder, { PATH: `${bin}:${process.env["PATH"]}` });
      outputs.push(`${command}\n${settled(out + err)}`);
    }
    shown = shown.replace(block, () => `\`\`\`console\n${outputs.join("\n")}\`\`\``);
  }
  expect(shown).not.toContain("s3cret");
  await expect(shown).toMatchFileSnapshot(PAGE);
});
