/** npm through the gateway to a Verdaccio registry without uplinks: a scoped package published, read and installed. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { ConfigBuilder, runServer } from "verdaccio";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../support/host-process.ts";
import { type LoopbackServer, serve } from "./loopback-server.ts";
import { type NodeGateway, startNodeGateway } from "./node-gateway.ts";
import { runWell } from "./program.ts";

const folder = temporaryFolder();
let registry: LoopbackServer;
let gateway: NodeGateway;
let npmrc: string;

beforeAll(async () => {
  const config = ConfigBuilder.build()
    .addStorage(join(folder, "storage"))
    .addAuth({ htpasswd: { file: join(folder, "htpasswd"), max_users: 10 } })
    .addPackageAccess("**", { access: "$authenticated", publish: "$authenticated" })
    .addLogger({ type: "file", path: join(folder, "verdaccio.log"), level: "warn" })
    .getConfig();
  // Behind a proxy, Verdaccio is told its own address: the tarballs' are made from it.
  const configured = { ...config, configPath: join(folder, "config.yaml"), url_prefix: "/npm/", web: { enable: false } };
  registry = await serve((await runServer(configured as unknown as string)) as Server);
  gateway = await startNodeGateway({
    backends: { registry: registry.url },
    routes: [{ path: "/npm/*", backend: "registry", auth: "none", stripPrefix: "/npm", encodedSlash: "keep", maxBody: "64mb" }],
  });
  process.env["VERDACCIO_PUBLIC_URL"] = gateway.url;
  npmrc = join(folder, "npmrc");
  const address = `//127.0.0.1:${gateway.port}/npm/`;
  const account = { name: "someone", password: "a long password" };
  const answer = await fetch(`http:${address}-/user/org.couchdb.user:someone`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(account),
  });
  const { token } = (await answer.json()) as { token: string };
  expect([answer.status, typeof token]).toEqual([201, "string"]);
  writeFileSync(
    npmrc,
    `registry=http:${address}\n${address}:_authToken=${token}\naudit=false\nfund=false\nupdate-notifier=false\n`,
  );
});
afterAll(async () => {
  await gateway?.stop();
  registry?.close();
});

function npm(args: string[], cwd: string): Promise<string> {
  const env = {
    HOME: folder,
    npm_config_userconfig: npmrc,
    npm_config_globalconfig: join(folder, "none"),
    npm_config_cache: join(folder, "cache"),
  };
  return runWell("npm", args, { cwd, env });
}

function makePackage(name: string, more: object = {}, content = "module.exports = 'served';\n"): string {
  const dir = join(folder, name.replace("/", "-"));
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "package.json"), JSON.stringify({ name, version: "1.0.0", main: "index.js", ...more }));
  writeFileSync(join(dir, "index.js"), content);
  return dir;
}

test("publish of a scoped package, and of one that is larger than a default body", async () => {
  await npm(["publish"], makePackage("@shop/button"));
  // What does not compress, so that the upload is as large as it looks.
  const noise = Array.from({ length: 200_000 }, () => Math.random().toString(36).slice(2)).join("");
  await npm(["publish"], makePackage("@shop/large", { dependencies: { "@shop/button": "^1.0.0" } }, `// ${noise}\n`));
});

test("install of it with what it depends on, from the tarball's address at the gateway", async () => {
  const app = join(folder, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", version: "1.0.0" }));
  await npm(["install", "@shop/large"], app);
  const lock = JSON.parse(readFileSync(join(app, "package-lock.json"), "utf8")) as {
    packages: Record<string, { resolved?: string }>;
  };
  const resolved = (name: string) => lock.packages[`node_modules/@shop/${name}`]?.resolved;
  for (const name of ["large", "button"]) expect(resolved(name)).toBe(`${gateway.url}/npm/@shop/${name}/-/${name}-1.0.0.tgz`);
  const installed = (name: string) => readFileSync(join(app, "node_modules/@shop", name, "index.js"));
  expect(installed("button").equals(readFileSync(join(folder, "@shop-button", "index.js")))).toBe(true);
  expect(installed("large").equals(readFileSync(join(folder, "@shop-large", "index.js")))).toBe(true);
});

test("a new version, a tag, and a look at both", async () => {
  await npm(["publish", "--tag", "next"], makePackage("@shop/button", { version: "2.0.0" }));
  expect(JSON.parse(await npm(["view", "@shop/button", "dist-tags", "--json"], folder))).toEqual({
    latest: "1.0.0",
    next: "2.0.0",
  });
  await npm(["dist-tag", "add", "@shop/button@2.0.0", "latest"], folder);
  expect((await npm(["view", "@shop/button", "version"], folder)).trim()).toBe("2.0.0");
});

test("a version that is there already: npm is told of the conflict", async () => {
  await expect(npm(["publish"], makePackage("@shop/button"))).rejects.toThrow(/E409|previously published|cannot publish over/i);
});
