/** Forged, bent and smuggled tokens: each is refused on both hosts, and none reaches a backend. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { HOST_NAMES } from "../../support/host-process.ts";
import { makeSigningKey, startIssuer } from "../../support/issuer.ts";
import type { RawRequest } from "../../support/raw-client.ts";
import { attacksOn, SPELLINGS, twoFields } from "./attacks.ts";
import { craft, hmac } from "./tokens.ts";

const SECRET = "a secret of one's own that is long enough";
/** What a caller may be told, whatever was wrong. */
const TOLD = [
  undefined,
  "The token has expired.",
  "The token is not valid yet.",
  "The credential is no signed JWT.",
  '"Bearer" stands twice before the token.',
];

const issuer = await startIssuer({ alg: "ES256" });
const rsa = await issuer.rotate({ alg: "RS256", keep: true });
const visits: string[] = [];
const canary = createServer((request, response) => {
  visits.push(request.url!);
  response.end("{}");
});
await new Promise<void>((resolve) => canary.listen(0, "127.0.0.1", resolve));
const attacks = await attacksOn({
  issuer: issuer.url,
  rsa,
  ec: issuer.published[1]!,
  own: await makeSigningKey("RS256"),
  canary: `http://127.0.0.1:${(canary.address() as AddressInfo).port}`,
  secret: SECRET,
});
const cases = await Promise.all(
  Object.entries(attacks).flatMap(([group, ways]) =>
    Object.entries(ways).map(async ([name, way]) => {
      const given = await way;
      const request: RawRequest =
        typeof given === "string" ? { target: "/shop/x", headers: ["Authorization", `Bearer ${given}`] } : given;
      return { group, name, request };
    }),
  ),
);
afterAll(() => {
  issuer.close();
  canary.close();
});

describeHosts(
  import.meta.dirname,
  (flow) => {
    describe("what is good passes", () => {
      test("a token of the issuer: the backend learns who calls, and not by what", async () => {
        const token = await issuer.sign({ aud: "shop", email: "ada@shop.example\r\nx-evil: 1" });
        const headers = ["authorization", `bearer ${token}`, "X-User-Email", "root@shop.example"];
        const { status, received } = await flow.send({ target: "/shop/x?a=1", headers });
        expect(status).toBe(200);
        expect(received!.headers.all("x-gateway-consumer")).toEqual(["web:ada"]);
        expect(received!.headers.all("x-user-email")).toEqual(["ada@shop.example  x-evil: 1"]);
        for (const name of ["authorization", "x-evil"]) expect(received!.headers.has(name), name).toBe(false);
        expect(JSON.stringify(received!.headers.pairs)).not.toContain(token.split(".")[2]);
        const lookalike = await flow.send({
          target: "/shop/x",
          headers: ["authorization", `bearer ${token}`, "x_user_email", "root"],
        });
        expect(JSON.stringify(lookalike.received!.headers.pairs)).not.toContain("root");
      });

      test("by a secret, and by either", async () => {
        const token = craft({ alg: "HS256" }, { sub: "bob", aud: "shop", exp: Date.now() / 1000 + 60 }, hmac(SECRET));
        for (const target of ["/own/x", "/either/x"])
          expect((await flow.send({ target, headers: ["authorization", `Bearer ${token}`] })).status).toBe(200);
      });

      test("nobody on a route that takes nobody, without what only an authenticator may say", async () => {
        for (const target of ["/open/x", "/news/x"]) {
          const { status, received } = await flow.send({ target, headers: ["x-user-email", "root@shop.example"] });
          expect(status).toBe(200);
          expect(received!.headers.has("x-user-email")).toBe(false);
        }
      });
    });

    describe.each(Object.keys(attacks))("%s", (group) => {
      test.each(cases.filter((one) => one.group === group))("$name", async ({ request }) => {
        const { status, text, headers, received } = await flow.send(request);
        expect(received).toBeUndefined();
        expect(status).toBe(401);
        expect(headers.get("www-authenticate")).toMatch(/^Bearer realm="frontdesk"/);
        const { detail } = JSON.parse(text) as { detail?: string };
        if (!detail?.startsWith("This route takes ")) expect(TOLD).toContain(detail);
      });
    });

    describe("two Authorization fields", () => {
      const good = () => issuer.sign({ aud: "shop" });

      test("on the Node host, refused, whichever is good", async () => {
        for (const request of [
          twoFields(await good(), "wrong"),
          twoFields("wrong", await good()),
          twoFields(await good(), await good()),
        ])
          expect(await flow.sendTo("node", request)).toMatchObject({ status: 401, received: undefined });
      });

      // Node hands Next the first of several alone: then that is what is judged, and no other can reach a backend.
      test("under Next, the first is judged and none goes on", async () => {
        expect(await flow.sendTo("vercel", twoFields("wrong", await good()))).toMatchObject({ status: 401, received: undefined });
        const { status, received } = await flow.sendTo("vercel", twoFields(await good(), "wrong"));
        expect(status === 401 ? received : received!.headers.has("authorization")).toBe(status === 401 ? undefined : false);
      });
    });

    test.each(HOST_NAMES)("an oversized token (%s)", async (host) => {
      const headers = ["Authorization", `Bearer ${"a".repeat(20_000)}.b.c`];
      const { status, received } = await flow.sendTo(host, { target: "/shop/x", headers });
      expect([401, 431]).toContain(status);
      expect(received).toBeUndefined();
    });

    test("a wrong token is refused where none would be let pass", async () => {
      const headers = ["Authorization", "Bearer wrong"];
      expect(await flow.send({ target: "/news/x", headers })).toMatchObject({ status: 401, received: undefined });
    });

    describe.each(HOST_NAMES)("spellings of a protected path, on %s", (host) => {
      test.each(SPELLINGS)("%s", async (target) => {
        const { status, received } = await flow.sendTo(host, target);
        expect(received).toBeUndefined();
        expect([308, 400, 401, 404]).toContain(status);
      });
    });

    test("nobody fetched a key from where a token said", () => expect(visits).toEqual([]));

    test("the issuer was asked for its keys, and little more, whatever was sent", () => {
      const fetches = issuer.asked.filter((path) => path === issuer.keysUrl.slice(issuer.url.length)).length;
      expect(fetches).toBeGreaterThan(0);
      expect(new Set(issuer.asked)).toEqual(new Set(["/.well-known/openid-configuration", "/keys"]));
    });
  },
  () => ({ ISSUER_URL: issuer.url, JWT_SECRET: SECRET }),
);
