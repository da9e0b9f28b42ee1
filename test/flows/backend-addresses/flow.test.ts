/** A backend gets its own address as `Host` and names it in redirects and cookies: callers get the gateway's. */
import { describe, expect, test } from "vitest";
import { describeHosts, type Flow } from "../../support/describe-hosts.ts";

/** Every path of the backend answers with these fields. */
function answersWith(flow: Flow, path: string, fields: (origin: string) => Record<string, string>): void {
  flow.backend.on(path, (_, response) => response.writeHead(302, fields(flow.backend.url)).end());
}

describeHosts(import.meta.dirname, (flow) => {
  const routes: [what: string, target: string, path: string, login: string][] = [
    ["the path is unchanged", "/plain/a", "/plain/a", "/login"],
    ["the backend gets the caller's Host", "/told/a", "/told/a", "/login"],
    ["a prefix is cut", "/cut/a", "/a", "/cut/login"],
    ["the rewrite has no way back", "/items/7", "/goods/7", "/login"],
    ["the redirect leaves the base path", "/based/a", "/base/based/a", "absolute"],
  ];
  describe.each(routes)("where %s", (_, target, path, login) => {
    test.each(["", "http:"])("a redirect to the backend's own origin (%j) names the gateway's path", async (scheme) => {
      const location = `${scheme}//127.0.0.1:${flow.backend.port}/login`;
      answersWith(flow, path, () => ({ location, "content-location": location, refresh: `3; url=${location}` }));
      const { headers } = await flow.send(target);
      const expected = login === "absolute" ? location : login;
      expect(headers.get("location")).toBe(expected);
      expect(headers.get("content-location")).toBe(expected);
      expect(headers.get("refresh")).toBe(`3; url=${expected}`);
    });

    test("a cookie for the backend's own name is for the gateway's", async () => {
      answersWith(flow, path, () => ({ "set-cookie": "e=5; Domain=127.0.0.1; HttpOnly" }));
      expect((await flow.send(target)).headers.get("set-cookie")).toBe("e=5; HttpOnly");
    });

    test("other origins stay", async () => {
      answersWith(flow, path, () => ({ location: "https://login.example/?next=/", "set-cookie": "e=5; Domain=shop.example" }));
      const { headers } = await flow.send(target);
      expect(headers.get("location")).toBe("https://login.example/?next=/");
      expect(headers.get("set-cookie")).toBe("e=5; Domain=shop.example");
    });
  });

  test.each([
    ["/%E6%97%A5%E6%9C%AC/b", "/%E6%97%A5%E6%9C%AC"],
    ["/caf%C3%A9/b", "/caf%C3%A9"],
  ])("the backend hears of the prefix of %s as a URL has it", async (target, prefix) => {
    const { status, received } = await flow.send(target);
    expect(status).toBe(200);
    expect(received?.target).toBe("/b");
    expect(received?.headers.get("x-forwarded-prefix")).toBe(prefix);
  });
});
