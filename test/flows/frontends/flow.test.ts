/** A frontend states who calls: limits, places and addresses then go by the person, and by nobody's unsigned word. */
import { describe, expect, test, vi } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { ADMIN_TOKEN, HOST_NAMES } from "../../support/host-process.ts";
import { loadGatewayClient } from "./sign.ts";

const SHOP = "shop-0123456789-0123456789-0123456789";
const NEXT_SHOP = "next-shop-0123456789-0123456789-0123456789";
const ADMIN = "admin-0123456789-0123456789-0123456789-012";
const ADA = { ip: "203.0.113.7", country: "DE", city: "K%C3%B6ln" };
const gatewayClient = await loadGatewayClient();
const env = () => ({ SHOP_SECRET: `${NEXT_SHOP},${SHOP}`, ADMIN_SECRET: ADMIN });

describeHosts(
  import.meta.dirname,
  (flow) => {
    const signed = (target: string, caller: Record<string, string> = ADA, secret = SHOP, method = "GET") =>
      gatewayClient(method, target.split("?")[0]!, caller, secret);
    const recordOf = async (id: string) => {
      const records = await Promise.all(
        HOST_NAMES.map(async (host) => {
          const { text } = await flow.sendTo(host, {
            target: "/gateway/api/overview",
            headers: ["authorization", `Bearer ${ADMIN_TOKEN}`],
          });
          const { recent, unopenedPlans } = JSON.parse(text);
          expect(unopenedPlans).toBe(0);
          return recent.find(({ requestId }: { requestId: string }) => requestId === id);
        }),
      );
      return records.map(({ frontend, clientIp }) => ({ frontend, clientIp }));
    };

    test.each([
      ["with its secret", SHOP],
      ["with the secret that is to follow", NEXT_SHOP],
      ["with another frontend's secret", ADMIN],
    ])("%s it states a person, everywhere", async (_, secret) => {
      const target = "/api/products/a%20b?page=2&x";
      const headers = ["x-gateway-client", await signed(target, ADA, secret), "x-request-id", `believed-${secret.length}`];
      const { status, received } = await flow.send({ target, headers });
      expect(status).toBe(200);
      expect(received!.headers.get("x-forwarded-for")).toBe(ADA.ip);
      expect(received!.headers.get("forwarded")).toContain(`for=${ADA.ip}`);
      expect(received!.headers.get("x-country")).toBe("DE");
      expect(received!.headers.get("x-city")).toBe("Köln");
      expect(received!.headers.has("x-gateway-client")).toBe(false);
      const records = await recordOf(`believed-${secret.length}`);
      expect(records).toEqual(Array(2).fill({ frontend: "believed", clientIp: ADA.ip }));
    });

    test("places and addresses go by the person", async () => {
      const send = async (target: string, caller: Record<string, string>) =>
        (await flow.send({ target, headers: ["x-gateway-client", await signed(target, caller)] })).status;
      expect(await send("/api/eu", ADA)).toBe(200);
      expect(await send("/api/eu", { ...ADA, country: "CH" })).toBe(403);
      expect(await send("/api/eu", { ip: ADA.ip })).toBe(403);
      expect(await send("/api/office", ADA)).toBe(200);
      expect(await send("/api/office", { ip: "198.51.100.1" })).toBe(403);
    });

    test.each(HOST_NAMES)("limits count each person (%s)", async (host) => {
      const send = async (ip: string) =>
        (await flow.sendTo(host, { target: "/api/few", headers: ["x-gateway-client", await signed("/api/few", { ip })] })).status;
      expect([await send("192.0.2.1"), await send("192.0.2.1"), await send("192.0.2.1")]).toEqual([200, 200, 429]);
      expect([await send("192.0.2.2"), await send("192.0.2.2"), await send("192.0.2.2")]).toEqual([200, 200, 429]);
    });

    test("a body goes with it, and what the engine answers itself knows the person too", async () => {
      const headers = ["x-gateway-client", await signed("/api/orders", ADA, SHOP, "POST")];
      const { received } = await flow.send({ method: "POST", target: "/api/orders", headers, body: "an order" });
      expect(received!.headers.get("x-forwarded-for")).toBe(ADA.ip);
      expect(received!.body.toString()).toBe("an order");
      const health = ["x-gateway-client", await signed("/gateway/health"), "x-request-id", "health"];
      expect((await flow.send({ target: "/gateway/health", headers: health })).status).toBe(200);
      expect(await recordOf("health")).toEqual(Array(2).fill({ frontend: "believed", clientIp: ADA.ip }));
    });

    const flip = (text: string) => `${text.slice(0, -2)}${text.at(-2) === "A" ? "B" : "A"}${text.at(-1)}`;
    const signedAt = (target: string, ms: number) => {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
      return signed(target).finally(() => vi.useRealTimers());
    };
    const payload = async (target: string) => (await signed(target)).split(".")[0]!;
    const guess = "a guess of more than thirty-two bytes";
    const attacks: [what: string, verdict: string, values: (target: string) => Promise<string>[]][] = [
      ["forged: signed with a guess", "forged", (target) => [signed(target, ADA, guess)]],
      [
        "altered: an address under another's signature",
        "forged",
        (target) => [signed(target, { ip: "198.51.100.1" }).then(async (own) => `${await payload(target)}.${own.split(".")[1]}`)],
      ],
      ["altered: one bit of the signature", "forged", (target) => [signed(target).then(flip)]],
      ["replayed on another path", "forged", () => [signed("/api/products")]],
      ["replayed with another method", "forged", (target) => [signed(target, ADA, SHOP, "POST")]],
      ["stale", "stale", (target) => [signedAt(target, -120_000)]],
      ["from the future", "early", (target) => [signedAt(target, 120_000)]],
      ["without an address", "malformed", (target) => [signed(target, { country: "DE" })]],
      ["with a name in place of one", "malformed", (target) => [signed(target, { ip: "ada.example" })]],
      ["an address alone", "malformed", () => [Promise.resolve(ADA.ip)]],
      ["unsigned", "malformed", (target) => [payload(target).then((text) => `${text}.`)]],
      ["oversized", "malformed", (target) => [signed(target, { ...ADA, city: "x".repeat(4000) })]],
      ["twice", "malformed", (target) => [signed(target), signed(target, { ip: "198.51.100.1" })]],
    ];
    test.each(attacks)("%s: it changes nothing, and the record says why", async (what, verdict, values) => {
      const send = async (target: string, id: string) => {
        const fields = (await Promise.all(values(target))).flatMap((value) => ["x-gateway-client", value]);
        return flow.send({ target, headers: [...fields, "x-request-id", id] });
      };
      const refused = await send("/api/office", "refused");
      expect(refused.status).toBe(403);
      expect(refused.received).toBeUndefined();
      const id = what.replace(/\W+/g, "-");
      const { received } = await send("/api/a", id);
      expect(received!.headers.get("x-country") ?? "").toBe("");
      for (const { frontend, clientIp } of await recordOf(id)) {
        expect(frontend).toBe(verdict);
        expect(clientIp).not.toBe(ADA.ip);
      }
    });

    test.each(["x_gateway_client", "X-Gateway_Client"])("in %s it is not even read", async (name) => {
      const headers = [name, await signed("/api/a"), "x-request-id", name];
      await flow.send({ target: "/api/a", headers });
      for (const { frontend, clientIp } of await recordOf(name)) {
        expect(frontend).toBeUndefined();
        expect(clientIp).not.toBe(ADA.ip);
      }
    });
  },
  env,
);

