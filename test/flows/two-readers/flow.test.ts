/**
 * Servers read one path in several ways. Beside each protected route stands an open catch-all to the same server: no spelling that a
 * common server takes for the protected path may pass by it.
 */
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { HOST_NAMES } from "../../support/host-process.ts";
import type { RawRequest } from "../../support/raw-client.ts";
import { craft, hmac } from "../jwt-attacks/tokens.ts";

const SECRET = "two-readers-two-readers-two-readers";

const token = () => {
  const now = Math.floor(Date.now() / 1000);
  return craft({ alg: "HS256", typ: "JWT" }, { aud: "shop", sub: "1", iat: now, exp: now + 600 }, hmac(SECRET));
};

const SPELLINGS: Record<string, (string | RawRequest)[]> = {
  "letter case": ["/ADMIN", "/Admin", "/admin/secreT", "/Admin/Secret", "/%41dmin", "/%41DMIN", "/panel/", "/panel"],
  "letter case by Unicode": ["/admin/%C5%BFecret", "/%EF%BC%A1dmin", "/u%C5%BFers/2"],
  "a trailing slash": ["/admin/", "/admin/secret/", "/Admin/", "/users/2/", "/users/2/?x=1", "/Panel", "/PANEL/"],
  "path parameters": [
    "/admin;x=1",
    "/admin;x=1/secret",
    "/;a/admin",
    "/;a/admin/secret",
    "/admin%3Bx",
    "/admin;/",
    "/ADMIN;x/",
    "/admin/;a/secret",
  ],
  "trailing dots and spaces": ["/admin.", "/admin...", "/admin%20", "/admin.%20/secret", "/admin%20/", "/admin%C2%A0"],
  "encoded twice": ["/%2561dmin", "/admin%252Fsecret", "/admin%253Bx", "/admin%3Fx", "/admin%23x"],
  "an owner's path": ["/users/2/", "/uSERS/2", "/users/2;x/", "/users/;a/2", "/USERS/2"],
  "an address that is kept out": ["/office/", "/Office", "/office;a"],
  "a place that is kept out": ["/there/", "/THERE"],
  "what the gateway answers itself": ["/Internal/x", "/internal;a/x", "/INTERNAL/"],
  "a condition": [
    { target: "/BETA", headers: ["X-Beta", "1"] },
    { target: "/beta/", headers: ["X_Beta", "1"] },
  ],
  "a method that the path does not serve": [{ method: "POST", target: "/Reports" }],
  "%2F that is kept": ["/admin%2Fx", "/%2Fadmin/x", "/ADMIN%2fx", "/admin%2F", "/%2f%2Fadmin%2fx", "/admin%2Fx;y"].map(
    (target) => ({
      target,
      host: "keep.example",
    }),
  ),
  "a lenient guard": [
    "/%2Fadmin/x",
    "/open/..%2Fadmin/x",
    "/open/%2e%2e%2Fadmin%2Fx",
    "/open/..%5Cadmin/x",
    "/open/..;/admin/x",
    "/open/..%3Ba/admin/x",
    "/open/..%2F..%2F..%2Fx",
    "/%61DMIN/x",
    "/admin%00/x",
    "/admin%2Fx%zz",
    "/%zz/..%2Fadmin/x",
  ].map((target) => ({ target, host: "lenient.example" })),
};

/** Next resolves or redirects these before anybody sees them. */
const ON_NODE = ["//admin/x", "/open/../admin/x", "/open//../admin/x", "/./admin/x", "/open\\..\\admin/x", "/%61dmin//x"].map(
  (target) => ({ target, host: "lenient.example" }),
);

const request = ({ host, headers = [], ...rest }: RawRequest & { host?: string }): RawRequest => ({
  ...rest,
  headers: [...(host ? ["Host", host] : []), ...headers],
});
const asRequest = (given: string | RawRequest) => (typeof given === "string" ? { target: given } : request(given));

