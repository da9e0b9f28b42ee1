/** The engine's own endpoints under /gateway: little for everybody, the rest for the bearer of the admin token, nothing of it for a backend. */
import { describe, expect, test } from "vitest";
import { PROBLEMS } from "#lib/contract/problem.ts";
import { configIn, describeHosts } from "../../support/describe-hosts.ts";
import { ADMIN_TOKEN, HOST_NAMES, type HostName, startHost } from "../../support/host-process.ts";
import { sendRaw } from "../../support/raw-client.ts";

const bearer = ["authorization", `Bearer ${ADMIN_TOKEN}`];

describeHosts(import.meta.dirname, (flow) => {
  test("health tells everybody that it is well, and nothing else", async () => {
    const answer = await flow.send("/gateway/health");
    expect(answer).toMatchObject({ status: 200, received: undefined });
    expect(JSON.parse(answer.text)).toEqual({ status: "ok" });
  });

  test.each(HOST_NAMES)("health tells the operator more (%s)", async (name) => {
    const health = JSON.parse((await flow.sendTo(name, { target: "/gateway/health", headers: bearer })).text);
    expect(health).toMatchObject({ status: "ok", host: name, unopenedPlans: 0 });
    expect(health.digest).toMatch(/^[\w-]{43}$/);
  });

  test("every problem has a page, and they are listed", async () => {
    const index = await flow.send("/gateway/problems");
    for (const [code, { title }] of Object.entries(PROBLEMS)) {
      expect(index.text).toContain(`/gateway/problems/${code}`);
      const page = await flow.send(`/gateway/problems/${code}`);
      expect(page.status).toBe(200);
      expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(page.text).toContain(title);
    }
    expect((await flow.send({ target: "/gateway/problems/none", headers: bearer })).status).toBe(404);
  });

  test("a problem's `type` leads to its page", async () => {
    const { type } = JSON.parse((await flow.send("/x%2Fy")).text);
    expect((await flow.send(type)).text).toContain("bad-request");
  });

  describe.each(["/gateway", "/gateway/", "/gateway/api/overview"])("%s", (target) => {
    test("is not shown without the token", async () => {
      const answer = await flow.send(target);
      expect(answer).toMatchObject({ status: 401, received: undefined });
      expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    });

    test("is not shown for a wrong token", async () => {
      for (const authorization of [`Bearer ${ADMIN_TOKEN}x`, "Bearer", "Bearer ", "Basic !!!", `Token ${ADMIN_TOKEN}`]) {
        expect((await flow.send({ target, headers: ["authorization", authorization] })).status).toBe(401);
      }
    });
  });

  // Next itself answers TRACE where it stands in front (test/fuzz/platform-limits.ts).
  test.each([...["POST", "OPTIONS", "DELETE"].map((method) => [method, ...HOST_NAMES]), ["TRACE", "node" as const]])(
    "pages are read only: %s",
    async (method, ...hosts) => {
      for (const host of hosts as HostName[]) {
        for (const target of ["/gateway", "/gateway/_next/static/x.js"]) {
          const { status, headers, text } = await flow.sendTo(host, { method, target, headers: bearer });
          expect({ status, allow: headers.get("allow"), code: JSON.parse(text).code }).toEqual({
            status: 405,
            allow: "GET, HEAD",
            code: "method-not-allowed",
          });
        }
      }
    },
  );

  test.each(HOST_NAMES)("the overview is shown to the operator, by Bearer or as the password of Basic (%s)", async (name) => {
    const basic = ["authorization", `Basic ${Buffer.from(`me:${ADMIN_TOKEN}`).toString("base64")}`];
    for (const headers of [bearer, basic]) {
      const overview = JSON.parse((await flow.sendTo(name, { target: "/gateway/api/overview", headers })).text);
      expect(overview).toMatchObject({
        host: name,
        backends: [{ name: "shop", targets: [{ url: flow.backend.url, state: "unwatched", inFlight: 0 }] }],
        routes: [{ path: "/*", goesTo: "shop" }],
      });
      expect(JSON.stringify(overview)).not.toContain(ADMIN_TOKEN);
    }
  });

  test("nothing below /gateway goes to a backend, however it is spelled, although a route would match", async () => {
    for (const target of [
      "/gateway/x",
      "/%67ateway/x",
      "/gateway/x%20y",
      "/gateway/health/",
      "/gateway/api",
      "/gateway/problems/",
    ]) {
      const answer = await flow.send(target);
      expect(answer.received, target).toBeUndefined();
      expect([401, 404], target).toContain(answer.status);
    }
    expect((await flow.send({ method: "POST", target: "/gateway/health" })).status).toBe(405);
    expect((await flow.send("/gateways")).status).toBe(200);
  });
});

describe.each(HOST_NAMES)("without an admin token, on %s", (name) => {
  test("what is the operator's does not exist", async () => {
    const host = await startHost(name, {
      config: configIn(import.meta.dirname),
      env: { BACKEND_URL: "http://127.0.0.1:1", GATEWAY_ADMIN_TOKEN: "" },
    });
    try {
      for (const target of ["/gateway", "/gateway/api/overview"]) {
        expect((await sendRaw(host.port, { target })).status).toBe(404);
        // Nor for a page that reaches this machine under a name of its own.
        expect((await sendRaw(host.port, { target, headers: ["Host", `127.0.0.1:${host.port}`] })).status).toBe(404);
        expect((await sendRaw(host.port, { target, headers: bearer })).status).toBe(404);
      }
      expect((await sendRaw(host.port, { target: "/gateway/health" })).status).toBe(200);
      expect((await sendRaw(host.port, { target: "/gateway/problems" })).status).toBe(200);
    } finally {
      await host.stop();
    }
  });
});
