/** What caches may keep: an answer for one caller stays out of every shared cache, whatever the backend says. */
import { expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";

describeHosts(import.meta.dirname, (flow) => {
  test.each([
    [undefined, "private, no-store"],
    ["no-store", "no-store"],
    ["private, max-age=60", "private, max-age=60"],
    ["public, max-age=60", "private, max-age=60"],
    ["max-age=60, s-maxage=600", "private, max-age=60"],
    ["s-maxage=600, stale-while-revalidate=60", "private, stale-while-revalidate=60"],
  ])("Cache-Control %s of a backend reaches the caller as %s", async (cacheControl, passed) => {
    flow.backend.on("/x", (_, response) =>
      response.writeHead(200, cacheControl === undefined ? {} : { "cache-control": cacheControl }).end("x"),
    );
    const { headers } = await flow.send("/x");
    expect(headers.all("cache-control")).toEqual([passed]);
    expect(headers.all("cdn-cache-control")).toEqual(["no-store"]);
    expect(headers.all("vercel-cdn-cache-control")).toEqual(["no-store"]);
  });

  test("two lines of Cache-Control are read as one", async () => {
    flow.backend.on("/two", (_, response) =>
      response.writeHead(200, ["cache-control", "public", "cache-control", "s-maxage=9, max-age=1"]).end("x"),
    );
    expect((await flow.send("/two")).headers.all("cache-control")).toEqual(["private, max-age=1"]);
  });

  test("validators and conditions pass, so the caller's own cache works", async () => {
    flow.backend.on("/etag", (received, response) =>
      response
        .writeHead(received.headers.get("if-none-match") === '"a"' ? 304 : 200, { etag: '"a"', vary: "accept-language" })
        .end(),
    );
    const first = await flow.send("/etag");
    expect(first.headers.get("etag")).toBe('"a"');
    expect(first.headers.get("vary")).toBe("accept-language");
    expect(await flow.send({ target: "/etag", headers: ["if-none-match", '"a"'] })).toMatchObject({ status: 304, text: "" });
  });

  test("a range is the backend's to serve", async () => {
    flow.backend.on("/range", (received, response) =>
      response.writeHead(206, { "content-range": "bytes 1-2/9", "x-asked": received.headers.get("range")! }).end("bc"),
    );
    const answer = await flow.send({ target: "/range", headers: ["range", "bytes=1-2"] });
    expect(answer).toMatchObject({ status: 206, text: "bc" });
    expect(answer.headers.get("x-asked")).toBe("bytes=1-2");
  });

  test("answers of the gateway's own are for one caller too", async () => {
    expect((await flow.send("/own")).headers.all("cache-control")).toEqual(["private, max-age=60"]);
    expect((await flow.send({ target: "/gateway/none" })).headers.all("cache-control")).toEqual(["no-store"]);
  });
});
