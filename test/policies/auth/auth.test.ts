/** Who is let in: any of several authenticators, all of them, optional ones, wrong credentials, and what each caller is told. */
import { describe, expect, test } from "vitest";
import { gatewayOf } from "../gateway.ts";

const VARIABLES = { ADA: "correct horse", BOB: "open sesame", R2: "beep: beep", ZOE: "pässword" };
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;
const ADA = basic("ada:correct horse");
const R2 = basic("r2:beep: beep");
const WRONG = basic("ada:wrong");

const { send } = gatewayOf(
  {
    auth: {
      staff: {
        basic: { users: { ada: { password: "${env.ADA}", scopes: ["read", "write"], tier: "pro" }, bob: "${env.BOB}" } },
      },
      robots: { basic: { realm: "robots", users: { r2: "${env.R2}", ada: "${env.ADA}" } } },
    },
    defaults: { auth: "staff" },
    routes: [
      { path: "/one", respond: { body: "${consumer.id}" } },
      { path: "/any", auth: ["staff", "robots"], respond: { body: "${consumer.id}" } },
      { path: "/all", auth: { allOf: ["staff", "robots"] }, respond: { body: "${consumer.id} ${claims.sub}" } },
      { path: "/optional", auth: { optional: "staff" }, respond: { body: "hello ${consumer.id}" } },
      { path: "/optional-any", auth: { optional: ["robots", "staff"] }, respond: { body: "hello ${consumer.id}" } },
      { path: "/open", auth: "none", respond: { body: "open ${consumer.id}" } },
      { path: "/trial", mode: "shadow", respond: { body: "trial ${consumer.id}" } },
    ],
  },
  { variables: VARIABLES },
);

const get = (target: string, ...authorization: string[]) =>
  send({ target, headers: authorization.flatMap((value) => ["authorization", value]) });

describe("one", () => {
  test("the right credential says who calls, and the record too", async () => {
    const { status, text, record, steps } = await get("/one", ADA);
    expect({ status, text, steps }).toEqual({ status: 200, text: "staff:ada", steps: ["auth: passed", "respond: answered"] });
    expect(record.consumer).toBe("staff:ada");
  });

  test("without one, the caller is told what would be taken", async () => {
    const { status, text, headers, record } = await get("/one");
    expect(status).toBe(401);
    expect(JSON.parse(text)).toMatchObject({
      code: "credentials-missing",
      detail: "This route takes a name and a password in `Authorization: Basic`.",
    });
    expect(headers.all("www-authenticate")).toEqual(['Basic realm="frontdesk", charset="UTF-8"']);
    expect(record.reason).toBe("no credential for staff");
  });

  test.each(["Basic", "Basic ", "basic \t"])("an empty credential is none: %j", async (credential) => {
    const { status, text, record } = await get("/one", credential);
    expect([status, JSON.parse(text).code, record.reason]).toEqual([401, "credentials-missing", "no credential for staff"]);
  });

  test.each([
    ["another password", basic("ada:wrong")],
    ["another's password", basic("ada:open sesame")],
    ["no such user", basic("eve:correct horse")],
    ["no password", basic("ada:")],
    ["no base64", "Basic !!!"],
  ])("%s: the same answer, and no word of the credential", async (_, credential) => {
    const { status, text, headers, record } = await get("/one", credential);
    expect(status).toBe(401);
    const { title, detail, code } = JSON.parse(text);
    expect({ title, detail, code }).toEqual({
      title: "The credentials were not accepted",
      detail: undefined,
      code: "credentials-invalid",
    });
    expect(headers.all("www-authenticate")).toEqual(['Basic realm="frontdesk", charset="UTF-8"']);
    expect(JSON.stringify(record)).not.toMatch(/wrong|sesame|eve|horse/);
    expect(record.consumer).toBeUndefined();
  });

  test.each([
    ["two fields", [ADA, ADA]],
    ["the right one after another's", ["Bearer x", ADA]],
    ["the right one before another's", [ADA, "Bearer x"]],
    ["two in one field", [`${ADA}, ${WRONG}`]],
    ["another's and the right one in one field", [`Bearer x, ${ADA}`]],
  ])("%s are refused: a backend might take the other", async (_, fields) => {
    const { status, text, record } = await get("/one", ...fields);
    expect(status).toBe(401);
    expect(JSON.parse(text).code).toBe("credentials-invalid");
    expect(record.reason).toBe("staff: several credentials in `Authorization`");
  });

  test.each([
    ["a parameter", { target: `/one?authorization=${encodeURIComponent(ADA)}` }],
    ["a cookie", { target: "/one", headers: { cookie: `authorization=${ADA}` } }],
    ["Proxy-Authorization", { target: "/one", headers: { "proxy-authorization": ADA } }],
    ["a lookalike", { target: "/one", headers: { authorization_: ADA } }],
    ["a field that only the gateway sets", { target: "/one", headers: { "x-gateway-consumer": "staff:ada" } }],
  ])("a credential in %s is none", async (_, sent) => {
    const { status, text } = await send(sent);
    expect([status, JSON.parse(text).code]).toEqual([401, "credentials-missing"]);
  });

  test("nor is userinfo in an absolute target, which is no host", async () => {
    expect((await send({ target: "http://ada:correct%20horse@gateway.example/one" })).status).toBe(400);
  });
});

