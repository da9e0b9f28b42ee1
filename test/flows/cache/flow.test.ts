/** The cache as callers of each host meet it: miss, hit, 304, a range, a purge, and what a CDN in front is told. */
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { ADMIN_TOKEN, HOST_NAMES } from "../../support/host-process.ts";
import { RawConnection, type RawRequest, requestBytes } from "../../support/raw-client.ts";

describeHosts(import.meta.dirname, (flow) => {
  // One host at a time: ages are the clock's.
  describe.each(HOST_NAMES)("on %s", (host) => {
    const send = (request: RawRequest | string) => flow.sendTo(host, request);
    const said = ({ headers }: Awaited<ReturnType<typeof send>>) => headers.get("cache-status");

    test("a miss fills it, a hit spares the backend", async () => {
      const path = `/products/${host}`;
      flow.backend.on(path, (_, response) =>
        response.writeHead(200, { etag: '"1"', "content-type": "text/plain" }).end("a product"),
      );
      expect(said(await send(path))).toBe("frontdesk; fwd=uri-miss; stored");
      const hit = await send(path);
      expect(hit).toMatchObject({ status: 200, text: "a product", received: undefined });
      expect(said(hit)).toMatch(/^frontdesk; hit; ttl=\d+$/);
      expect(hit.headers.get("age")).toMatch(/^\d+$/);
      expect(hit.headers.all("cdn-cache-control")).toEqual(["no-store"]);
      const head = await send({ method: "HEAD", target: path });
      expect(head).toMatchObject({ status: 200, text: "", received: undefined });
      const known = await send({ target: path, headers: ["if-none-match", '"1"'] });
      expect(known).toMatchObject({ status: 304, text: "", received: undefined });
      const part = await send({ target: path, headers: ["range", "bytes=2-"] });
      expect(part).toMatchObject({ status: 206, text: "product", received: undefined });
      expect(part.headers.get("content-range")).toBe("bytes 2-8/9");
    });

    test("encoded answers stay readable, whoever filled it", async () => {
      const path = `/products/encoded-${host}`;
      flow.backend.on(path, ({ headers }, response) =>
        response.writeHead(200, { vary: "accept-encoding" }).end(headers.get("accept-encoding")),
      );
      for (let i = 0; i < 2; i++) {
        const { text, headers } = await send({ target: path, headers: ["accept-encoding", "gzip"] });
        expect([text, headers.has("content-encoding")]).toEqual([host === "node" ? "gzip" : "identity", false]);
      }
    });

    test("a change and a purge empty it", async () => {
      const path = `/products/change-${host}`;
      await send(path);
      await send({ method: "DELETE", target: path });
      expect(said(await send(path))).toBe("frontdesk; fwd=uri-miss; stored");
      const purge = { method: "POST", target: "/gateway/api/purge", body: '{"tag":"products"}' };
      const type = ["content-type", "application/json"];
      expect((await send({ ...purge, headers: type })).status).toBe(401);
      expect(said(await send(path))).toContain("hit");
      const purged = await send({ ...purge, headers: [...type, "authorization", `Bearer ${ADMIN_TOKEN}`] });
      expect(purged.status).toBe(200);
      expect(JSON.parse(purged.text).purged).toBeGreaterThan(0);
      expect(said(await send(path))).toBe("frontdesk; fwd=uri-miss; stored");
    });

    test("an event stream is each caller's own, while others of it still run", async () => {
      const target = `/products/events-${host}`;
      let streams = 0;
      flow.backend.on(target, (_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(`data: stream ${++streams}\n\n`);
      });
      const callers = [];
      for (const stream of [1, 2]) {
        const caller = await RawConnection.open(flow.host(host).port);
        callers.push(caller);
        caller.write(requestBytes({ target }));
        await caller.readUntil(`data: stream ${stream}`);
      }
      for (const caller of callers) caller.close();
    });

    test("callers with cookies get their own answers, and others what is stored", async () => {
      const target = `/products/cookies-${host}`;
      flow.backend.on(target, ({ headers }, response) => response.end(headers.get("cookie") ?? "nobody"));
      const texts = [];
      for (const headers of [[], ["cookie", "sid=ann"], ["cookie", "sid=bob"], []])
        texts.push((await send({ target, headers })).text);
      expect(texts).toEqual(["nobody", "sid=ann", "sid=bob", "nobody"]);
      expect(said(await send(target))).toMatch(/^frontdesk; hit/);
    });

    test("a caller's text in a tag is one tag, which any field can hold", async () => {
      const answer = await send(`/tagged/%E6%97%A5,sale?${host}`);
      expect([answer.status, answer.headers.all("vercel-cache-tag")]).toEqual([200, ["p:%E6%97%A5%2Csale"]]);
    });

    test("a CDN is told what it may keep, and only where the route says so", async () => {
      const { headers } = await send(`/public/${host}`);
      expect(headers.all("cdn-cache-control")).toEqual(["max-age=300"]);
      expect(headers.all("vercel-cdn-cache-control")).toEqual(["max-age=300"]);
      expect(headers.all("vercel-cache-tag")).toEqual(["list,all"]);
      expect(headers.has("x-request-id")).toBe(false);
      const own = await send("/account");
      expect([own.headers.all("cdn-cache-control"), own.headers.has("cache-status")]).toEqual([["no-store"], false]);
    });
  });
});
