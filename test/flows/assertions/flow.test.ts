/** Assertions: signed alike by both hosts, seen by the backend that they are for, and by nobody else. */
import { createRemoteJWKSet, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { HOST_NAMES } from "../../support/host-process.ts";

const ADA = `Basic ${Buffer.from("ada:correct horse").toString("base64")}`;
const SECRET = Buffer.alloc(32, 7).toString("base64url");
const ISSUER = "https://api.example";

describeHosts(
  import.meta.dirname,
  (flow) => {
    describe.each(HOST_NAMES)("on %s", (host) => {
      const send = async (target: string, headers: string[] = ["authorization", ADA]) => {
        const answer = await flow.sendTo(host, { target, headers });
        return { ...answer, sent: answer.received!.headers };
      };
      const verify = (token: string, audience: string) => {
        const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${flow.host(host).port}/gateway/jwks.json`));
        return jwtVerify(token, keys, { issuer: ISSUER, audience, algorithms: ["EdDSA"] });
      };

      test("it verifies with the published keys", async () => {
        const { sent } = await send("/orders/1");
        const { payload } = await verify(sent.get("x-gateway-assertion")!, "orders");
        expect(payload).toMatchObject({ sub: "staff:ada", scope: "orders:read", tier: "pro" });
        expect(sent.has("authorization")).toBe(false);
      });

      test("in Authorization it stands in place of the caller's credential", async () => {
        const { sent } = await send("/stock/1");
        expect(sent.all("authorization")).toHaveLength(1);
        const { payload } = await verify(sent.get("authorization")!.replace(/^Bearer /, ""), "https://stock.example");
        expect(payload).toMatchObject({ sub: "staff:ada", claims: { sub: "ada" } });
        expect(payload.exp! - payload.iat!).toBe(30);
        expect(sent.has("x-gateway-assertion")).toBe(false);
      });

      test("one backend's is refused by another", async () => {
        const { sent } = await send("/orders/1");
        await expect(verify(sent.get("x-gateway-assertion")!, "https://stock.example")).rejects.toThrow('"aud"');
      });

      test("a backend that asks for none gets none, and no caller sees one", async () => {
        expect((await send("/plain/1")).sent.has("x-gateway-assertion")).toBe(false);
        const { sent, headers, text } = await send("/orders/1");
        expect(JSON.stringify(headers.pairs) + text).not.toContain(sent.get("x-gateway-assertion"));
      });

      test.each(["x-gateway-assertion", "X-Gateway-Assertion", "x_gateway_assertion", "X-Gateway_Assertion"])(
        "%s of a caller never passes",
        async (name) => {
          for (const target of ["/open/orders/1", "/optional/1"]) {
            expect(JSON.stringify((await send(target, [name, "forged"])).sent.pairs), target).not.toContain("forged");
          }
          const { sent } = await send("/orders/1", ["authorization", ADA, name, "forged"]);
          expect(JSON.stringify(sent.pairs)).not.toContain("forged");
          await verify(sent.get("x-gateway-assertion")!, "orders");
        },
      );

      test("nor does what stands in the field that the backend takes for one", async () => {
        const { sent } = await send("/open/stock/1", ["authorization", "Bearer forged"]);
        expect(sent.has("authorization")).toBe(false);
      });
    });

    test("the keys are everybody's, the same on both hosts, and hold no private part", async () => {
      const { status, headers, text } = await flow.send("/gateway/jwks.json");
      expect(status).toBe(200);
      expect(headers.get("cache-control")).toContain("max-age=300");
      const { keys } = JSON.parse(text);
      expect(keys.map((key: object) => Object.keys(key).sort())).toEqual([["alg", "crv", "kid", "kty", "use", "x"]]);
    });

    test("they can only be read", async () => {
      expect((await flow.send({ method: "POST", target: "/gateway/jwks.json", body: "x" })).status).toBe(405);
      expect((await flow.send({ method: "HEAD", target: "/gateway/jwks.json" })).text).toBe("");
    });
  },
  () => ({ ADA_PASSWORD: "correct horse", GATEWAY_SECRET: SECRET, GATEWAY_URL: ISSUER }),
);