describe("any of several", () => {
  test("each user of the one that comes first", async () => {
    expect((await get("/any", ADA)).text).toBe("staff:ada");
  });

  // Two kinds that can't be told apart by their form: the first judges, and what it says counts.
  test("what the first can't judge is not tried on the next", async () => {
    expect((await get("/any", R2)).status).toBe(401);
  });

  test("every challenge is a field of its own", async () => {
    const expected = ['Basic realm="frontdesk", charset="UTF-8"', 'Basic realm="robots", charset="UTF-8"'];
    expect((await get("/any")).headers.all("www-authenticate")).toEqual(expected);
    expect((await get("/any", WRONG)).headers.all("www-authenticate")).toEqual(expected);
  });
});

describe("all of several", () => {
  test("one credential that both accept", async () => {
    expect((await get("/all", ADA)).text).toBe("staff:ada ada");
  });

  test.each([
    ["the second does not accept", basic("bob:open sesame"), "robots: "],
    ["the first does not accept", R2, "staff: "],
  ])("what %s is refused, by its name in the record", async (_, credential, reason) => {
    const { status, record } = await get("/all", credential);
    expect(status).toBe(401);
    expect(record.reason).toContain(reason);
  });

  test("nothing is not enough", async () => expect((await get("/all")).status).toBe(401));
});

describe("optional", () => {
  test("callers without credentials pass, unknown", async () => {
    const { text, record } = await get("/optional");
    expect(text).toBe("hello ");
    expect(record.consumer).toBeUndefined();
  });
  test("right ones are known", async () => expect((await get("/optional", ADA)).text).toBe("hello staff:ada"));
  test.each([[WRONG], ["Basic\tx"], [`${ADA}, ${ADA}`], [`Basic, ${ADA}`]])("wrong ones are refused: %s", async (credential) => {
    expect((await get("/optional", credential)).status).toBe(401);
  });
  test.each(["Basic", "Basic "])("an empty one is none: %j", async (credential) =>
    expect((await get("/optional", credential)).text).toBe("hello "),
  );
  test("another scheme is no credential here", async () => expect((await get("/optional", "Bearer x")).text).toBe("hello "));
  test("the first of several judges, and its no stays a no", async () => {
    expect((await get("/optional-any", R2)).text).toBe("hello robots:r2");
    expect((await get("/optional-any", basic("bob:open sesame"))).status).toBe(401);
    expect((await get("/optional-any")).text).toBe("hello ");
  });
});

describe("none", () => {
  test.each([[WRONG], [ADA]])("nobody is known, whatever is sent: %s", async (credential) => {
    const { text, steps } = await get("/open", credential);
    expect([text, steps]).toEqual(["open ", ["respond: answered"]]);
  });
});

describe("shadow mode", () => {
  test.each([
    [[], "credentials-missing", "trial "],
    [[WRONG], "credentials-invalid", "trial "],
    [[ADA, ADA], "credentials-invalid", "trial "],
  ])("%j is let in, and the record says what would have been refused", async (credentials, code, body) => {
    const { text, record, headers } = await get("/trial", ...credentials);
    expect(text).toBe(body);
    expect(headers.has("www-authenticate")).toBe(false);
    expect(record.steps[0]).toMatchObject({ policy: "auth", verdict: "would-refuse", code });
  });
  test("right ones are known", async () => expect((await get("/trial", ADA)).text).toBe("trial staff:ada"));
});

test("answers are for one caller: no shared cache may keep what a credential opened", async () => {
  const { headers } = await get("/one", ADA);
  expect(headers.get("cache-control")).toMatch(/private|no-store/);
});
