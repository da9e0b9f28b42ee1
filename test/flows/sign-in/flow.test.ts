/** The console's session: a browser gets it for the admin token, keeps it for twelve hours, and no other site can use it. */
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { ADMIN_TOKEN, HOST_NAMES } from "../../support/host-process.ts";

describeHosts(import.meta.dirname, (flow) => {
  const browser = ["Host", "gateway.example", "accept", "text/html,*/*;q=0.8"];
  const form = ["content-type", "application/x-www-form-urlencoded"];

  test("a browser without a session is sent to the sign-in page, and back to where it wanted to go", async () => {
    const { status, headers } = await flow.send({ target: "/gateway?period=24h", headers: browser });
    expect([status, headers.get("location")]).toEqual([303, "/gateway/sign-in?to=%2Fgateway%3Fperiod%3D24h"]);
    const page = await flow.send({ target: headers.get("location")!, headers: browser });
    expect(page.status).toBe(200);
    expect(page.headers.get("content-security-policy")).toContain("form-action 'self'");
    expect(page.text).toContain('name="to" value="/gateway?period=24h"');
  });

  test("other clients hear 401, without a challenge that a browser would ask the person for", async () => {
    const { status, headers } = await flow.send("/gateway");
    expect([status, headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="frontdesk"']);
  });

  describe.each(HOST_NAMES)("%s", (host) => {
    const signIn = (fields: Record<string, string>, headers: readonly string[] = []) =>
      flow.sendTo(host, {
        method: "POST",
        target: "/gateway/sign-in",
        headers: [...browser, ...form, "sec-fetch-site", "same-origin", ...headers],
        body: new URLSearchParams(fields).toString(),
      });
    const overview = async (cookie: string, headers: readonly string[] = []) =>
      (await flow.sendTo(host, { target: "/gateway/api/overview", headers: ["cookie", cookie, ...headers] })).status;

    test("the token opens a session, which opens pages and the API", async () => {
      const answer = await signIn({ token: ADMIN_TOKEN, to: "/gateway?period=24h" });
      expect([answer.status, answer.headers.get("location")]).toEqual([303, "/gateway?period=24h"]);
      const [set] = answer.headers.all("set-cookie");
      expect(set).toMatch(/^frontdesk-session=[\w.-]+; Path=\/gateway; Max-Age=43200; HttpOnly; SameSite=Lax$/);
      const cookie = set!.split(";")[0]!;
      expect(cookie).not.toContain(ADMIN_TOKEN);
      expect(await overview(cookie)).toBe(200);
      // A link on another site brings the cookie along.
      expect(await overview(cookie, ["sec-fetch-site", "cross-site"])).toBe(403);
      const [name, value = ""] = cookie.split("=");
      const changed = value.replace(/.(?=.{5}$)/, (last) => (last === "A" ? "B" : "A"));
      for (const forged of ["x", "", changed, value.slice(0, -1)]) expect(await overview(`${name}=${forged}`)).toBe(401);
    });

    test("a wrong token is told on the page, and opens nothing", async () => {
      const answer = await signIn({ token: "wrong", to: '/gateway?"><script>' });
      expect(answer.status).toBe(401);
      expect(answer.headers.all("set-cookie")).toEqual([]);
      expect(answer.text).toContain("That is not the admin token.");
      expect(answer.text).not.toContain("<script>");
      expect(answer.text).not.toContain('value="wrong"');
    });

    test.each([
      "https://evil.example",
      "//evil.example",
      "/gateway/../x",
      "/gateway//evil.example",
      "/\\evil.example",
      "/gatewayx",
      "/gateway/api/keys",
    ])("nobody is sent on to %s", async (to) => {
      expect((await signIn({ token: ADMIN_TOKEN, to })).headers.get("location")).toBe("/gateway");
    });

    test("another site can't sign anybody in or out", async () => {
      expect((await signIn({ token: ADMIN_TOKEN }, ["origin", "https://evil.example"])).status).toBe(303);
      const forced = ["Host", "gateway.example", ...form, "sec-fetch-site", "cross-site", "origin", "https://evil.example"];
      const body = `token=${ADMIN_TOKEN}`;
      expect((await flow.sendTo(host, { method: "POST", target: "/gateway/sign-in", headers: forced, body })).status).toBe(403);
      expect((await flow.sendTo(host, { method: "POST", target: "/gateway/sign-out", headers: forced, body })).status).toBe(403);
    });

    test("signing out takes the cookie away", async () => {
      const headers = [...browser, "sec-fetch-site", "same-origin"];
      const answer = await flow.sendTo(host, { method: "POST", target: "/gateway/sign-out", headers });
      expect([answer.status, answer.headers.get("location")]).toEqual([303, "/gateway/sign-in"]);
      expect(answer.headers.all("set-cookie")[0]).toMatch(/^frontdesk-session=; Path=\/gateway; Max-Age=0;/);
    });

    test("a form that is too large is refused", async () => {
      expect((await signIn({ token: "x".repeat(10_000) })).status).toBe(413);
    });

    test("guesses are counted", async () => {
      let status = 0;
      for (let i = 0; i < 11 && status !== 429; i++) ({ status } = await signIn({ token: `guess-${i}` }));
      expect(status).toBe(429);
      // While guesses are many not even the right token is looked at.
      expect((await signIn({ token: ADMIN_TOKEN })).status).toBe(429);
    });
  });
});
