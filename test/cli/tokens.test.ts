import { describe, expect, test } from "vitest";
import { ADMIN_TOKEN, startNodeHost } from "../support/host-process.ts";
import { signWithSecret } from "../support/issuer.ts";
import { sendRaw } from "../support/raw-client.ts";
import { until } from "../support/until.ts";
import { checkout } from "./checkout.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const SHOP = `
auth: { web: { jwt: { secret: "\${env.JWT_SECRET}", audience: shop, revocation: true } } }
routes: [{ path: /a, auth: web, respond: { body: "\${consumer.id}" } }]
`;
const shop = (more: Record<string, string> = {}) =>
  checkout({ "shop.yaml": SHOP }, { GATEWAY_CONFIG_FILE: "shop.yaml", ...more });

describe("frontdesk tokens, on the data folder of this machine", () => {
  test("revoked, listed, undone", async () => {
    const { frontdesk, call } = shop();
    expect((await call("tokens", "list")).out).toBe("no tokens are revoked\n");
    const revoked = await frontdesk("tokens", "revoke", "--sub", "auth0|ada", "--note", "left the company");
    expect(revoked).toMatchObject({ code: 0, err: "(SQLite in .frontdesk/frontdesk.db, short counts in memory)\n" });
    const [, id = ""] = /^sub auth0\|ada is revoked: (rev_\w{16})\n$/.exec(revoked.out) ?? [];
    expect(id).not.toBe("");
    await call("tokens", "revoke", "--jti", "t1", "--expires", "2099-01-01T00:00:00Z");
    const { out } = await call("tokens", "list", "--authenticator", "web");
    expect(out).toMatch(/^rev_\w+ +web +jti t1 +\S+Z +2099-01-01T00:00:10\.000Z/m);
    expect(out).toContain("left the company");
    const page = JSON.parse((await call("tokens", "list", "--limit", "1", "--json")).out);
    expect((await call("tokens", "list", "--cursor", page.next)).out).toContain("sub auth0|ada");
    expect((await call("tokens", "undo", id)).out).toBe(`${id} is undone\n`);
    expect(await call("tokens", "undo", id)).toMatchObject({
      code: 1,
      err: expect.stringContaining("There is no revocation of this id.\n"),
    });
  });

  test("a running host on the same folder hears of it", async () => {
    const { folder, frontdesk } = shop({ JWT_SECRET: SECRET });
    const env = { GATEWAY_DATA_DIR: `${folder}/.frontdesk`, JWT_SECRET: SECRET };
    const host = await startNodeHost({ config: `${folder}/shop.yaml`, env });
    try {
      const headers = ["authorization", `Bearer ${await signWithSecret({ aud: "shop" }, SECRET)}`];
      const status = async () => (await sendRaw(host.port, { target: "/a", headers })).status;
      expect(await status()).toBe(200);
      expect((await frontdesk("tokens", "revoke", "--sub", "ada")).code).toBe(0);
      await until(async () => (await status()) === 401, "the revocation to arrive");
      const over = ["--url", `http://127.0.0.1:${host.port}`];
      const remote = shop({ GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN });
      expect((await remote.call("tokens", "list", ...over)).out).toContain("sub ada");
    } finally {
      await host.stop();
    }
  });
});

test.each([
  [[], "it takes revoke, list, undo."],
  [["forget"], 'it takes revoke, list, undo, not "forget".'],
  [["undo"], "undo needs the id of a revocation"],
  [["revoke", "ada"], "revoke takes no id."],
])("called as %j", async (args, message) => {
  const { code, err } = await shop().call("tokens", ...args);
  expect(code).toBe(2);
  expect(err).toContain(message);
});

test.each([
  [["revoke"], "expected one of jti and sub"],
  [["revoke", "--jti", "a", "--expires", "tomorrow"], "--expires: expected a time such as"],
  [
    ["revoke", "--jti", "a", "--authenticator", "x"],
    "--authenticator: there is no such authenticator with `revocation`; there are web",
  ],
])("%j is refused", async (args, message) => {
  const { code, err } = await shop().call("tokens", ...args);
  expect(code).toBe(1);
  expect(err).toContain(message);
});
