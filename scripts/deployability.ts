/**
 * Builds what `vercel deploy` would upload and drives the built functions in middleware-then-handler order. It proves that the
 * deployable form works, and claims nothing about Vercel's own router or CDN.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBackend } from "../test/support/backend.ts";
import { ADMIN_TOKEN, run } from "../test/support/host-process.ts";
import { RawConnection, requestBytes, sendRaw } from "../test/support/raw-client.ts";
import { until } from "../test/support/until.ts";
import { startLocalEdge } from "./deployability/local-edge.ts";
import { readJson, vercelBuild } from "./deployability/vercel-build.ts";

const ROOT = join(import.meta.dirname, "..");
const MIDDLEWARE = "_middleware.func";
const HANDLER = "[[...path]].func";

const folder = mkdtempSync(join(tmpdir(), "frontdesk-deployability-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

console.log("vercel build, offline");
const output = vercelBuild(ROOT, folder, { GATEWAY_CONFIG_FILE: join("scripts", "deployability", "gateway.config.json") });
// Away from the repository: a function must not find anything in it.
const functions = join(folder, "functions");
for (const name of [MIDDLEWARE, HANDLER])
  cpSync(join(output, "functions", name), join(functions, name), { recursive: true, dereference: true });

const backend = await startBackend();
/** Another config, by the way that only test builds may read one. */
const otherConfig = join(folder, "other.json");
writeFileSync(
  otherConfig,
  JSON.stringify({ digest: "x", maxBodyBytes: 1, backends: [], routes: [], unrouted: [], customPolicies: [] }),
);
const env = {
  BACKEND_URL: backend.url,
  GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN,
  VERCEL: "1",
  GATEWAY_TEST_BUILD: "1",
  GATEWAY_TEST_COMPILED: otherConfig,
};
const [middlewarePort, handlerPort] = await Promise.all([startFunction(MIDDLEWARE), startFunction(HANDLER)]);
const edge = await startLocalEdge({ middlewarePort, handlerPort });
const send = (request: Parameters<typeof sendRaw>[1]) => sendRaw(edge.port, request);

