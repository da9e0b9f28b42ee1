/** Between the halves: whatever a client sends, nothing reaches a backend undecided, and in normal operation every plan opens. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { ADMIN_TOKEN, HOST_NAMES, ROOT } from "../../support/host-process.ts";

const BUILD_ID = readFileSync(join(ROOT, ".next-test", "BUILD_ID"), "utf8");
const FORGED_PLAN = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA";

/** Fields by which requests went round the middleware of Next, or made it answer in place of a handler. */
const TRICKS: [name: string, value: string][] = [
  ["x-gateway-plan", FORGED_PLAN],
  ["x-middleware-subrequest", "middleware:middleware:middleware:middleware:middleware"],
  ["x-middleware-subrequest", "src/middleware"],
  ["x-middleware-prefetch", "1"],
  ["x-middleware-next", "1"],
  ["x-middleware-rewrite", "http://127.0.0.1:1/"],
  ["x-middleware-override-headers", "x-gateway-plan"],
  ["x-middleware-request-x-gateway-plan", FORGED_PLAN],
  ["x-middleware-set-cookie", "a=1"],
  ["x-middleware-skip", "1"],
  ["x-middleware-invoke", "1"],
  ["x-prerender-revalidate", "0123456789abcdef0123456789abcdef"],
  ["x-nextjs-data", "1"],
  ["x-nextjs-rewritten-path", "/open/x"],
  ["x-matched-path", "/open/x"],
  ["x-invoke-path", "/open/x"],
  ["x-invoke-status", "200"],
  ["x-invoke-output", "/open/x"],
  ["rsc", "1"],
  ["next-router-prefetch", "1"],
  ["next-router-segment-prefetch", "/_tree"],
  ["next-router-state-tree", "%5B%22%22%5D"],
  ["next-action", "0123456789abcdef"],
  ["next-url", "/open/x"],
  ["purpose", "prefetch"],
  ["x-http-method-override", "GET"],
  ["x-original-url", "/open/x"],
  ["x-rewrite-url", "/open/x"],
  ["x-forwarded-proto", "https"],
  ["x-forwarded-host", "admin.example"],
  ["x-vercel-ip-country", "DE"],
];

