import { describe, expect, test } from "vitest";
import { KeyFormat } from "#lib/authenticators/api-key/key-format.ts";
import { digestOf } from "#lib/crypto/credential-digest.ts";
import { ADMIN_TOKEN, startNodeHost } from "../support/host-process.ts";
import { checkout } from "./checkout.ts";

const SHOP = `
auth: { partners: { apiKey: { prefix: shop } }, ours: { apiKey: { prefix: own, digests: [{ name: a, digest: "${"x".repeat(43)}", consumer: b }] } } }
defaults: { auth: partners }
routes: [{ path: /a, respond: { body: "\${consumer.id}" } }, { path: /b, auth: ours, respond: { body: b } }]
`;
const shop = (more: Record<string, string> = {}) =>
  checkout({ "shop.yaml": SHOP }, { GATEWAY_CONFIG_FILE: "shop.yaml", ...more });
const format = new KeyFormat("shop");

describe("frontdesk keys, on the data folder of this machine", () => {
  test("the life of a key: the key alone is the output, once", async () => {
    const { frontdesk, call } = shop();
    expect((await call("keys", "list")).out).toBe("there are no keys\n");
    const rights = [
      "--scope",
      "a,b",
      "--scope",
      "c",
      "--ip",
      "192.0.2.0/24",
      "--route",
      "/a",
      "--tier",
      "pro",
      "--metadata",
      '{"x":1}',
    ];
    const made = await frontdesk("keys", "create", "--name", "Acme's shop", "--consumer", "acme", "--expires", "90d", ...rights);
    expect(made.code).toBe(0);
    const key = made.out.trim();
    expect(format.fits(key)).toBe(true);
    expect(made.err).not.toContain(key);
    const id = /key_\w+/.exec(made.err)![0];

    const listed = await call("keys", "list", "--consumer", "acme");
    expect(listed.out).toContain(id);
    expect(listed.out).toContain("Acme's shop");
    expect((await call("keys", "list", "--consumer", "globex")).out).toBe("there are no keys\n");
    const shown = JSON.parse((await call("keys", "show", id, "--json")).out);
    expect(shown).toMatchObject({
      id,
      scopes: ["a", "b", "c"],
      ips: ["192.0.2.0/24"],
      routes: ["/a"],
      tier: "pro",
      metadata: { x: 1 },
    });
    expect((Date.parse(shown.expiresAt) - Date.parse(shown.createdAt)) / 86_400_000).toBeCloseTo(90, 2);

    const rotated = await call("keys", "rotate", id, "--overlap", "2d", "--quiet", "1h");
    expect(format.fits(rotated.out.trim())).toBe(true);
    expect((await call("keys", "show", id)).out).toMatch(/status +retiring/);
    expect((await call("keys", "disable", id)).out).toBe(`${id} is disabled\n`);
    expect((await call("keys", "enable", id)).out).toBe(`${id} is retiring\n`);
    expect((await call("keys", "revoke", id)).out).toBe(`${id} is revoked\n`);
    const { out } = await frontdesk("keys", "list", "--json");
    expect(out).not.toContain(key);
    expect(JSON.parse(out).items).toHaveLength(2);
  });

  test("the list says when a retiring key ends", async () => {
    const { call } = shop();
    const lasting = ["--name", "lasting", "--consumer", "acme"];
    await call("keys", "create", ...lasting);
    await call("keys", "create", "--name", "short", "--consumer", "acme", "--expires", "1d");
    const items = async () => JSON.parse((await call("keys", "list", "--json")).out).items as Record<string, string>[];
    for (const { id } of await items()) await call("keys", "rotate", id!, "--overlap", "2d");
    const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    const rows = (await call("keys", "list")).out.split("\n").filter((line) => line.includes("retiring"));
    expect(rows.map((row) => /acme +(\w+) +(\S+)/.exec(row)?.slice(1)).sort()).toEqual([
      ["lasting", day(2)],
      // Its own end comes first.
      ["short", day(1)],
    ]);
  });

  test("what is wrong is told with its place, and nothing is made", async () => {
    const { call } = shop();
    const { code, out, err } = await call("keys", "create", "--name", "a", "--route", "/nowhere", "--expires", "soon");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("--consumer: it is missing");
    expect(err).toContain("--expires: expected a time");
    expect((await call("keys", "show", "key_none")).err).toContain("There is no key of this id.");
  });

  test.each([
    [["keys"], "it takes create, list"],
    [["keys", "make"], 'not "make"'],
    [["keys", "revoke"], "needs the id of a key"],
    [["keys", "list", "key_1"], "list takes no id"],
    [["keys", "create", "--metadata", "x"], "--metadata is not JSON"],
    [["keys", "list", "--url", "http://shop.example"], "over https alone"],
    [["keys", "list", "--url", "https://shop.example"], "GATEWAY_ADMIN_TOKEN is not set"],
  ])("%j is a fault of the call", async (args, message) => {
    const { code, err } = await shop().call(...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test("--static touches no store: the key, and the entry for the config", async () => {
    const { call } = shop();
    const { out, err } = await call(
      "keys",
      "create",
      "--static",
      "--name",
      "ci",
      "--consumer",
      "ci",
      "--authenticator",
      "ours",
      "--scope",
      "deploy",
    );
    expect(new KeyFormat("own").fits(out.trim())).toBe(true);
    expect(err).toBe(`for \`digests\`: {"name":"ci","digest":"${digestOf(out.trim())}","consumer":"ci","scopes":["deploy"]}\n`);
    expect((await call("keys", "list")).out).toBe("there are no keys\n");
  });

  test("a store that does not answer is told", async () => {
    const { call } = shop({ UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1", UPSTASH_REDIS_REST_TOKEN: "t" });
    const { code, out } = await call("keys", "create", "--env", "production", "--name", "a", "--consumer", "b");
    expect([code, out]).toEqual([1, ""]);
  });
});

test("frontdesk keys --url, on a running gateway's admin API", async () => {
  const { folder, call } = shop({ GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN });
  const host = await startNodeHost({ config: `${folder}/shop.yaml` });
  const url = `http://127.0.0.1:${host.port}`;
  try {
    const made = await call("keys", "create", "--name", "a", "--consumer", "acme", "--url", url);
    const answer = await fetch(`${url}/a`, { headers: { "x-api-key": made.out.trim() } });
    expect([answer.status, await answer.text()]).toEqual([200, "partners:acme"]);
    const id = /key_\w+/.exec(made.err)![0];
    expect((await call("keys", "revoke", id, "--url", url)).out).toBe(`${id} is revoked\n`);
    expect((await fetch(`${url}/a`, { headers: { "x-api-key": made.out.trim() } })).status).toBe(401);
    expect((await call("keys", "create", "--url", url)).err).toContain("--name: it is missing");
  } finally {
    await host.stop();
  }
});

test("a gateway that can't be reached is told", async () => {
  const { call } = shop({ GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN });
  const { code, err } = await call("keys", "list", "--url", "http://127.0.0.1:1");
  expect(code).toBe(1);
  expect(err).toContain("could not be reached");
});
