import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { VERSION } from "#lib/admin/version.ts";
import { COMMANDS } from "#lib/cli/commands.ts";
import { COMMAND, checkout, ROOT, run } from "./checkout.ts";

describe("frontdesk", () => {
  test("can be executed itself, as npx does by its link", async () => {
    expect(statSync(COMMAND).mode & 0o111).toBe(0o111);
    expect(await run(join(ROOT, "node_modules", ".bin", "frontdesk"), ["--version"], ROOT)).toEqual({
      code: 0,
      out: `${VERSION}\n`,
      err: "",
    });
  });

  test("lists its commands", async () => {
    const { frontdesk } = checkout();
    const { code, out, err } = await frontdesk("--help");
    expect([code, err]).toEqual([0, ""]);
    for (const { name, summary } of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name} +${summary}$`, "m"));
    expect(await frontdesk()).toEqual({ code: 2, out: "", err: out });
    expect(await frontdesk("help")).toEqual({ code: 0, out, err: "" });
  });

  test.each(COMMANDS)("$name --help says how it is called", async ({ name, flags, operands }) => {
    const { frontdesk } = checkout();
    const { code, out } = await frontdesk(name, "--help");
    expect(code).toBe(0);
    expect(out).toContain(`frontdesk ${name} ${operands}`.trim());
    for (const flag of Object.keys(flags)) expect(out).toContain(`--${flag}`);
    expect(await frontdesk("help", name)).toMatchObject({ code: 0, out });
    expect(await frontdesk(name, "-h")).toMatchObject({ code: 0, out });
  });

  test.each([
    [["chekc"], 'frontdesk: there is no "chekc". Did you mean "check"?'],
    [
      ["zzz"],
      'frontdesk: there is no "zzz". There are check, routes, explain, doctor, logs, keys, tokens, basic, usage, maintenance, purge, init.',
    ],
    [["check", "--vercle"], 'frontdesk check: there is no --vercle. Did you mean "--vercel"?'],
    [["check", "-j"], "frontdesk check: there is no -j."],
    [["check", "a.yaml", "b.yaml"], 'frontdesk check: it takes no "b.yaml".'],
    [["routes", "a.yaml", "all"], 'frontdesk routes: it takes no "all".'],
    [["check", "--json=yes"], "frontdesk check: --json takes no value."],
    [["doctor"], "frontdesk doctor: it needs the frontend's URL: frontdesk doctor https://shop.example/api."],
    [
      ["doctor", "https://a.example"],
      "frontdesk doctor: GATEWAY_ADMIN_TOKEN is not set: the gateway answers its operator alone. The demo prints a command with the token that it has drawn.",
    ],
    [["explain", "GET /", "--ip", "--json"], "frontdesk explain: --ip needs a value: --ip <address>."],
    [["explain", "GET /", "--ip"], "frontdesk explain: --ip needs a value: --ip <address>."],
    [["explain", "GET /", "--ip", "1.2.3.4", "--ip", "::1"], "frontdesk explain: --ip is given twice."],
  ])("%j is a wrong call", async (args, message) => {
    const { code, out, err } = await checkout().frontdesk(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err.split("\n")[0]).toBe(message);
  });

  test("colours are for terminals", async () => {
    const config = { "gateway.json": '{"routes":[{"path":"/","auth":"none","respond":{"body":"hi"}}]}' };
    const plain = await checkout(config).frontdesk("check", "gateway.json");
    expect(plain.out).not.toContain("\x1b");
    const coloured = await checkout(config, { FORCE_COLOR: "1" }).frontdesk("check", "gateway.json");
    expect(coloured.out).toContain("\x1b[1mgateway.json\x1b[22m");
  });

  test("a reader that leaves early is no error", async () => {
    const { folder } = checkout({ "gateway.json": '{"routes":[{"path":"/","auth":"none","respond":{"body":"hi"}}]}' });
    const piped = await run("sh", ["-c", `"$0" "$1" routes --config gateway.json | true`, process.execPath, COMMAND], folder);
    expect(piped).toEqual({ code: 0, out: "", err: "" });
  });
});
