/** Forward auth: a service of one's own decides on both hosts alike, and what it says of a caller reaches the backend unforged. */
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { answerAsService, startAuthService } from "../../support/auth-service.ts";
import { describeHosts } from "../../support/describe-hosts.ts";
import { HOST_NAMES } from "../../support/host-process.ts";

const service = await startAuthService();
afterAll(() => service.close());
beforeEach(() => {
  service.asked.length = 0;
  service.answer = answerAsService;
});

const ADA = ["authorization", "Bearer ada"];
const BOB = ["authorization", "Bearer bob"];
const EVE = ["authorization", "Bearer eve"];

describeHosts(
  import.meta.dirname,
  (flow) => {
    describe("let in or refused", () => {
      test.each([
        ["/one/a", ADA, 200],
        ["/one/a", ["cookie", "x=1; sid=ada"], 200],
        ["/one/a", BOB, 403],
        ["/one/a", EVE, 401],
        ["/one/a", [], 401],
        ["/start/a", [], 401],
        ["/optional/a", [], 200],
        ["/optional/a", EVE, 401],
        ["/orders/1", ADA, 200],
        ["/gone/a", ADA, 503],
        ["/gone/a", [], 503],
        ["/open/a", EVE, 200],
      ])("%s with %j is %i", async (target, headers, status) => {
        const answer = await flow.send({ target, headers });
        expect(answer.status).toBe(status);
        expect(answer.received !== undefined).toBe(status === 200);
      });

      test("the scopes that it names count, by method", async () => {
        expect((await flow.send({ method: "POST", target: "/orders/1", headers: ADA, body: "x" })).status).toBe(403);
      });

      test("a browser is sent to log in, a script is told 401", async () => {
        const browser = await flow.send({ target: "/start/a", headers: ["sec-fetch-mode", "navigate", "accept", "text/html"] });
        expect(browser.status).toBe(302);
        expect(browser.headers.get("location")).toBe("https://login.example/?rd=start");
        expect(browser.headers.all("set-cookie")).toEqual(["csrf=1; HttpOnly"]);
        expect(browser.received).toBeUndefined();
        expect((await flow.send({ target: "/start/a", headers: ["sec-fetch-mode", "cors"] })).status).toBe(401);
      });

      test("a service that is slow costs its budget: 503", async () => {
        service.answer = () => {};
        const answer = await flow.send({ target: "/one/a", headers: ADA });
        expect(answer.status).toBe(503);
        expect(answer.text).toContain("store-unavailable");
      });
    });

    describe.each(HOST_NAMES)("what it is asked, and how often, on %s", (host) => {
      const asked = () => service.asked.map(({ headers }) => headers.map((text) => text.toLowerCase()));

      test("once for each request, with the method, host and URL as they came", async () => {
        const headers = [...ADA, "X-Forwarded-Uri", "/public", "X-Forwarded-Method", "OPTIONS", "Cookie", "x=1; sid=2"];
        await flow.sendTo(host, { method: "PUT", target: "/one/%61?b=%20&a", headers, body: "secret" });
        expect(service.asked).toHaveLength(1);
        const [{ method, path, body } = service.asked[0]!] = service.asked;
        expect([method, path, body]).toEqual(["GET", "/auth", ""]);
        const pairs = asked()[0]!;
        const sent = (name: string) => pairs.filter((_, i) => i % 2 === 1 && pairs[i - 1] === name);
        expect(sent("x-forwarded-method")).toEqual(["put"]);
        expect(sent("x-forwarded-uri")).toEqual(["/one/%61?b=%20&a"]);
        expect(sent("x-forwarded-host")).toEqual(["gateway.example"]);
        expect(sent("x-forwarded-proto")).toHaveLength(1);
        expect(sent("cookie")).toEqual(["sid=2"]);
        expect(sent("authorization")).toEqual(["bearer ada"]);
      });

      test("not again while its answer is remembered", async () => {
        for (const target of ["/cached/a", "/cached/b"]) {
          const { received } = await flow.sendTo(host, { target, headers: ADA });
          expect(received!.headers.get("x-gateway-consumer")).toBe("cached:ada");
          expect(received!.headers.get("x-auth-request-email")).toBe("ada@shop.example");
        }
        expect(service.asked.length).toBeLessThan(2);
      });
    });

    describe("what the backend is told", () => {
      test("who calls and the fields that are named, not the credential and not the other fields", async () => {
        const { headers } = (await flow.send({ target: "/one/a", headers: [...ADA, "cookie", "x=1; sid=ada; y=2"] })).received!;
        expect(headers.get("x-gateway-consumer")).toBe("sso:ada");
        expect(headers.get("x-auth-request-email")).toBe("ada@shop.example");
        expect(headers.get("x-auth-request-groups")).toBe("staff, Domain Users");
        expect(headers.get("x-email")).toBe("ada@shop.example");
        expect(headers.get("cookie")).toBe("x=1; y=2");
        for (const name of ["authorization", "x-auth-request-user", "x-scopes"]) expect(headers.has(name), name).toBe(false);
      });

      test("the credential too, where the backend checks it again", async () => {
        const { headers } = (await flow.send({ target: "/checking/a", headers: ADA })).received!;
        expect(headers.get("authorization")).toBe("Bearer ada");
      });

      test.each(["x-auth-request-email", "X-Auth-Request-Email", "x_auth_request_email"])(
        "%s of a caller never passes, on no route",
        async (name) => {
          for (const [target, headers] of [
            ["/one/a", ADA],
            ["/open/a", []],
            ["/optional/a", []],
          ] as const) {
            const { received } = await flow.send({ target, headers: [name, "root@shop.example", ...headers] });
            expect(JSON.stringify(received!.headers.pairs), target).not.toContain("root");
          }
        },
      );

      test("fields that are too many for a plan all the same", async () => {
        const groups = Array.from({ length: 1000 }, (_, i) => `group-${i}`).join(", ");
        service.answer = (_, response) =>
          response.writeHead(200, { "x-auth-request-user": "ada", "x-auth-request-groups": groups }).end();
        const { received } = await flow.send({ target: "/one/a", headers: ADA });
        expect(received!.headers.get("x-auth-request-groups")).toBe(groups);
      });
    });
  },
  () => ({ SSO_URL: service.url }),
);
