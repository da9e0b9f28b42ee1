/** The build of the Vercel shape that flow tests start: the same bundles as a deployment's, but the config is read at start. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
/** Its folder, beside the `.next` of an ordinary build (next.config.ts). */
const TEST_BUILD = ".next-test";
const STAMP = join(ROOT, TEST_BUILD, "sources.sha256");

/** Everything that a bundle can hold. */
const SOURCES = [
  "lib",
  "app",
  "middleware.ts",
  "next.config.ts",
  "gateway.config.ts",
  "package.json",
  "package-lock.json",
  "scripts/compile-config.ts",
  "test/support/custom-policies.ts",
  "test/flows/custom-policies",
];

/** Builds where sources have changed since the last test build. Throws where the build fails. */
export function ensureTestBuild(): void {
  const stamp = digest();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === stamp) return;
  console.log("building the Vercel shape for the flow tests");
  rmSync(join(ROOT, TEST_BUILD), { recursive: true, force: true });
  const env = { ...process.env, GATEWAY_TEST_BUILD: "1", NEXT_TELEMETRY_DISABLED: "1" };
  for (const args of [["scripts/compile-config.ts"], ["node_modules/next/dist/bin/next", "build"]]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, env, encoding: "utf8" });
    if (status !== 0) throw new Error(`the test build failed (${args.join(" ")}):\n${stdout}${stderr}`);
  }
  writeFileSync(STAMP, stamp);
}

function digest(): string {
  const hash = createHash("sha256");
  for (const file of SOURCES.flatMap(filesBelow)) hash.update(file).update(readFileSync(join(ROOT, file)));
  return hash.digest("hex");
}

function filesBelow(path: string): string[] {
  const full = join(ROOT, path);
  if (!existsSync(full)) return [];
  if (statSync(full).isFile()) return [path];
  return readdirSync(full)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}
