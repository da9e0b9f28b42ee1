/** Tags with a caller's text: one tag each, that any field may hold. */
import { expect, test } from "vitest";
import { cachedBackend } from "./cached-backend.ts";

const cached = cachedBackend();
const routes = [
  { path: "/p/:id", cache: { ttl: "1m", cdn: true, tags: ["p:${params.id}"] } },
  { path: "/q", cache: { ttl: "1m", cdn: true, tags: ["q:${query.t}"] } },
];

test.each([
  ["/p/%E6%97%A5", "p:%E6%97%A5", "p:日"],
  ["/p/a%2Cb%20c", "p:a%2Cb%20c", "p:a,b c"],
  ["/q?t=caf%C3%A9", "q:caf%C3%A9", "q:café"],
  ["/q?t=one,sale", "q:one%2Csale", "q:one,sale"],
])("%s has the one tag %s, and is purged by its text", async (target, tag, text) => {
  const { send, gateway } = cached.gateway(routes);
  cached.backend.on(target.split("?")[0]!, (_, response) => response.writeHead(200, { "content-length": "1" }).end("x"));
  const answer = await send({ target });
  expect([answer.status, answer.headers.all("vercel-cache-tag")]).toEqual([200, [tag]]);
  expect(await gateway.purge({ tag: "sale" })).toEqual({ state: "ok", value: 0 });
  expect(await gateway.purge({ tag: text })).toEqual({ state: "ok", value: 1 });
});

test("a text that is too long for a tag makes none", async () => {
  const { send } = cached.gateway(routes);
  cached.backend.on("/q", (_, response) => response.writeHead(200, { "content-length": "1" }).end("x"));
  const answer = await send({ target: `/q?t=${"x".repeat(300)}` });
  expect([answer.status, answer.headers.all("vercel-cache-tag")]).toEqual([200, []]);
});

// On both hosts: test/flows/overrides.
test.each(["gw.test:99999", "1.2.3.4.5", "256.1.1.1"])(
  "a change under the odd Host %s is refused before it is made",
  async (host) => {
    const { send } = cached.gateway([{ path: "/*", cache: "1m" }]);
    cached.answer("/");
    await send();
    const refused = await send({ method: "POST", host, body: "x" });
    expect([refused.status, refused.record.code]).toEqual([400, "bad-request"]);
    expect((await send()).record.source).toBe("cache");
    expect(cached.backend.requests).toHaveLength(1);
  },
);