const checks: [what: string, check: () => unknown][] = [
  [
    "both functions run on Node 24, the handler for as long as vercel.json says",
    () => {
      const settings = readJson<{ functions: Record<string, { maxDuration: number }> }>(join(ROOT, "vercel.json"));
      const handler = readJson<Record<string, unknown>>(join(functions, HANDLER, ".vc-config.json"));
      const middleware = readJson<Record<string, unknown>>(join(functions, MIDDLEWARE, ".vc-config.json"));
      assert.equal(handler["runtime"], "nodejs24.x");
      assert.equal(middleware["runtime"], "nodejs24.x");
      assert.equal(handler["supportsResponseStreaming"], true);
      assert.equal(handler["maxDuration"], settings.functions["app/[[...path]]/route.ts"]?.maxDuration);
    },
  ],
  [
    "vercel.json names Next, the build command and nothing that a function would not have",
    () => {
      const settings = readJson<Record<string, unknown>>(join(ROOT, "vercel.json"));
      assert.equal(settings["framework"], "nextjs");
      assert.equal(settings["buildCommand"], "npm run build");
      assert.equal(settings["skipMiddlewareRequestBody"], true);
    },
  ],
  [
    "the middleware is asked for every path",
    () => {
      const { routes } = readJson<{ routes: { middlewarePath?: string; src?: string }[] }>(join(output, "config.json"));
      const route = routes.find(({ middlewarePath }) => middlewarePath === "/_middleware");
      for (const path of ["/", "/api/x", "/a/b/c.json", "/_next/data/x/api.json", "/api/x.rsc"])
        assert.match(path, new RegExp(route!.src!));
    },
  ],
  [
    "a request is decided in the middleware and forwarded by the handler",
    async () => {
      const answer = await send({ target: "/api/a%2Bb?x=1&y=%20" });
      assert.equal(answer.status, 200);
      assert.equal(backend.requests.at(-1)!.target, "/a%2Bb?x=1&y=%20");
    },
  ],
  [
    "its plan was sealed in the one and opened in the other, by the key that was drawn for this build",
    async () => {
      assert.match(edge.plans.at(-1)!, /^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/);
      assert.equal(await unopenedPlans(), 0);
    },
  ],
  [
    "the same plan does not open for another path",
    async () => {
      const before = await unopenedPlans();
      await send({ target: "/api/other", headers: ["x-test-bypass", "1", "x-gateway-plan", edge.plans[0]!] });
      assert.equal(await unopenedPlans(), before + 1);
    },
  ],
  [
    "a forged plan does not count: the handler decides again, and says so",
    async () => {
      const answer = await send({ target: "/api/x", headers: ["x-test-bypass", "1", "x-gateway-plan", "forged"] });
      assert.equal(answer.status, 200);
      assert.equal(backend.requests.at(-1)!.headers.has("x-gateway-plan"), false);
      assert.equal(await unopenedPlans(), 2);
    },
  ],
  [
    "whoever gets round the middleware is refused all the same",
    async () => {
      const before = backend.requests.length;
      assert.equal((await send({ target: "/nowhere", headers: ["x-test-bypass", "1"] })).status, 404);
      assert.equal((await send({ method: "DELETE", target: "/api/x", headers: ["x-test-bypass", "1"] })).status, 405);
      assert.equal(backend.requests.length, before);
    },
  ],
  [
    "a refusal is a problem",
    async () => {
      const answer = await send({ target: "/nowhere" });
      assert.equal(answer.status, 404);
      assert.equal(answer.headers.get("content-type"), "application/problem+json");
      assert.equal(JSON.parse(answer.body.toString()).code, "route-not-found");
    },
  ],
  [
    "a backend that is away is a problem",
    async () => {
      backend.on("/reset", (_, response) => response.socket!.destroy());
      assert.equal((await send({ target: "/api/reset" })).headers.get("x-gateway-error"), "backend-unreachable");
    },
  ],
  [
    "an answer of the gateway's own",
    async () => assert.equal((await send({ target: "/hello?name=you" })).body.toString(), '{"hello":"you"}'),
  ],
  [
    "an event stream passes event by event",
    async () => {
      let finish = () => {};
      backend.on("/events", (_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" }).write("data: first\n\n");
        finish = () => response.end("data: last\n\n");
      });
      const connection = await RawConnection.open(edge.port);
      connection.write(requestBytes({ target: "/api/events" }));
      await connection.readHead();
      // The backend has not ended: this can only come where nothing waits for the end.
      await connection.readUntil("data: first");
      finish();
      await connection.readUntil("data: last");
      connection.close();
    },
  ],
  [
    "an upload arrives whole",
    async () => {
      const body = randomBytes(4_000_000);
      const answer = await send({ method: "POST", target: "/api/upload", body });
      assert.equal(answer.status, 200);
      assert.equal(sha256(backend.requests.at(-1)!.body), sha256(body));
    },
  ],
  [
    "the caller is who the platform says",
    async () => {
      await send({ target: "/api/x", headers: ["x-real-ip", "203.0.113.9", "x-forwarded-for", "6.6.6.6"] });
      const { headers } = backend.requests.at(-1)!;
      assert.equal(headers.get("x-forwarded-for"), "203.0.113.9");
      assert.equal(headers.get("x-forwarded-proto"), "https");
    },
  ],
  [
    "an ordinary build can't be told to read another config at start",
    () => {
      // The variables are set for both functions; that everything above was served shows that they do nothing.
      for (const text of textsBelow(functions)) assert.equal(text.includes("GATEWAY_TEST_COMPILED"), false);
    },
  ],
  [
    "no value of a variable stands in the build, and the key of the plans in nothing public",
    () => {
      const launcher = readFileSync(join(functions, HANDLER, "___next_launcher.cjs"), "utf8");
      const key = /"FRONTDESK_BUILD_KEY":"([^"]+)"/.exec(launcher)![1]!;
      assert.equal(
        textsBelow(join(output, "static")).some((text) => text.includes(key)),
        false,
      );
      assert.equal(
        textsBelow(functions).some((text) => text.includes(backend.url)),
        false,
      );
    },
  ],
];

let failed = 0;
for (const [what, check] of checks) {
  try {
    await check();
    console.log(`  ok    ${what}`);
  } catch (error) {
    failed++;
    console.log(`  FAIL  ${what}\n${error instanceof Error ? error.stack : error}`);
  }
}
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function startFunction(name: string): Promise<number> {
  const { child, output: printed } = run(
    [join(ROOT, "scripts", "deployability", "function-server.ts"), join(functions, name)],
    folder,
    env,
  );
  return Number(
    await until(() => {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${printed.join("")}`);
      return /function on port (\d+)/.exec(printed.join(""))?.[1];
    }, `${name} to listen`),
  );
}

async function unopenedPlans(): Promise<number> {
  const answer = await send({ target: "/gateway/health", headers: ["authorization", `Bearer ${ADMIN_TOKEN}`] });
  return (JSON.parse(answer.body.toString()) as { unopenedPlans: number }).unopenedPlans;
}

function textsBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [readFileSync(path, "latin1")];
  return readdirSync(path).flatMap((name) => textsBelow(join(path, name)));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
