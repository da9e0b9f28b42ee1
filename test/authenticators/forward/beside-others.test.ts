/** `forward` beside other authenticators: any of them, all of them, none needed. */
import { describe, expect, test } from "vitest";
import { ADA, BOB, gatewayWith, reasonOf, service } from "./gateway-with.ts";

describe("beside other authenticators", () => {
  const staff = { basic: { users: { ada: "${env.ADA_PASSWORD}" } } };
  const web = { jwt: { issuer: "http://127.0.0.1:9", audience: "x" } };
  const PASSWORD = `Basic ${Buffer.from("ada:correct horse").toString("base64")}`;
  const gateway = () =>
    gatewayWith(
      {},
      [
        { path: "/any", auth: ["sso", "staff"] },
        { path: "/all", auth: { allOf: ["sso", "staff"] } },
        { path: "/optional", auth: { optional: "sso" } },
        { path: "/token", auth: ["web", "sso"] },
        { path: "/trial", auth: "sso", mode: "shadow" },
      ],
      { staff, web },
    );
  const send = async (target: string, headers: Record<string, string> = {}) => {
    const { status, text } = await gateway().send({ target, headers });
    return status === 200 ? text.split("|")[0] : status;
  };

  test("any of: what is certainly another's is not asked about", async () => {
    expect(await send("/any", { authorization: PASSWORD })).toBe("staff:ada");
    expect(await send("/any", { authorization: PASSWORD.replace("YWRh", "YWRi") })).toBe(401);
    expect(service.asked).toEqual([]);
    expect(await send("/any", ADA)).toBe("sso:ada");
    expect(await send("/any", { cookie: "sid=ada" })).toBe("sso:ada");
    expect(await send("/any")).toBe(401);
  });

  test("any of: the 401 lists what each takes", async () => {
    const { headers, text } = await gateway().send({ target: "/any" });
    expect(headers.all("www-authenticate")).toEqual(['Bearer realm="frontdesk"', 'Basic realm="frontdesk", charset="UTF-8"']);
    expect(text).toContain('what the service behind \\"sso\\" takes in `Authorization` or cookies, or a name and a password');
  });

  test("a token of an issuer that is named goes there; without one the service is asked", async () => {
    const token = ["{}", `{"iss":"http://127.0.0.1:9"}`].map((part) => Buffer.from(part).toString("base64url")).join(".");
    expect(await send("/token", { authorization: `Bearer ${token}.x`, cookie: "sid=ada" })).toBe(401);
    expect(service.asked).toEqual([]);
    expect(await send("/token", { cookie: "sid=ada" })).toBe("sso:ada");
  });

  test("all of: each must be there", async () => {
    expect(await send("/all", { authorization: PASSWORD, cookie: "sid=ada" })).toBe("sso:ada");
    expect(await send("/all", { authorization: PASSWORD, cookie: "sid=eve" })).toBe(401);
    expect(await send("/all", { authorization: PASSWORD, cookie: "sid=bob" })).toBe(403);
    expect(await send("/all", { cookie: "sid=ada" })).toBe(401);
  });

  test("optional: nobody passes, a wrong one does not, and no answer is none", async () => {
    expect(await send("/optional")).toBe("");
    expect(await send("/optional", ADA)).toBe("sso:ada");
    expect(await send("/optional", { authorization: "Bearer eve" })).toBe(401);
    expect(await send("/optional", BOB)).toBe(403);
    service.answer = (_, response) => response.writeHead(500).end();
    expect(await send("/optional")).toBe(503);
  });

  test("shadow: everybody passes, and the record says who would not", async () => {
    const answer = await gateway().send({ target: "/trial", headers: BOB });
    expect(answer).toMatchObject({ status: 200, steps: expect.arrayContaining(["auth: would-refuse"]) });
    expect(reasonOf(answer)).toBe("sso: the service answered 403");
  });
});