describeHosts(
  import.meta.dirname,
  (flow) => {
    describe.each(HOST_NAMES)("on %s no spelling gets round", (name) => {
      const cases = Object.entries(SPELLINGS).flatMap(([what, given]) => given.map((one) => [what, asRequest(one)] as const));
      test.each([...cases, ...(name === "node" ? ON_NODE.map((one) => ["a lenient guard", request(one)] as const) : [])])(
        "%s: $1.target",
        async (_, sent) => {
          const { status, received } = await flow.sendTo(name, sent);
          expect(received).toBeUndefined();
          expect([400, 401, 403, 404, 405]).toContain(status);
        },
      );
    });

    test("the paths themselves are judged by their own rules", async () => {
      for (const [target, status] of [
        ["/admin", 401],
        ["/admin/secret", 401],
        ["/Panel/", 401],
        ["/users/2", 401],
        ["/office", 403],
        ["/there", 403],
        ["/internal/x", 404],
      ] as const)
        expect(await flow.send(target)).toMatchObject({ status, received: undefined });
    });

    test("what is no spelling of them passes as it came", async () => {
      for (const target of [
        "/",
        "/public",
        "/Public/",
        "/administrator",
        "/admin.css",
        "/admin/other",
        "/a;b",
        "/x%20y",
        "/users",
        "/users/2/orders",
        "/internally",
        "/%C3%BCber",
      ])
        expect((await flow.send(target)).received?.target).toBe(target);
      for (const target of ["/a%2Fb", "/x/admin%2Fx"])
        expect((await flow.send(request({ target, host: "keep.example" }))).received?.target).toBe(target);
      for (const target of ["/open/a%2F..%2Fb", "/open/%00"])
        expect((await flow.send(request({ target, host: "lenient.example" }))).received?.target).toBe(target);
    });

    test("a limit is counted for its path alone, and no spelling has a count of its own", async () => {
      const before = flow.backend.requests.length;
      const paths = ["/login", "/login", "/login", "/Login", "/login/", "/LOGIN", "/login;1", "/login;2", "/login."];
      for (const name of HOST_NAMES) for (const target of paths) await flow.sendTo(name, target);
      expect(flow.backend.requests.length - before).toBe(2 * HOST_NAMES.length);
    });

    test("a parameter's count is one for all of its spellings", async () => {
      const before = flow.backend.requests.length;
      const paths = [
        "/items/a",
        "/items/A",
        "/items/a;1",
        "/items/a;2",
        "/items/a.",
        "/items/%2561",
        "/items/a%20",
        "/items/a%3Fx",
      ];
      for (const name of HOST_NAMES) for (const target of paths) await flow.sendTo(name, target);
      expect(flow.backend.requests.length - before).toBe(HOST_NAMES.length);
    });

    test("a method's own rule holds in every spelling", async () => {
      const authorization = ["Authorization", `Bearer ${token()}`];
      for (const target of ["/team/orders", "/team/Orders", "/team/orders/", "/team/orders;x"])
        expect(await flow.send({ method: "DELETE", target, headers: authorization })).toMatchObject({ received: undefined });
      expect((await flow.send({ method: "GET", target: "/team/orders", headers: authorization })).status).toBe(200);
    });

    describe("a value in a rewrite is one segment", () => {
      test.each([
        "..%2F..%2Fadmin%2Fx",
        "..%5Cadmin",
        "..%3B%2Fadmin",
        "..%3B",
        "a%2Fb",
        "a%5Cb",
        "%2Fadmin",
        "%252e%252e%252fadmin",
        "a%252Fb",
        "a%25252Fb",
        "a%255Cb",
        "..",
        "%2e%2e",
      ])("%s is refused", async (value) => {
        expect(await flow.send(`/idx/a?name=${value}`)).toMatchObject({ status: 400, received: undefined });
      });

      test("in a header field too", async () => {
        for (const value of ["../../admin", "..\\admin", "a/b", "a%2fb", "..;"])
          expect(await flow.send({ target: "/seg/a", headers: ["X-Seg", value] })).toMatchObject({
            status: 400,
            received: undefined,
          });
        const { received } = await flow.send({ target: "/seg/a", headers: ["X-Seg", "a b;c?d#e..f"] });
        expect(received!.target).toBe("/v1/public/a%20b%3Bc%3Fd%23e..f");
      });
    });

    test("Next's image optimizer fetches nothing", async () => {
      const { status, received } = await flow.sendTo("vercel", "/_next/image?url=%2Fpub%2Fc.png&w=3840&q=75");
      expect([status, received]).toEqual([404, undefined]);
    });

    test("a path that is Next's own pattern reaches the backend as it came, or nobody", async () => {
      for (const name of HOST_NAMES)
        for (const target of [
          "/[[...path]]",
          "/[[...path]]?x=1",
          "/%5B%5B...path%5D%5D",
          "/[[...path]]/x",
          "/x/[[...path]]",
          "/[[...%70ath]]",
          "/[...path]",
        ]) {
          const { received } = await flow.sendTo(name, target);
          expect(received?.target ?? target).toBe(target);
        }
    });
  },
  () => ({ JWT_SECRET: SECRET }),
);
