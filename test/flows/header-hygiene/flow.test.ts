/** Header fields on the way: what belongs to one hop stays there, what only the gateway may say is said by it alone. */
import { expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";

const SENT = [
  "x-one",
  "1",
  "X-One",
  "2",
  "cookie",
  "a=1; b=2",
  "authorization",
  "Bearer mine",
  "accept",
  "*/*",
  "user-agent",
  "test/1",
];

describeHosts(
  import.meta.dirname,
  (flow) => {
    test("the caller's own fields go on", async () => {
      const { headers } = (await flow.send({ target: "/plain/x", headers: SENT })).received!;
      expect(headers.all("x-one").join(", ")).toBe("1, 2");
      for (const [name, value] of [
        ["cookie", "a=1; b=2"],
        ["authorization", "Bearer mine"],
        ["accept", "*/*"],
        ["user-agent", "test/1"],
      ] as const) {
        expect(headers.all(name)).toEqual([value]);
      }
      expect(headers.all("host")).toEqual([new URL(flow.backend.url).host]);
    });

    test("a backend's own fields replace the caller's, and the caller never sees them", async () => {
      const answer = await flow.send({ target: "/secret/x", headers: SENT });
      expect(answer.received!.headers.all("authorization")).toEqual(["Bearer shop-token"]);
      expect(JSON.stringify(answer.headers.pairs) + answer.text).not.toContain("shop-token");
    });

    test.each([
      "Keep-Alive",
      "Proxy-Connection",
      "Proxy-Authorization",
      "TE",
      "Trailer",
      "X-Gateway-Consumer",
      "X-Gateway-Plan",
      "X-Middleware-Next",
      "X-Nextjs-Data",
      "X-Real-IP",
      "X-Forwarded-Server",
    ])("%s of a client does not go on", async (name) => {
      const { headers } = (await flow.send({ target: "/plain/x", headers: [name, "trailers"] })).received!;
      expect(headers.all(name.toLowerCase())).not.toContain("trailers");
    });

    test("what Connection names does not go on, and it can't name what the gateway adds", async () => {
      const { headers } = (
        await flow.send({
          target: "/plain/x",
          headers: ["Connection", "x-hop, x-forwarded-host, x-request-id", "x-hop", "1", "x-end", "2"],
        })
      ).received!;
      expect(headers.has("x-hop")).toBe(false);
      expect(headers.get("x-end")).toBe("2");
      expect(headers.get("x-forwarded-host")).toBe("gateway.example");
      expect(headers.has("x-request-id")).toBe(true);
    });

    test("where a request came from is said anew, whatever the client says", async () => {
      const forged = [
        "X-Forwarded-For",
        "6.6.6.6",
        "X-Forwarded-Host",
        "evil.example",
        "X-Forwarded-Proto",
        "ftp",
        "X-Forwarded-Prefix",
        "/evil",
        "Forwarded",
        "for=6.6.6.6",
      ];
      const { headers } = (await flow.send({ target: "/plain/x", headers: forged })).received!;
      expect(headers.all("x-forwarded-for")).toEqual(["127.0.0.1"]);
      expect(headers.all("x-forwarded-host")).toEqual(["gateway.example"]);
      expect(headers.all("x-forwarded-proto")).toEqual(["http"]);
      expect(headers.all("x-forwarded-prefix")).toEqual(["/plain"]);
      expect(headers.all("forwarded")).toEqual(['for=127.0.0.1;host="gateway.example";proto=http']);
    });

    test("Via names this gateway after those before it", async () => {
      const { headers } = (await flow.send({ target: "/plain/x", headers: ["Via", "1.0 fred"] })).received!;
      expect(headers.all("via").join()).toMatch(/^1\.0 fred, 1\.1 frontdesk-\w+$/);
    });

    test("a client's request id is kept, and comes back", async () => {
      const answer = await flow.send({ target: "/plain/x", headers: ["X-Request-Id", "mine-1"] });
      expect(answer.received!.headers.all("x-request-id")).toEqual(["mine-1"]);
      expect(answer.headers.all("x-request-id")).toEqual(["mine-1"]);
    });

    test("without one, one is drawn, the same for the backend and the caller", async () => {
      const answer = await flow.send("/plain/x");
      const id = answer.headers.get("x-request-id")!;
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      expect(answer.received!.headers.all("x-request-id")).toEqual([id]);
    });

    test("cookies of another Next's Draft Mode are left alone", async () => {
      const cookie = ["__prerender_bypass=0123456789abcdef0123456789abcdef; __next_preview_data=a.b.c"];
      const { headers, received } = await flow.send({ target: "/plain/x", headers: ["cookie", ...cookie] });
      expect(headers.all("set-cookie")).toEqual([]);
      expect(received!.headers.all("cookie")).toEqual(cookie);
    });

    test("a trace is continued", async () => {
      const trace = "0af7651916cd43dd8448eb211c80319c";
      const { headers } = (
        await flow.send({ target: "/plain/x", headers: ["traceparent", `00-${trace}-b7ad6b7169203331-01`, "tracestate", "a=b"] })
      ).received!;
      expect(headers.get("traceparent")).toMatch(new RegExp(`^00-${trace}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
      expect(headers.get("tracestate")).toBe("a=b");
    });

    test.each([
      ["a traceparent that is not well formed", ["traceparent", "00-zz-01", "tracestate", "a=1"]],
      ["none", ["tracestate", "a=1"]],
      [
        "two",
        ["a", "b"].flatMap((digit) => ["traceparent", `00-${digit.repeat(32)}-b7ad6b7169203331-01`]).concat("tracestate", "a=1"),
      ],
    ])("a new trace, after %s, leaves the old tracestate behind", async (_, headers) => {
      const { received } = await flow.send({ target: "/plain/x", headers });
      expect(received!.headers.get("traceparent")).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
      expect(received!.headers.has("tracestate")).toBe(false);
    });

    test("fields of a backend that steer Next, speak for the gateway or belong to its connection do not reach the caller", async () => {
      flow.backend.on("/x", (_, response) =>
        response
          .writeHead(200, {
            "x-middleware-rewrite": "http://evil.example/",
            "x-middleware-next": "1",
            "x-nextjs-redirect": "/evil",
            "x-gateway-error": "internal",
            "x-request-id": "theirs",
            "cdn-cache-control": "max-age=600",
            "vercel-cdn-cache-control": "max-age=600",
            "vercel-cache-tag": "a",
            "surrogate-control": "max-age=600",
            connection: "keep-alive, x-hop",
            "x-hop": "1",
            "proxy-authenticate": "Basic",
            "x-own": "2",
          })
          .end("fine"),
      );
      const answer = await flow.send("/plain/x");
      expect(answer).toMatchObject({ status: 200, text: "fine" });
      for (const name of [
        "x-middleware-rewrite",
        "x-middleware-next",
        "x-nextjs-redirect",
        "x-gateway-error",
        "vercel-cache-tag",
        "surrogate-control",
        "x-hop",
        "proxy-authenticate",
      ]) {
        expect(answer.headers.all(name), name).toEqual([]);
      }
      expect(answer.headers.all("cdn-cache-control")).toEqual(["no-store"]);
      expect(answer.headers.all("vercel-cdn-cache-control")).toEqual(["no-store"]);
      expect(answer.headers.get("x-request-id")).not.toBe("theirs");
      expect(answer.headers.get("x-own")).toBe("2");
    });

    test("latin-1 in a value stays what it was", async () => {
      flow.backend.on("/latin", (received, response) =>
        response.writeHead(200, ["x-back", received.headers.get("x-there")!]).end(),
      );
      const answer = await flow.send({ target: "/plain/latin", headers: ["x-there", "caf\xe9"] });
      expect(answer.received!.headers.get("x-there")).toBe("caf\xe9");
      expect(answer.headers.get("x-back")).toBe("caf\xe9");
    });
  },
  () => ({ SHOP_TOKEN: "shop-token" }),
);