describe("the platform's word about the edge", () => {
  // As on the platform: what connects is the frontend's edge, in another country.
  const edge = [
    "x-real-ip",
    "198.51.100.1",
    "x-forwarded-for",
    "198.51.100.1",
    "x-vercel-ip-country",
    "US",
    "x-forwarded-proto",
    "https",
  ];
  describeHosts(
    import.meta.dirname,
    (flow) => {
      test("yields to the frontend's, whole: no place of the edge is taken for the person's", async () => {
        const send = async (caller: Record<string, string>) =>
          flow.sendTo("vercel", {
            target: "/api/a",
            headers: [...edge, "x-gateway-client", await gatewayClient("GET", "/api/a", caller, SHOP)],
          });
        expect((await send(ADA)).received!.headers.get("x-country")).toBe("DE");
        const { received } = await send({ ip: ADA.ip });
        expect(received!.headers.get("x-forwarded-for")).toBe(ADA.ip);
        expect(received!.headers.get("x-country") ?? "").toBe("");
      });
      test("holds where the frontend's is not believed", async () => {
        const forged = await gatewayClient("GET", "/api/a", ADA, "a guess of more than thirty-two bytes");
        const { received } = await flow.sendTo("vercel", { target: "/api/a", headers: [...edge, "x-gateway-client", forged] });
        expect(received!.headers.get("x-forwarded-for")).toBe("198.51.100.1");
        expect(received!.headers.get("x-country")).toBe("US");
      });
    },
    () => ({ ...env(), VERCEL: "1" }),
  );
});
