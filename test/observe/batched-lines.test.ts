/** Lines in batches: all of them in their order, and none that a stuck or broken reader would make the gateway wait for. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ROOT } from "../support/host-process.ts";
import { until } from "../support/until.ts";

/** A process of its own: its stdout is a pipe whose other end is this test's. */
function writer(code: string) {
  const file = join(ROOT, "lib/observe/batched-lines.ts");
  const script = `import { createBatchedLines } from ${JSON.stringify(file)};
    const lines = createBatchedLines(process.stdout, (count, why) => process.stderr.write(JSON.stringify({ count, why }) + "\\n"));
    process.on("exit", lines.flush);
    ${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said = { out: "", err: "" };
  child.stderr.on("data", (bytes: Buffer) => {
    said.err += bytes.toString();
  });
  const read = () =>
    child.stdout.on("data", (bytes: Buffer) => {
      said.out += bytes.toString();
    });
  return { child, said, read };
}

test("every line arrives in its order, those of the end too", async () => {
  const { child, said, read } = writer(`
    for (let i = 0; i < 20_000; i++) lines.write("line " + i);
    setTimeout(() => { lines.write("late"); lines.write("last"); process.exit(0); }, 300);`);
  read();
  await once(child, "close");
  const lines = said.out.trimEnd().split("\n");
  expect(lines.slice(0, 20_000)).toEqual(Array.from({ length: 20_000 }, (_, i) => `line ${i}`));
  expect(lines.slice(20_000)).toEqual(["late", "last"]);
  expect(said.err).toBe("");
});

test("a reader that stops holds nothing up; what is lost is told when it reads again", async () => {
  const { child, said, read } = writer(`
    const line = "x".repeat(1023);
    let isFull = false;
    const timer = setInterval(() => {
      for (let i = 0; i < 1000; i++) lines.write(line);
      process.stderr.write("turn\\n");
    }, 10);
    process.on("SIGUSR2", () => clearInterval(timer));`);
  // Many turns of the event loop, with 1 MB each: far more than may wait.
  await until(() => said.err.split("turn").length > 20, "turns of the event loop");
  child.kill("SIGUSR2");
  read();
  await until(() => /"count":\d{4,}/.test(said.err), "the number of lines that were lost");
  expect(said.err).toContain("nobody read the lines before them");
});

test("at the end of the process a reader that has stopped is not waited for", async () => {
  const { child } = writer(`
    for (let i = 0; i < 3000; i++) lines.write("x".repeat(1023));
    setTimeout(() => process.exit(0), 1500);`);
  await once(child, "exit");
  expect(child.exitCode).toBe(0);
});

test("a reader that has gone ends the lines, not the process", async () => {
  const { child, said } = writer(`
    setInterval(() => { lines.write("x".repeat(20_000)); process.stderr.write("alive\\n"); }, 10);`);
  child.stdout.destroy();
  await until(() => said.err.includes("EPIPE"), "the broken pipe");
  const before = said.err.split("alive").length;
  await until(() => said.err.split("alive").length > before + 5, "turns after it");
  expect(said.err.split("EPIPE")).toHaveLength(2);
});
