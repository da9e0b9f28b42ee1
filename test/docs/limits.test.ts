/** The README's limits of the Vercel host, one request each: what Next answers or changes before any of our code runs. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, startBackend } from "../support/backend.ts";
import { type HostProcess, startHost, temporaryFolder } from "../support/host-process.ts";
import { sendRaw } from "../support/raw-client.ts";
import { readDocument } from "./documents.ts";

let backend: Backend;
let host: HostProcess;
beforeAll(async () => {
  backend = await startBackend();
  const config = join(temporaryFolder(), "gateway.config.json");
  mkdirSync(join(config, ".."), { recursive: true });
  writeFileSync(
    config,
    JSON.stringify({ backends: { all: backend.url }, routes: [{ path: "/*", backend: "all", auth: "none", guard: "lenient" }] }),
  );
  host = await startHost("vercel", { config });
});
afterAll(async () => {
  await host?.stop();
  backend?.close();
});

async function send(method: string, target: string) {
  const before = backend.requests.length;
  const answer = await sendRaw(host.port, { method, target });
  return { answer, reached: backend.requests.slice(before).map((request) => request.target) };
}

const limits = readDocument("README.md").text.split("## Limits")[1]!.split("\n## ")[0]!;

describe("on the Vercel host", () => {
  test.each(["/404", "/500", "/_error", "/_not-found", "/_next/image", "/_next/data/x.json"])(
    "%s never reaches a backend",
    async (target) => {
      expect(limits).toContain(`\`${target.replace("x.json", "…")}\``);
      const { answer, reached } = await send("GET", target);
      expect(reached).toEqual([]);
      expect(answer.status).toBeGreaterThanOrEqual(400);
    },
  );

  test.each(["/a//b", "/a\\b"])("%s is redirected to one slash", async (target) => {
    const { answer, reached } = await send("GET", target);
    expect([answer.status, answer.headers.get("location"), reached]).toEqual([308, "/a/b", []]);
  });

  test.each(["/a/../b", "/a/%2e%2e/b"])("%s is resolved", async (target) => {
    expect((await send("GET", target)).reached).toEqual(["/b"]);
  });

  test("a broken escape is Next's 500", async () => {
    const { answer, reached } = await send("GET", "/%zz");
    expect([answer.status, reached]).toEqual([500, []]);
  });

  test("methods beyond the seven", async () => {
    const refused = await send("PROPFIND", "/a");
    expect([refused.answer.status, refused.answer.headers.get("allow")]).toEqual([
      405,
      "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    ]);
    expect((await send("TRACE", "/a")).answer.status).toBe(500);
    expect(refused.reached).toEqual([]);
  });

  // Else the list above would prove nothing.
  test.each(["/x", "/favicon.ico", "/x.rsc", "/_next/x", "/index"])("%s does reach it", async (target) => {
    expect((await send("GET", target)).reached).toEqual([target]);
  });
});
