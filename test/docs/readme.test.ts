/** The README is held to the tree: what it prints is what is printed, and its tables are those of the code. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NextRequest } from "next/server.js";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { folderOf } from "#lib/compiler/schema/published.ts";
import { POLICIES } from "#lib/policies/index.ts";
import { ALLOWED_DIFFERENCES } from "../support/allowed-differences.ts";
import { blocksOf, ROOT, readDocument, rowsOf, sectionOf } from "./documents.ts";

const readme = readDocument("README.md");
const blocks = blocksOf(readme);
const block = (language: string, holds: string) => {
  const found = blocks.find((one) => one.language === language && one.text.includes(holds));
  if (!found) throw new Error(`the README has no ${language} block with ${holds}`);
  return found.text;
};
const lines = (text: string) => text.trimEnd().split("\n");

test("its two commands are those", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };
  const commands = lines(block("sh", "npm ci")).map((line) => line.replace(/ *#.*/, ""));
  expect(commands).toEqual(["npm ci && npm run demo", "npm ci && npm test"]);
  expect(scripts).toMatchObject({ demo: expect.any(String), test: expect.any(String) });
});

describe("the demo's output", () => {
  let demo: ChildProcess;
  let printed = "";
  beforeAll(async () => {
    demo = spawn(process.execPath, [join(ROOT, "demo", "demo.ts"), "--no-page"], {
      cwd: ROOT,
      env: { PATH: process.env["PATH"], PORT: "0", NO_COLOR: "1" } as unknown as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "pipe"],
    });
    await new Promise<void>((resolve, reject) => {
      demo.stdout!.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
        if (printed.includes("Ctrl-C stops everything")) resolve();
      });
      demo.once("exit", () => reject(new Error(printed)));
    });
  });
  afterAll(async () => {
    if (demo.exitCode !== null) return;
    demo.kill("SIGTERM");
    await once(demo, "exit");
  });
  const address = () => /gateway {2}(\S+)/.exec(printed)![1]!;
  const settled = (text: string) =>
    text.replaceAll(address(), "http://127.0.0.1:4000").replace(/\b[0-9a-f]{32}\b/g, "4bf92f3577b34da6a3ce929d0e0e4736");

  test("shortened, but as it is printed", () => {
    const guide = lines(block("console", "npm run demo").split("\n$ curl")[0]!).slice(1);
    // The page was left out of this run, and says so.
    const all = settled(printed).replace("  left out", "").split("\n");
    let from = 0;
    for (const line of guide.filter((one) => one !== "…" && one !== "")) {
      const at = all.indexOf(line, from);
      expect(at, line).toBeGreaterThanOrEqual(from);
      from = at + 1;
    }
    expect(guide.length).toBeGreaterThan(15);
  });

  test("the answer below it is what its command gets", async () => {
    const [, command = "", answer = ""] = /\n\$ (curl.*)\n(.*)\n$/.exec(block("console", "npm run demo"))!;
    const own = command.replace("http://127.0.0.1:4000", address());
    const said = await new Promise<string>((resolve) => {
      execFile("sh", ["-c", own], { encoding: "utf8" }, (_, out) => resolve(out));
    });
    expect(settled(said)).toBe(answer);
  });
});

test("the deploy button copies this repository, offers Upstash and asks for nothing", () => {
  const url = new URL(/\(https:\/\/vercel\.com\/button\)\]\(([^)]+)\)/.exec(readme.text)![1]!);
  expect(url.origin + url.pathname).toBe("https://vercel.com/new/clone");
  const { stores, ...asked } = Object.fromEntries(url.searchParams);
  expect(asked).toEqual({
    "repository-url": "https://github.com/frontdesk-gateway/frontdesk",
    "project-name": "frontdesk",
    "repository-name": "frontdesk",
  });
  expect(JSON.parse(stores!)).toEqual([
    { type: "integration", protocol: "storage", integrationSlug: "upstash", productSlug: "upstash-kv" },
  ]);
});

test("its picture is there, and small", () => {
  const [, picture = ""] = /!\[[^\]]+\]\(([^)]+\.png)\)/.exec(readme.text)!;
  expect(existsSync(join(ROOT, picture))).toBe(true);
  expect(readFileSync(join(ROOT, picture)).length).toBeLessThan(150_000);
});

