/** `npm test [-- path…]`: obtains what the chosen tests need beyond npm, runs them, and ends with how many passed and failed. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const VITEST = join(ROOT, "node_modules", "vitest", "vitest.mjs");
const paths = process.argv.slice(2);

/** What a test file needs shows in what it imports. A need that can't be met ends the run: a skipped test proves nothing. */
const NEEDS: [sign: RegExp, obtain: () => Promise<void>][] = [
  [/support\/redis\//, async () => (await import("../test/support/redis/redis-server.ts")).ensureRedis()],
  [/clients\/program\.ts/, async () => (await import("../test/clients/program.ts")).ensurePrograms()],
  [/support\/browser\.ts/, async () => (await import("../test/support/browser.ts")).ensureChromium()],
  [/support\/(?:describe-hosts|host-process)\.ts/, async () => (await import("./test-build.ts")).ensureTestBuild()],
];

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  fail(
    `These tests need Node 22.19 or newer and run on ${process.version}. Run them by \`npm test\` after \`npm ci\`, which brings a Node that is new enough.`,
  );
}

const sources = chosenFiles().map((file) => readFileSync(join(ROOT, file), "utf8"));
for (const [sign, obtain] of NEEDS) {
  if (!sources.some((source) => sign.test(source))) continue;
  try {
    await obtain();
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

const folder = mkdtempSync(join(tmpdir(), "frontdesk-results-"));
const report = join(folder, "results.json");
const { status } = spawnSync(
  process.execPath,
  [VITEST, "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...paths],
  {
    cwd: ROOT,
    stdio: "inherit",
  },
);
const { passed, failed } = counts();
rmSync(folder, { recursive: true });
// A file that can't be loaded fails no test, but fails the run.
const failures = status === 0 ? failed : Math.max(failed, 1);
console.log(`${passed} passed, ${failures} failed`);
process.exit(failures === 0 && passed > 0 ? 0 : 1);

function chosenFiles(): string[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [VITEST, "list", "--filesOnly", ...paths], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (status !== 0) fail(stderr || stdout);
  return stdout.split("\n").filter((line) => line.endsWith(".test.ts"));
}

function counts(): { passed: number; failed: number } {
  try {
    const { numPassedTests, numTotalTests } = JSON.parse(readFileSync(report, "utf8")) as {
      numPassedTests: number;
      numTotalTests: number;
    };
    // What neither passed nor failed was skipped, which counts as a failure here.
    return { passed: numPassedTests, failed: numTotalTests - numPassedTests };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

function fail(message: string): never {
  console.error(message);
  console.log("0 passed, 1 failed");
  process.exit(1);
}
