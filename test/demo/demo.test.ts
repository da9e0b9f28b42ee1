/** The demo does what it prints: it is started as a user does, and every command that it shows is run by a shell and the real curl. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CURLS, fillIn } from "../../demo/curls.ts";

const root = join(import.meta.dirname, "..", "..");

let demo: ChildProcess;
let guide = "";
let address: string;
let pid: number;
let key: string;
let token: string;

beforeAll(async () => {
  demo = spawn("node", [join(root, "demo", "demo.ts"), "--no-page"], {
    cwd: root,
    // What a user may have set for another gateway must not matter.
    env: { ...process.env, PORT: "0", HOST: "0.0.0.0", GATEWAY_CONFIG: "{}", GATEWAY_CONFIG_FILE: "nowhere.yaml" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  await new Promise<void>((resolve, reject) => {
    for (const stream of [demo.stdout!, demo.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        guide += text;
        if (guide.includes("Ctrl-C stops everything")) resolve();
      });
    }
    demo.once("exit", () => reject(new Error(guide)));
  });
  address = /gateway {2}(\S+)/.exec(guide)![1]!;
  key = /Bearer (fd_live_\w+)/.exec(guide)![1]!;
  token = /GATEWAY_ADMIN_TOKEN=(\S+)/.exec(guide)![1]!;
  pid = Number(/kill -HUP (\d+)/.exec(guide)![1]);
}, 30_000);

afterAll(async () => {
  if (demo.exitCode === null) {
    demo.kill("SIGTERM");
    await once(demo, "exit");
  }
});

interface Ran {
  readonly exit: number;
  readonly output: string;
}

function run(command: string): Promise<Ran> {
  return new Promise((resolve) => {
    execFile("sh", ["-c", command], { encoding: "utf8" }, (error, stdout, stderr) => {
      resolve({ exit: error ? Number(error.code) : 0, output: (stdout + stderr).replaceAll("\r\n", "\n") });
    });
  });
}

describe("the demo", () => {
  it("listens on this machine alone", () => {
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  describe.each(CURLS)("$title", ({ curls }) => {
    it.each(curls)(
      "$command",
      async ({ command, expect: texts, exit = 0 }) => {
        const filled = fillIn(command, { gateway: address, pid, key, token });
        expect(guide).toContain(`${filled}\n`);
        const ran = await run(filled);
        for (const text of texts) expect(ran.output).toContain(text);
        expect(ran.exit).toBe(exit);
      },
      20_000,
    );
  });

  it("sends neither the cookie nor a forged address on, nor the backend's software to the caller", async () => {
    const { output } = await run(`curl -si -H 'cookie: a=b' -H 'x-forwarded-for: 6.6.6.6' ${address}/echo`);
    expect(output).not.toMatch(/"cookie"|6\.6\.6\.6|x-powered-by|x-service-key: /i);
    expect(output).toContain('"x-service-key":"only the backend sees this"');
  });

  it("reloads on SIGHUP", async () => {
    const loadedAt = async () => ((await (await fetch(`${address}/gateway/health`)).json()) as { loadedAt: string }).loadedAt;
    const before = await loadedAt();
    process.kill(pid, "SIGHUP");
    await expect.poll(loadedAt, { timeout: 10_000 }).not.toBe(before);
  });

  it("shows the operator's side to this machine only under its own name", async () => {
    const asked = (host: string) =>
      run(`curl -s -o /dev/null -w '%{http_code}' -H 'host: ${host}' ${address}/gateway/api/overview`);
    expect((await asked("localhost:4000")).output).toBe("200");
    // DNS rebinding: a page on another site that resolves its own name to this machine. It would need the token.
    expect((await asked("evil.example")).output).toBe("401");
  });

  it("answers from the other region where every caller is in Germany", async () => {
    const abroad = spawn("node", [join(root, "demo", "demo.ts"), "--no-page", "--geo", "DE"], {
      cwd: root,
      env: { ...process.env, PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const printed = await new Promise<string>((resolve, reject) => {
      let text = "";
      abroad.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (text.includes("Ctrl-C stops everything")) resolve(text);
      });
      abroad.once("exit", () => reject(new Error(text)));
    });
    const [command] = /curl -s http:\S+\/regional\/products\/1/.exec(printed)!;
    expect((await run(command)).output).toContain('"region":"eu"');
    abroad.kill("SIGTERM");
    await once(abroad, "exit");
  }, 30_000);

  it("takes everything with it when it ends", async () => {
    demo.kill("SIGTERM");
    const [code] = await once(demo, "exit");
    expect(code).toBe(0);
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    await expect(fetch(address)).rejects.toThrow();
  });
});