describeHosts(import.meta.dirname, (flow) => {
  describe.each(TRICKS)("%s: %s", (name, value) => {
    test("does not open what is closed", async () => {
      for (const [method, target, status] of [
        ["GET", "/nowhere", 404],
        ["DELETE", "/read-only/a", 405],
        ["GET", "/teapot", 418],
        ["GET", "/open/a%2Fb", 400],
      ] as const) {
        const answer = await flow.send({ method, target, headers: [name, value] });
        expect(answer, `${method} ${target}`).toMatchObject({ status, received: undefined });
      }
    });

    test("does not keep what is open from the backend, nor change where it goes", async () => {
      const answer = await flow.send({ target: "/open/a?b=1", headers: [name, value] });
      expect(answer.status).toBe(200);
      expect(answer.received!.target).toBe("/open/a?b=1");
      expect(answer.received!.headers.get("x-forwarded-host")).toBe("gateway.example");
    });
  });

  describe("all of them at once", () => {
    test("on a POST with a body", async () => {
      const headers = TRICKS.filter(([name]) => name !== "next-action").flat();
      const answer = await flow.send({ method: "POST", target: "/upload", headers, body: "whole" });
      expect(answer.received!.body.toString()).toBe("whole");
    });
  });

  describe.each(HOST_NAMES)("spellings that Next reads as another path, on %s", (host) => {
    test.each([
      "/read-only/a.rsc",
      "/read-only/a.prefetch.rsc",
      "/read-only/a.segments/_tree.segment.rsc",
      `/_next/data/${BUILD_ID}/read-only/a.json`,
      `/_next/data/${BUILD_ID}/upload.json`,
      "/upload.rsc",
      "/read-only/a.json",
      "/read-only/a.txt",
      "/read-only/a.action",
    ])("DELETE %s reaches no backend", async (target) => {
      const answer = await flow.sendTo(host, { method: "DELETE", target });
      expect(answer.received).toBeUndefined();
      expect([404, 405]).toContain(answer.status);
    });

    test.each([
      "/open/a.rsc",
      "/open/a.prefetch.rsc",
      "/open/a.segments/_tree.segment.rsc",
      "/open/a.json",
      "/open/index.rsc",
      "/open/_next/data/x.json",
    ])("GET %s is a path like others", async (target) => {
      const answer = await flow.sendTo(host, target);
      expect(answer.status).toBe(200);
      expect(answer.received!.target).toBe(target);
    });

    test.each([
      `/_next/data/${BUILD_ID}/open/a.json`,
      "/_next/static/x",
      "/_next/image?url=/open/a&w=64&q=75",
      "/_next/webpack-hmr",
      "/__nextjs_original-stack-frame",
      "/_next",
      "/_error",
      "/_document",
    ])("GET %s reaches no backend", async (target) => {
      const answer = await flow.sendTo(host, target);
      expect(answer.received).toBeUndefined();
      expect(answer.status).toBeGreaterThanOrEqual(400);
    });
  });

  test("in normal operation every plan opens", async () => {
    const before = await unopenedPlans();
    const queries = [
      "",
      "?",
      "?a",
      "?a=",
      "?a=1&b=2",
      "?b=1&a=2&1=x",
      "?a[]=1&a[]=2",
      "?a=%zz",
      "?a=%2F%3F%23",
      "?a=%C3%BC",
      "?a=+%20",
      "?a=b=c",
      "?&&",
      "?nxtPpath=x",
      "?_rsc=1",
      "?a='\"<>`",
      "?x={y}|^",
    ];
    const paths = [
      "/open",
      "/open/",
      "/open/a",
      "/open/a/",
      "/open/a%20b",
      "/open/%C3%BC",
      "/open/a;b=c",
      "/open/a.b.c",
      "/open/...",
      "/open/:a/@b",
      "/open/[x]",
      "/open/a%2520",
      "/open/%7Ea",
      "/open/A",
      "/open/(a)!*'",
    ];
    const targets = [...queries.map((query) => `/open/a${query}`), ...paths, ...paths.map((path) => `${path}?a`)];
    for (const target of targets) expect((await flow.send(target)).received?.target, target).toBe(target);
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
      expect((await flow.send({ method, target: "/open/x", ...(method === "HEAD" ? {} : { body: "b" }) })).status).toBe(200);
    const credentials = [
      ["cookie", "a=1"],
      ["cookie", "a=1", "cookie", "b=2"],
      ["authorization", "Bearer x"],
      ["x-api-key", "a", "x-api-key", "b"],
      ["proxy-authorization", "Basic x"],
      ["cookie", "a=caf\xe9"],
      ["cookie", ""],
    ];
    for (const headers of credentials) expect((await flow.send({ target: "/open/x", headers })).status).toBe(200);
    for (const host of ["gateway.example:4000", "GATEWAY.example", "[::1]:4000", "a_b.example"])
      expect((await flow.send({ target: "/open/x", headers: ["Host", host] })).status).toBe(200);
    expect(await unopenedPlans()).toBe(before);
  });

  test("a path that Next reads as another one is decided again, and that is told", async () => {
    const before = await unopenedPlans();
    expect((await flow.sendTo("vercel", "/open/a.rsc")).received!.target).toBe("/open/a.rsc");
    expect(await unopenedPlans()).toBe(before + 1);
  });

  async function unopenedPlans(): Promise<number> {
    const health = await flow.sendTo("vercel", {
      target: "/gateway/health",
      headers: ["authorization", `Bearer ${ADMIN_TOKEN}`],
    });
    return JSON.parse(health.text).unopenedPlans;
  }
});
