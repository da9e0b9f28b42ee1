/** `npm run dev`: what is edited is taken up, however it is saved; what can't be used changes nothing. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { checkout } from "../cli/checkout.ts";
import { ROOT, run } from "../support/host-process.ts";
import { sendRaw } from "../support/raw-client.ts";
import { until } from "../support/until.ts";

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** As editors and git save: the new file is written beside the old one and takes its name. */
function saveAtomically(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}

const answering = (body: string) => `
import { defineGateway } from "#frontdesk";
export default defineGateway({ routes: [{ path: "/who", auth: "none", respond: { body: ${JSON.stringify(body)} } }] });
`;

async function dev(files: Record<string, string>, env: Record<string, string> = { PORT: "0" }) {
  const { folder } = checkout(files);
  const { child, output } = run([join(ROOT, "scripts", "dev.ts")], folder, env);
  stops.push(() => child.kill("SIGTERM"));
  /** Of the server that was started last; a new one says a new port. */
  const port = () => Number([...output.join("").matchAll(/listens on http:\/\/\S+?:(\d+)/g)].at(-1)?.[1] ?? 0);
  const ask = async (target: string, headers: string[] = []) => {
    const answer = await sendRaw(port(), { target, headers }).catch(() => undefined);
    return answer && { status: answer.status, body: answer.body.toString() };
  };
  const says = (body: string) => until(async () => (await ask("/who"))?.body === body, `${body}:\n${output.join("")}`);
  const told = (text: string) => until(() => output.join("").includes(text), `${text} in ${output.join("")}`);
  return { folder, child, port, ask, says, told, file: (name: string) => join(folder, name) };
}

describe("an edited config is taken up", () => {
  test("after any number of atomic saves, and a broken one in between changes nothing", async () => {
    const { says, told, file } = await dev({ "gateway.config.ts": answering("one") });
    await says("one");
    for (const word of ["two", "three", "four"]) {
      saveAtomically(file("gateway.config.ts"), answering(word));
      await says(word);
    }
    saveAtomically(file("gateway.config.ts"), answering("five").replace("respond", "resond"));
    await told("the new config is not used; the old one goes on");
    await says("four");
    saveAtomically(file("gateway.config.ts"), answering("six"));
    await says("six");
  });

  test("in a folder of its own, as YAML", async () => {
    const yaml = (body: string) => `routes: [{ path: /who, auth: none, respond: { body: ${body} } }]\n`;
    const { says, file } = await dev(
      { "conf/gateway.yaml": yaml("one") },
      { PORT: "0", GATEWAY_CONFIG_FILE: "conf/gateway.yaml" },
    );
    await says("one");
    saveAtomically(file("conf/gateway.yaml"), yaml("two"));
    await says("two");
  });

  test("that was broken at the start", async () => {
    const { says, told, file } = await dev({ "gateway.config.ts": "export default {" });
    await told("waiting for a change");
    saveAtomically(file("gateway.config.ts"), answering("mended"));
    await says("mended");
  });
});

test("a folder of policies that is made later is watched, and one that can't be loaded is not used", async () => {
  const policy = (value: string) => `
import { definePolicy } from "#frontdesk";
export const stamp = definePolicy({ name: "stamp", create: () => ({ onSend: (_, head) => head.headers.set("x-stamp", "${value}") }) });
`;
  const { says, told, file, port } = await dev({ "gateway.config.ts": answering("plain") });
  await says("plain");
  mkdirSync(file("policies"));
  writeFileSync(file("policies/stamp.ts"), policy("one"));
  const stamped = answering("stamped")
    .replace('"#frontdesk";', '"#frontdesk";\nimport { stamp } from "./policies/stamp.ts";')
    .replace("respond:", "use: [stamp], respond:");
  saveAtomically(file("gateway.config.ts"), stamped);
  const stampIs = (value: string) =>
    until(
      async () => (await sendRaw(port(), { target: "/who" }).catch(() => undefined))?.headers.get("x-stamp") === value,
      value,
    );
  await stampIs("one");
  saveAtomically(file("policies/stamp.ts"), policy("two"));
  await stampIs("two");
  saveAtomically(file("policies/stamp.ts"), "export const stamp = ;");
  await told("the change is not used");
  await stampIs("two");
});

test("variables are read again, also of a file that is made later", async () => {
  const config = `routes: [{ path: /who, auth: none, respond: { body: "\${env.WORD:-none}" } }]\n`;
  const { says, file } = await dev({ "gateway.yaml": config }, { PORT: "0", GATEWAY_CONFIG_FILE: "gateway.yaml" });
  await says("none");
  saveAtomically(file(".env.local"), "WORD=some\n");
  await says("some");
  rmSync(file(".env.local"));
  await says("none");
});

test("the console is open to this machine alone", async () => {
  const { ask, says } = await dev({ "gateway.config.ts": answering("one") });
  await says("one");
  expect((await ask("/gateway/api/overview", ["Host", "localhost"]))?.status).toBe(200);
  expect((await ask("/gateway/api/overview", ["Host", "evil.example"]))?.status).toBe(404);
});

test("where port 4000 is taken, one after it is listened on", async () => {
  const taken = createServer();
  // Taken by this test or by something else on this machine.
  await new Promise<void>((resolve) => taken.once("error", () => resolve()).listen(4000, "127.0.0.1", resolve));
  stops.push(() => taken.close());
  const { says, port } = await dev({ "gateway.config.ts": answering("one") }, {});
  await says("one");
  expect(port()).toBeGreaterThan(4000);
});
