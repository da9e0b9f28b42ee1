/** Who calls: let in or refused alike on both hosts, and told to the backend in the gateway's words alone. */
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;
const ADA = basic("ada:correct horse");
const BOB = basic("bob:open sesame");
const WRONG = basic("ada:wrong");

const VARIABLES = {
  ADA_PASSWORD: "correct horse",
  BOB_PASSWORD: "open sesame",
  ZOE_PASSWORD: "pässwort: ✓",
  R2_PASSWORD: "beep",
  VENDOR_TOKEN: "vendor-token",
};

describeHosts(
  import.meta.dirname,
  (flow) => {
    const send = (target: string, ...authorization: string[]) =>
      flow.send({ target, headers: authorization.flatMap((value) => ["Authorization", value]) });

    describe("let in or refused", () => {
      test.each([
        ["/one/a", [ADA], 200],
        ["/one/a", [], 401],
        ["/one/a", [WRONG], 401],
        ["/one/a", ["Basic"], 401],
        ["/one/a", [`basic   ${ADA.slice(6)}`], 200],
        ["/one/a", [`Basic\t${ADA.slice(6)}`], 401],
        ["/one/a", [`${ADA}\xa0`], 401],
        ["/one/a", [`${ADA},${WRONG}`], 401],
        ["/one/a", [`Bearer x, ${ADA}`], 401],
        ["/optional/a", ["Bearer x, Bearer y"], 401],
        ["/any/a", [ADA], 200],
        ["/any/a", [basic("r2:beep")], 401],
        ["/all/a", [ADA], 200],
        ["/all/a", [BOB], 401],
        ["/optional/a", [], 200],
        // Without a credential behind its scheme.
        ["/optional/a", ["Basic"], 200],
        ["/optional/a", [WRONG], 401],
        ["/optional/a", ["Bearer x"], 200],
        ["/trial/a", [WRONG], 200],
        ["/trial/a", [], 200],
        ["/users/ada/x", [ADA], 200],
        ["/users/%61da/x", [ADA], 200],
        ["/users/bob/x", [ADA], 403],
      ])("%s with %j is %i", async (target, credentials, status) => {
        const answer = await send(target, ...credentials);
        expect(answer.status).toBe(status);
        expect(answer.received !== undefined).toBe(status === 200);
      });

      // Node's parser, under Next, keeps the first of several Authorization fields: the one that is judged is the one that goes on.
      test.each([
        [[ADA, ADA], 200],
        [[ADA, "Bearer x"], 200],
        [["Bearer x", ADA], 401],
        [[ADA, ""], 200],
      ])("several fields, %j: refused on the Node host, the first alone counts under Next", async (fields, vercelStatus) => {
        const headers = fields.flatMap((value) => ["Authorization", value]);
        expect(await flow.sendTo("node", { target: "/one/a", headers })).toMatchObject({ status: 401, received: undefined });
        const answer = await flow.sendTo("vercel", { target: "/checking/a", headers });
        expect(answer.status).toBe(vercelStatus);
        expect(answer.received?.headers.all("authorization") ?? [ADA]).toEqual([ADA]);
      });

      test.each([
        ["GET", BOB, 200],
        ["HEAD", BOB, 200],
        ["POST", BOB, 403],
        ["POST", ADA, 200],
      ])("%s of orders", async (method, authorization, status) => {
        const headers = ["authorization", authorization];
        const answer = await flow.send({ method, target: "/orders/1", headers, ...(method === "POST" ? { body: "x" } : {}) });
        expect(answer.status).toBe(status);
      });

      test("every challenge arrives", async () => {
        const { headers } = await send("/any/a");
        expect(headers.all("www-authenticate").join(", ")).toBe(
          'Basic realm="frontdesk", charset="UTF-8", Basic realm="robots", charset="UTF-8"',
        );
      });
    });

    describe("what the backend is told", () => {
      test("who calls, and not the credential", async () => {
        const { headers } = (await send("/one/a", ADA)).received!;
        expect(headers.all("x-gateway-consumer")).toEqual(["staff:ada"]);
        expect(headers.has("authorization")).toBe(false);
      });

      test("a name that a field can't hold is encoded", async () => {
        const { headers } = (await send("/one/a", basic("zoë ✓:pässwort: ✓"))).received!;
        expect(headers.all("x-gateway-consumer")).toEqual(["staff:zo%C3%AB%20%E2%9C%93"]);
      });

      test("the credential too, where the backend checks it again", async () => {
        const { headers } = (await send("/checking/a", ADA)).received!;
        expect(headers.all("authorization")).toEqual([ADA]);
        expect(headers.all("x-gateway-consumer")).toEqual(["staff:ada"]);
      });

      test("the gateway's own credential for it in place of the caller's", async () => {
        const answer = await send("/vendor/a", ADA);
        expect(answer.received!.headers.all("authorization")).toEqual(["Bearer vendor-token"]);
        expect(JSON.stringify(answer.headers.pairs) + answer.text).not.toContain("vendor-token");
      });

      test("nothing of a wrong credential that was let pass in shadow mode", async () => {
        for (const field of [WRONG, "Basic", `${ADA}, ${WRONG}`, "Bearer x, Basic y"]) {
          const { headers } = (await send("/trial/a", field)).received!;
          expect(headers.has("authorization"), field).toBe(false);
          expect(headers.has("x-gateway-consumer")).toBe(false);
        }
      });

      test("another scheme's credential goes on: nobody here read it", async () => {
        expect((await send("/optional/a", "Bearer x")).received!.headers.all("authorization")).toEqual(["Bearer x"]);
        expect((await send("/open/a", WRONG)).received!.headers.all("authorization")).toEqual([WRONG]);
      });

      test.each(["x-gateway-consumer", "X-Gateway-Consumer", "x_gateway_consumer", "X-Gateway_Consumer", "x-gateway-assertion"])(
        "%s of a client never passes",
        async (name) => {
          for (const [target, consumer] of [
            ["/open/a", []],
            ["/optional/a", []],
            ["/trial/a", []],
          ] as const) {
            const { headers } = (await flow.send({ target, headers: [name, "staff:root"] })).received!;
            expect(headers.all(name.toLowerCase()), target).toEqual(consumer);
          }
          const known = await flow.send({ target: "/one/a", headers: [name, "staff:root", "authorization", ADA] });
          expect(JSON.stringify(known.received!.headers.pairs)).not.toContain("root");
          expect(known.received!.headers.all("x-gateway-consumer")).toEqual(["staff:ada"]);
        },
      );

      test("Connection can't name what the gateway says", async () => {
        const headers = ["authorization", ADA, "connection", "x-gateway-consumer, via, forwarded"];
        expect((await flow.send({ target: "/one/a", headers })).received!.headers.get("x-gateway-consumer")).toBe("staff:ada");
      });

      test("a credential that Connection names is for nobody, here neither", async () => {
        const headers = ["authorization", ADA, "connection", "authorization"];
        expect(await flow.send({ target: "/one/a", headers })).toMatchObject({ status: 401, received: undefined });
      });
    });
  },
  () => VARIABLES,
);
