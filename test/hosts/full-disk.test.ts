/** The Node host while its files may not grow, as on a full disk: what its API and its health say of revocations, and what is written later. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Json } from "#lib/contract/json.ts";
import { createSqliteStores } from "#lib/stores/sqlite/sqlite-stores.ts";
import { answered } from "../contracts/answered.ts";
import { ADMIN_TOKEN, type HostProcess, startNodeHost, temporaryFolder } from "../support/host-process.ts";
import { sendRaw } from "../support/raw-client.ts";
import { until } from "../support/until.ts";

const config = {
  auth: {
    partners: { apiKey: {} },
    web: { jwt: { secret: "${env.JWT_SECRET}", audience: "shop", revocation: true } },
  },
  routes: [{ path: "/orders", auth: "partners", respond: { body: "two orders" } }],
};
const folder = temporaryFolder();
const hosts: HostProcess[] = [];
afterAll(() => Promise.all(hosts.map((host) => host.stop())));

async function start(): Promise<HostProcess> {
  const file = join(temporaryFolder(), "gateway.config.json");
  writeFileSync(file, JSON.stringify(config));
  const host = await startNodeHost({ config: file, env: { JWT_SECRET: "s".repeat(32), GATEWAY_DATA_DIR: folder } });
  hosts.push(host);
  return host;
}

/** The soft limit, which may be lifted again. */
function limitFiles({ child }: HostProcess, bytes: number | "unlimited"): void {
  const { status, stderr } = spawnSync("prlimit", [`--pid=${child.pid}`, `--fsize=${bytes}:`], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
}

async function administer(host: HostProcess, method: string, target: string, body?: Json) {
  const headers = ["authorization", `Bearer ${ADMIN_TOKEN}`, "content-type", "application/json"];
  const sent = { method, target, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const { status, body: text } = await sendRaw(host.port, sent);
  return { status, body: JSON.parse(text.toString() || "null") };
}

const WARNING = expect.stringContaining("forgotten when it ends");

test("revocations are in force at once and say that they are held, health is degraded, and they are written when there is room", async () => {
  const host = await start();
  const { body: made } = await administer(host, "POST", "/gateway/api/keys", { name: "test", consumer: "acme" });
  const order = async () => (await sendRaw(host.port, { target: "/orders", headers: ["x-api-key", made.key] })).status;
  expect(await order()).toBe(200);
  expect((await administer(host, "GET", "/gateway/health")).body).toMatchObject({ status: "ok", storeStatus: { state: "up" } });

  limitFiles(host, 1);
  const revoked = await administer(host, "POST", `/gateway/api/keys/${made.id}/revoke`);
  expect(revoked).toMatchObject({ status: 200, body: { status: "revoked", warning: WARNING } });
  expect(await order()).toBe(401);
  expect((await administer(host, "DELETE", `/gateway/api/keys/${made.id}`)).status).toBe(503);
  expect(await order()).toBe(401);
  const taken = await administer(host, "POST", "/gateway/api/revocations", { jti: "stolen" });
  expect(taken).toMatchObject({ status: 201, body: { jti: "stolen", warning: WARNING } });
  const storeStatus = { state: "away", reason: "unwritable", heldRevocations: 2 };
  expect((await administer(host, "GET", "/gateway/health")).body).toMatchObject({ status: "degraded", storeStatus });
  expect((await administer(host, "GET", "/gateway/api/overview")).body).toMatchObject({ storeStatus });
  expect(JSON.parse((await sendRaw(host.port, { target: "/gateway/health" })).body.toString())).toEqual({ status: "ok" });

  limitFiles(host, "unlimited");
  await until(async () => {
    // It looks again when it is next asked for a key.
    await order();
    return (await administer(host, "GET", "/gateway/health")).body.status === "ok";
  }, "the store file to be written again");
  expect((await administer(host, "GET", "/gateway/health")).body.storeStatus).not.toHaveProperty("heldRevocations");
  const again = await administer(host, "POST", "/gateway/api/revocations", { jti: "stolen too" });
  expect(again.body).not.toHaveProperty("warning");
  await host.stop();
  const stores = createSqliteStores({ file: join(folder, "frontdesk.db") });
  expect((await answered(stores.keys.find(made.id)))?.revokedMs).toBeGreaterThan(0);
  expect(await answered(stores.revoked.find(taken.body.id))).toMatchObject({ id: taken.body.id });
  await stores.close();
});
