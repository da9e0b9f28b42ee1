import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { hashPassword, parsePasswordHash } from "#lib/crypto/password-hash.ts";
import { COMMAND, ROOT } from "./checkout.ts";

async function hash(input: string, ...args: string[]) {
  const child = spawn(process.execPath, [COMMAND, "basic", ...args], { cwd: ROOT, env: { PATH: process.env["PATH"]! } as never });
  child.stdin.end(input);
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once("exit", resolve)),
  ]);
  return { out, err, code };
}

test.each([
  ["correct horse", "correct horse"],
  ["correct horse\n", "correct horse"],
  ["caf\u00e9\r\n", "cafe\u0301"],
])("frontdesk basic hash of %j", async (input, password) => {
  const { out, err, code } = await hash(input, "hash");
  expect({ err, code }).toEqual({ err: "", code: 0 });
  const parsed = parsePasswordHash(out.trimEnd())!;
  expect(Buffer.from(parsed.hash).equals(await hashPassword(password, parsed))).toBe(true);
});

test.each([["\n"], ["two\nlines\n"], ["bell\u0007"], ["x".repeat(1025)]])("%j is no password", async (input) => {
  const { out, err, code } = await hash(input, "hash");
  expect({ out, code }).toEqual({ out: "", code: 2 });
  expect(err).toContain("a password is one line of 1 to 1024 characters.");
});

test("called otherwise", async () => {
  expect((await hash("x", "cash")).err).toContain('it takes hash, not "cash".');
  expect((await hash("x")).code).toBe(2);
});