test("its config has twenty lines at most", () => {
  expect(lines(block("ts", "defineGateway(")).length).toBeLessThanOrEqual(20);
});

describe("what a frontend adds", () => {
  const scratch = join(ROOT, ".frontdesk", "readme");
  const load = async (text: string) => {
    const file = join(scratch, `${text.length}.ts`);
    mkdirSync(scratch, { recursive: true });
    writeFileSync(file, text);
    return (await import(/* @vite-ignore */ file)) as Record<string, unknown>;
  };
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(scratch, { recursive: true, force: true });
  });

  test("the rewrite is the same by vercel.json and next.config.ts, and that of the flow", async () => {
    const { rewrites } = JSON.parse(block("json", "rewrites")) as { rewrites: unknown };
    const flow = join(ROOT, "test", "flows", "frontend-rewrite", "frontend", "vercel.json");
    expect(rewrites).toEqual(JSON.parse(readFileSync(flow, "utf8")).rewrites);
    const { default: config } = await load(block("ts", "NextConfig"));
    expect(await (config as { rewrites(): unknown }).rewrites()).toEqual(rewrites);
  });

  test("Vite's proxy leads to where the Node host listens", async () => {
    const { default: config } = await load(block("ts", 'from "vite"'));
    expect(config).toEqual({ server: { proxy: { "/api": "http://127.0.0.1:4000" } } });
  });

  describe("the file that does instead", () => {
    let proxy: (request: NextRequest) => Response;
    beforeAll(async () => {
      vi.stubEnv("BACKEND_URL", "https://backend.example");
      vi.stubEnv("BACKEND_TOKEN", "secret");
      const module = await load(block("ts", "NextResponse.rewrite"));
      proxy = module["proxy"] as typeof proxy;
      expect(module["config"]).toEqual({ matcher: "/api/:path*" });
    });
    const send = (path: string, headers: Record<string, string> = {}) =>
      proxy(new NextRequest(`https://shop.example${path}`, { headers }));

    test("sends the request on with the token, and without the cookie", () => {
      const { headers } = send("/api/products?page=2", { cookie: "a=b", authorization: "Bearer the caller's", "x-own": "1" });
      expect(headers.get("x-middleware-rewrite")).toBe("https://backend.example/products?page=2");
      expect(headers.get("x-middleware-request-authorization")).toBe("Bearer secret");
      expect(headers.get("x-middleware-request-x-own")).toBe("1");
      expect(headers.get("x-middleware-override-headers")?.split(",")).not.toContain("cookie");
    });

    test.each([
      ["/api//evil.example/x", "/"],
      ["/api/@evil.example", "/"],
      ["/api", "/"],
    ])("a path can't choose another host: %s", (path) => {
      expect(new URL(send(path).headers.get("x-middleware-rewrite")!).host).toBe("backend.example");
    });

    test("refuses what another site made a browser send", () => {
      expect(send("/api/x", { "sec-fetch-site": "cross-site" }).status).toBe(403);
      expect(send("/api/x", { "sec-fetch-site": "same-origin" }).status).toBe(200);
    });
  });
});

test("the table of policies is that of lib/policies", () => {
  const rows = rowsOf(sectionOf(readme, "policies")).map(([name, phase, codes]) => [name, phase, codes?.split(" ").sort()]);
  const expected = [...POLICIES.values()].map(({ name, phase, refuses }) => [
    `[\`${name}\`](lib/policies/${folderOf(name)})`,
    phase ?? "–",
    refuses.length > 0 ? refuses.map((code) => `\`${code}\``).sort() : ["–"],
  ]);
  expect(rows).toEqual(expected);
});

test("the table of differences is the reviewed list", async () => {
  const cell = (text: string) => text.replaceAll("|", "\\|");
  const rows = ALLOWED_DIFFERENCES.map(({ what, why }) => `| ${cell(what)} | ${cell(why)} |\n`);
  const shown = readme.text.replace(
    /(<!-- differences:[^>]*-->\n)[\s\S]*?(<!-- \/differences -->)/,
    (_, open: string, close: string) => `${open}| difference | why |\n|---|---|\n${rows.join("")}${close}`,
  );
  await expect(shown).toMatchFileSnapshot(join(ROOT, "README.md"));
});
