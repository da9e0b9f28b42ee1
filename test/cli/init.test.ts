import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, test } from "vitest";
import { parseEnvironment } from "#lib/config/env.ts";
import { checkout, ROOT, run } from "./checkout.ts";

const read = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");

describe("frontdesk init", () => {
  test("writes secrets that the gateway takes, a config that compiles, and the steps that follow", async () => {
    const { frontdesk, folder } = checkout();
    const { code, out, err } = await frontdesk("init");
    expect([code, err]).toEqual([0, ""]);
    const { GATEWAY_SECRET, GATEWAY_ADMIN_TOKEN } = parseEnv(read(folder, ".env.local"));
    expect(parseEnvironment({ GATEWAY_SECRET: GATEWAY_SECRET!, GATEWAY_ADMIN_TOKEN: GATEWAY_ADMIN_TOKEN! })).toMatchObject({
      secrets: [Buffer.from(GATEWAY_SECRET!, "base64url")],
      adminToken: GATEWAY_ADMIN_TOKEN,
    });
    expect(statSync(join(folder, ".env.local")).mode & 0o777).toBe(0o600);
    expect(out).toContain("+ GATEWAY_SECRET was written to .env.local");
    expect(out).toContain("+ gateway.config.ts was written");
    for (const name of ["GATEWAY_SECRET", "GATEWAY_ADMIN_TOKEN"]) expect(out).toContain(`npx vercel env add ${name} production`);
    expect(out).not.toContain(GATEWAY_SECRET);
    expect(out).not.toContain(GATEWAY_ADMIN_TOKEN);
    expect((await frontdesk("check")).code).toBe(0);
  });

  test("a second time changes nothing", async () => {
    const { frontdesk, folder } = checkout();
    await frontdesk("init", "--backend", "https://a.example");
    const before = [read(folder, ".env.local"), read(folder, "gateway.config.ts")];
    const { code, out } = await frontdesk("init", "--backend", "https://b.example");
    expect(code).toBe(0);
    expect(out).toContain("= GATEWAY_SECRET is set already, and was kept\n= GATEWAY_ADMIN_TOKEN is set already, and was kept\n");
    expect(out).toContain(
      "= gateway.config.ts is there already, and was kept; --backend had no effect (--force writes a new one)",
    );
    expect([read(folder, ".env.local"), read(folder, "gateway.config.ts")]).toEqual(before);
    expect((await frontdesk("init", "--backend", "https://b.example", "--force")).out).toContain(
      "+ gateway.config.ts was replaced",
    );
    expect(read(folder, "gateway.config.ts")).toContain("https://b.example");
    expect(read(folder, ".env.local")).toBe(before[0]);
  });

  test("what a fresh copy or `init` itself has written is replaced by what is asked for", async () => {
    const template = read(ROOT, "gateway.config.ts");
    for (const untouched of [template, template.replaceAll("\n", "\r\n")]) {
      const { call, folder } = checkout({ "gateway.config.ts": untouched });
      expect((await call("init")).out).toContain("= gateway.config.ts is there already, and was kept (--force");
      expect(read(folder, "gateway.config.ts")).toBe(untouched);
      const { out } = await call("init", "--backend", "https://shop.example");
      expect(out).toContain("+ gateway.config.ts was replaced");
      expect(read(folder, "gateway.config.ts")).toContain("https://shop.example");
    }
    const { call, folder } = checkout();
    await call("init");
    expect((await call("init", "--path", "/x")).out).toContain("+ gateway.config.ts was replaced");
    writeFileSync(join(folder, "gateway.config.ts"), `${template}// mine\n`);
    const kept = await call("init", "--backend", "https://shop.example", "--path", "/y");
    expect(kept.out).toContain("was kept; --backend and --path had no effect (--force writes a new one)");
    expect(read(folder, "gateway.config.ts")).toBe(`${template}// mine\n`);
  });

  test("the printed line hands exactly the secret to Vercel's command", async () => {
    const { frontdesk, folder } = checkout();
    const { out } = await frontdesk("init");
    const line = /^ {2}(.*) \| npx vercel env add GATEWAY_SECRET production --sensitive$/m.exec(out)![1]!;
    const { GATEWAY_SECRET } = parseEnv(read(folder, ".env.local"));
    expect((await run("sh", ["-c", line], folder)).out).toBe(GATEWAY_SECRET);
  });

  test("fills the empty lines of a copied .env.example, and leaves the rest of a file as it is", async () => {
    const example = read(ROOT, ".env.example");
    const { frontdesk, folder } = checkout({ ".env.local": `# mine\nOTHER=1\n${example}export X=2` });
    await frontdesk("init");
    const text = read(folder, ".env.local");
    const { GATEWAY_SECRET, GATEWAY_ADMIN_TOKEN } = parseEnv(text);
    const undone = text
      .split("\n")
      .filter((line) => !/^GATEWAY_(?:SECRET|ADMIN_TOKEN)=/.test(line))
      .join("\n");
    expect(undone).toBe(`# mine\nOTHER=1\n${example}export X=2`.replace(/^GATEWAY_(?:SECRET|ADMIN_TOKEN)=.*\n/gm, ""));
    expect(text.match(/^GATEWAY_SECRET=/gm)).toHaveLength(1);
    expect([GATEWAY_SECRET, GATEWAY_ADMIN_TOKEN]).toEqual([
      expect.stringMatching(/^[\w-]{43}$/),
      expect.stringMatching(/^[\w-]{43}$/),
    ]);
    expect(statSync(join(folder, ".env.local")).mode & 0o777).toBe(0o600);
  });

  test("what is set elsewhere is kept: .env.local would take its place", async () => {
    const secret = Buffer.alloc(32, 7).toString("base64url");
    const { frontdesk, folder } = checkout({ ".env": `GATEWAY_SECRET=${secret}\n` }, { GATEWAY_ADMIN_TOKEN: "0123456789abcdef" });
    const { out } = await frontdesk("init");
    expect(existsSync(join(folder, ".env.local"))).toBe(false);
    expect(out).toContain("sed -n 's/^GATEWAY_SECRET=//p' .env |");
    expect(out).toContain("printenv GATEWAY_ADMIN_TOKEN |");
    expect(out).not.toContain("0123456789abcdef");
  });

  test("a value that can't be used is not overwritten", async () => {
    const { frontdesk, folder } = checkout({ ".env.local": "GATEWAY_SECRET=short\n" });
    const { code, err } = await frontdesk("init");
    expect(code).toBe(1);
    expect(err).toContain("`frontdesk init` overwrites no value: correct or remove it first.");
    expect(read(folder, ".env.local")).toBe("GATEWAY_SECRET=short\n");
    expect(existsSync(join(folder, "gateway.config.ts"))).toBe(false);
  });

  test("a first backend", async () => {
    const { frontdesk } = checkout();
    await frontdesk("init", "--backend", "https://shop.example/base", "--path", "/shop/*");
    const { out } = await frontdesk("explain", "GET /shop/x", "--json");
    expect(JSON.parse(out)).toMatchObject({
      verdict: "sent",
      sends: { backend: "api", url: "https://shop.example/base/shop/x" },
    });
  });

  test.each([
    [["--backend", "shop.example"], "--backend: expected an http or https URL"],
    [["--path", "shop"], '--path: "shop" is not a path for a route'],
    [["--path", "/gateway/x", "--backend", "https://a.example"], "--path: everything below /gateway is the gateway's own."],
  ])("init %j is a wrong call and writes nothing", async (args, message) => {
    const { frontdesk, folder } = checkout();
    const { code, out, err } = await frontdesk("init", ...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
    expect(existsSync(join(folder, ".env.local")) || existsSync(join(folder, "gateway.config.ts"))).toBe(false);
  });

  test("a config that comes from a variable gets no rival", async () => {
    const { frontdesk, folder } = checkout({}, { GATEWAY_ROUTES: "/* -> https://a.example", GATEWAY_AUTH: "none" });
    expect((await frontdesk("init")).out).toContain("= GATEWAY_ROUTES holds the config, and no gateway.config.ts was written");
    expect(existsSync(join(folder, "gateway.config.ts"))).toBe(false);
  });
});
