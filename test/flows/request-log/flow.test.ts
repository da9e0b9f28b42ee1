/** The request log: one JSON line for each request, on both hosts, with the same fields and without a caller's secrets. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { HOST_NAMES, type HostName } from "../../support/host-process.ts";
import type { RawRequest } from "../../support/raw-client.ts";
import { until } from "../../support/until.ts";

type Line = Record<string, unknown> & { readonly requestId: string };

const PASSWORD = "correct horse battery staple";
const JWT_SECRET = "0123456789abcdef0123456789abcdef";

describeHosts(
  import.meta.dirname,
  (flow) => {
    let drawn = 0;
    /** The one line about this request. */
    async function logged(host: HostName, request: RawRequest): Promise<Line> {
      const id = `log-test-${drawn++}`;
      await flow.sendTo(host, { ...request, headers: [...(request.headers ?? []), "x-request-id", id] });
      return until(() => linesAbout(host, id)[0], `the line about ${request.target}`);
    }

    function linesAbout(host: HostName, id: string): Line[] {
      return lines(host).filter(({ requestId, message }) => requestId === id && message === "request");
    }

    function lines(host: HostName): Line[] {
      return flow
        .host(host)
        .output.split("\n")
        .filter((line) => line.startsWith('{"time"'))
        .map((line) => JSON.parse(line) as Line);
    }

    describe.each(HOST_NAMES)("%s", (host) => {
      test("an answer of the backend", async () => {
        const trace = "0af7651916cd43dd8448eb211c80319c";
        const line = await logged(host, {
          method: "POST",
          target: "/open/orders?token=secret",
          body: "four",
          headers: ["host", "shop.example", "traceparent", `00-${trace}-b7ad6b7169203331-01`],
        });
        expect(line).toMatchObject({
          v: 1,
          level: "info",
          traceId: trace,
          method: "POST",
          host: "shop.example",
          path: "/open/orders",
          route: "/open/*",
          status: 200,
          source: "backend",
          bytesIn: 4,
          attempts: [{ target: flow.backend.url, status: 200, wasSent: true }],
        });
        expect(Date.parse(String(line["time"]))).toBeGreaterThan(Date.now() - 60_000);
        expect(line["bytesOut"]).toBeGreaterThan(0);
        expect(line["backendMs"]).toBeGreaterThan(0);
        expect(line["durationMs"]).toBeGreaterThanOrEqual(Number(line["backendMs"]));
      });

      test("a refusal, with its code and reason", async () => {
        const line = await logged(host, { target: "/staff" });
        expect(line).toMatchObject({
          level: "info",
          status: 401,
          source: "gateway",
          code: "credentials-missing",
          route: "/staff",
        });
        expect(line).not.toHaveProperty("attempts");
      });

      test("who called", async () => {
        const basic = Buffer.from(`ada:${PASSWORD}`).toString("base64");
        expect(await logged(host, { target: "/staff", headers: ["authorization", `Basic ${basic}`] })).toMatchObject({
          consumer: "staff:ada",
          status: 200,
        });
      });

      test("a path that no route has, and an answer of the config's own", async () => {
        const line = await logged(host, { target: "/none" });
        expect(line).toMatchObject({ status: 404, code: "route-not-found", path: "/none" });
        expect(line).not.toHaveProperty("route");
        expect(await logged(host, { target: "/hello" })).toMatchObject({ status: 200, source: "gateway", bytesOut: 5 });
      });

      test("a failing backend is a warning", async () => {
        flow.backend.on("/open/broken", (_, response) => response.socket!.destroy());
        expect(await logged(host, { target: "/open/broken" })).toMatchObject({
          level: "warn",
          status: 502,
          code: "backend-unreachable",
          attempts: [{ wasSent: true, error: expect.stringContaining("other side closed") }],
        });
      });

      test("a hit of the cache", async () => {
        await logged(host, { target: "/cached" });
        expect(await logged(host, { target: "/cached" })).toMatchObject({
          source: "cache",
          cacheStatus: expect.stringMatching(/^frontdesk; hit; ttl=\d+$/),
        });
      });

      test("what the sample leaves out, unless it fails", async () => {
        const id = `quiet-${host}`;
        await flow.sendTo(host, { target: "/quiet", headers: ["x-request-id", id] });
        await flow.sendTo(host, { target: "/gateway/health", headers: ["x-request-id", id] });
        flow.backend.on("/quiet", ({ target }, response) => response.writeHead(target.endsWith("?fail") ? 500 : 200).end());
        expect(await logged(host, { target: "/quiet?fail" })).toMatchObject({ status: 500 });
        expect(linesAbout(host, id)).toEqual([]);
      });

      test("a parameter that the config redacts, and a token that shows by its form", async () => {
        expect(await logged(host, { target: "/invitations/abc" })).toMatchObject({
          path: "/invitations/***",
          route: "/invitations/:token",
        });
        expect(await logged(host, { target: `/open/${jwt()}/x` })).toMatchObject({ path: "/open/***/x" });
        expect(await logged(host, { target: "/open/fd%5Flive_abcdefgh12345678" })).toMatchObject({ path: "/open/***" });
      });

      test("no secret of a caller stands in any line", async () => {
        const secrets = {
          query: "planted-query",
          header: "planted-header",
          cookie: "planted-cookie",
          body: "planted-body",
          password: "planted-password",
          key: "fd_live_plantedplantedplanted",
          bearer: `${jwt()}planted`,
        };
        const requests: RawRequest[] = ["/open/x", "/private/x", "/none", "/invitations/planted-param"].flatMap((target) =>
          [
            ["authorization", `Bearer ${secrets.bearer}`],
            ["authorization", `Basic ${Buffer.from(`ada:${secrets.password}`).toString("base64")}`],
            ["x-api-key", secrets.key],
          ].map((credential) => ({
            method: "POST",
            target: `${target}?access_token=${secrets.query}`,
            headers: [...credential, "cookie", `session=${secrets.cookie}`, "x-secret", secrets.header],
            body: secrets.body,
          })),
        );
        requests.push({ target: `/open/${secrets.key}` }, { target: `/open/${secrets.bearer}` });
        for (const request of requests) await logged(host, request);
        expect(flow.host(host).output).not.toMatch(/planted|YWRhOnBsYW50ZWQ/);
      });
    });

    test("the address, without what tells one household from the next", async () => {
      const line = await logged("node", { target: "/hello", headers: ["x-forwarded-for", "2001:db8:1:2:3:4:5:6"] });
      expect(line).toMatchObject({ clientIp: "2001:db8:1::" });
      expect(await logged("node", { target: "/hello", headers: ["x-forwarded-for", "192.0.2.77"] })).toMatchObject({
        clientIp: "192.0.2.0",
      });
    });

    test("the same fields on both hosts", async () => {
      const fieldsOn = async (host: HostName) =>
        Object.keys(await logged(host, { target: "/open/fields", headers: ["host", "a.example"] })).sort();
      const node = await fieldsOn("node");
      expect((await fieldsOn("vercel")).filter((name) => name !== "clientIp")).toEqual(
        node.filter((name) => name !== "clientIp"),
      );
    });
  },
  () => ({ ADA_PASSWORD: PASSWORD, JWT_SECRET }),
);

/** Well formed, and signed by nobody that the gateway knows. */
function jwt(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ iss: "https://issuer.example", aud: "shop", sub: "planted" })}`;
  return `${signed}.${createHmac("sha256", "another secret, of 32 bytes or so").update(signed).digest("base64url")}`;
}
