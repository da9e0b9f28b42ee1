import { describe, expect, test } from "vitest";
import { gatewayOf } from "../gateway.ts";

const { send } = gatewayOf({
  routes: [
    { path: "/", userAgent: { deny: ["curl/", "*Bot/*.*", "python-*"] } },
    { path: "/app", userAgent: { allow: "shop-app/" } },
    { path: "/strict", userAgent: { deny: "curl/", unknown: "deny" } },
    { path: "/trial", userAgent: { deny: "curl", mode: "shadow" } },
  ],
});
const status = async (target: string, name?: string) =>
  (await send({ target, headers: name === undefined ? {} : { "user-agent": name } })).status;

describe("userAgent", () => {
  test.each([
    ["curl/8.5.0", 403],
    ["CURL/8.5.0", 403],
    ["libcurl/8.5.0 (embedded)", 403],
    ["mycurl", 200],
    ["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 403],
    ["Googlebot/2", 200],
    ["python-requests/2.31", 403],
    ["a python-requests/2.31", 200],
    ["Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101", 200],
    [undefined, 200],
    ["", 200],
  ])("%j is %i", async (name, expected) => expect(await status("/", name)).toBe(expected));

  test("an allow list lets nobody else in, not even who says nothing", async () => {
    expect(await status("/app", "Shop-App/2.0 (iOS)")).toBe(200);
    expect(await status("/app", "Mozilla/5.0")).toBe(403);
    expect(await status("/app")).toBe(403);
  });

  test("who says nothing can be kept out", async () => {
    expect(await status("/strict")).toBe(403);
    expect(await status("/strict", "")).toBe(403);
    expect(await status("/strict", "Mozilla/5.0")).toBe(200);
  });

  test("the record says which rule", async () => {
    const { text, record } = await send({ headers: { "user-agent": "x python-y curl/1" } });
    expect(JSON.parse(text)).toMatchObject({ code: "client-denied" });
    expect(record.reason).toBe('denied by "curl/"');
    const trial = await send({ target: "/trial", headers: { "user-agent": "curl" } });
    expect(trial).toMatchObject({ status: 200, steps: ["userAgent: would-refuse", "respond: answered"] });
  });

  test("a piece of the name is not used twice", async () => {
    const { send } = gatewayOf({ routes: [{ path: "/", userAgent: { deny: ["aba*aba", "x*y*y"] } }] });
    const of = async (name: string) => (await send({ headers: { "user-agent": name } })).status;
    expect([await of("aba"), await of("ababa"), await of("abaaba"), await of("aba.aba")]).toEqual([200, 200, 403, 403]);
    expect([await of("xy"), await of("xyy"), await of("xayby")]).toEqual([200, 403, 403]);
  });
});
