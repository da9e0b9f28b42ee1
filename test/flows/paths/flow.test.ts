/** Where a path ends up: prefixes cut, paths rewritten, base paths put before, the query as it came. */
import { expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";

describeHosts(import.meta.dirname, (flow) => {
  test.each([
    ["/cut", "/"],
    ["/cut/", "/"],
    ["/cut/a/b", "/a/b"],
    ["/cut/a/", "/a/"],
    ["/cut/a%20b?x=1", "/a%20b?x=1"],
    // The prefix was matched decoded, so it is cut however it was spelled.
    ["/%63ut/a", "/a"],
    ["/deep/er/a", "/base/v1/a"],
    ["/deep/er", "/base/v1/"],
    ["/based/a", "/base/v1/based/a"],
    ["/users/7", "/people/7/profile"],
    ["/users/a%20b", "/people/a%20b/profile"],
    ["/users/7?full=yes", "/people/7/profile?full=yes"],
    ["/files/a/b%20c/d", "/base/v1/store/a/b%20c/d"],
    ["/search/x/y", "/find/x/y"],
    ["/by-query?name=a%20b", "/q/a%20b?name=a%20b"],
    ["/by-query?name=a%3Fb", "/q/a%3Fb?name=a%3Fb"],
    ["/by-query-kept?name=a%2Fb", "/q/a%2Fb?name=a%2Fb"],
    ["/fixed?a=1", "/elsewhere?a=1"],
  ])("%s is sent on as %s", async (target, sentOn) => {
    expect((await flow.send(target)).received!.target).toBe(sentOn);
  });

  test("a value of the request becomes one segment, or is refused", async () => {
    expect((await flow.send({ target: "/by-header", headers: ["x-name", "..admin?x#y"] })).received!.target).toBe(
      "/h/..admin%3Fx%23y",
    );
    for (const name of ["../admin", "a/b", "a\\b", "a%2fb"])
      expect(await flow.send({ target: "/by-header", headers: ["x-name", name] })).toMatchObject({
        status: 400,
        received: undefined,
      });
    for (const name of ["..%2Fadmin", "..%5Cadmin", "a%2F..%3B"])
      expect(await flow.send(`/by-query-kept?name=${name}`)).toMatchObject({ status: 400, received: undefined });
  });

  test.each(["/by-query?name=..", "/by-query?name=%2e%2e", "/by-query?name=."])(
    "%s does not climb out of the path that the config names",
    async (target) => {
      const { received } = await flow.send(target);
      // `%2E%2E` is a dot segment to every server that normalises (RFC 3986 section 6.2.2.2).
      expect(decodeURIComponent(received?.target.split("?")[0] ?? "")).not.toMatch(/\/\.{1,2}$/);
    },
  );

  test("the prefix that was cut is told to the backend", async () => {
    const { received } = await flow.send("/cut/a");
    expect(received!.headers.get("x-forwarded-prefix")).toBe("/cut");
    expect((await flow.send("/based/a")).received!.headers.has("x-forwarded-prefix")).toBe(false);
  });

  test.each(["?a=1&b=2", "?a=1&a=2", "?b=2&a=1", "?a=", "?a=%20b+c", "?a=%2F%3F", "?x=%C3%BC", "?q=a:b@c,d;e", "?a=1&&b", "?"])(
    "the query %s is kept as received",
    async (query) => {
      expect((await flow.send(`/cut/x${query}`)).received!.target).toBe(`/x${query}`);
    },
  );

  test.each(["?a", "?a[]=1", "?a=%zz", "?2=b&1=a", "?a=1&a", "?a=b=c&=d", "?nxtPpath=x&a=1", "?_rsc=abc"])(
    "the query %s, which Next would write anew, too",
    async (query) => {
      expect((await flow.send(`/cut/x${query}`)).received!.target).toBe(`/x${query}`);
    },
  );
});
