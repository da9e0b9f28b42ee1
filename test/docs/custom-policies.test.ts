/** docs/custom-policies.md: its recipes run, and do what the page says. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPools } from "#lib/backends/pools.ts";
import { loadConfig } from "#lib/compiler/load-config.ts";
import { parseEnvironment } from "#lib/config/env.ts";
import type { Deps } from "#lib/contract/deps.ts";
import type { CustomPolicy } from "#lib/contract/policy.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import { gatewayOf, type TestGatewayOptions } from "../policies/gateway.ts";
import { check, requestsIn } from "../policies/request-table.ts";
import { startBackend } from "../support/backend.ts";
import { type Block, blocksOf, ROOT, readDocument } from "./documents.ts";

const page = readDocument("docs/custom-policies.md");
// Inside of the repository, so that its files find #frontdesk.
const folder = join(ROOT, ".frontdesk", "docs-custom-policies");
const blocks = blocksOf(page).filter(({ language }) => language === "ts");
const configs = blocks.filter(({ text }) => text.includes("export default defineGateway("));

beforeAll(() => {
  for (const block of blocks) {
    mkdirSync(join(folder, nameOf(block)), { recursive: true });
    writeFileSync(join(folder, nameOf(block), "gateway.config.ts"), block.text);
    const file = fileOf(block);
    if (file !== undefined) writeFileSync(join(folder, file), block.text);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function nameOf({ place }: Block): string {
  return place.replace(/\W/g, "-");
}

/** `// policies/fraud-check.ts` says what a block is called. */
function fileOf({ text }: Block): string | undefined {
  const path = /^\/\/ (\S+\.ts)\n/.exec(text)?.[1];
  return path && basename(path);
}

async function gatewayOfBlock(block: Block, options: TestGatewayOptions = {}) {
  const { value } = await loadConfig(parseEnvironment({}), { cwd: join(folder, nameOf(block)) });
  return gatewayOf(value as Record<string, unknown>, { info: () => {}, ...options });
}

async function policyOf(file: string, name: string): Promise<CustomPolicy> {
  const module = (await import(join(folder, file))) as Readonly<Record<string, CustomPolicy>>;
  return module[name]!;
}

describe.each(configs)("the config at $place", (block) => {
  const section = page.text.slice(page.text.indexOf(block.text) + block.text.length);
  const rows = requestsIn(section.slice(0, section.search(/^## /m)));

  test("has requests", () => expect(rows.length).toBeGreaterThan(2));
  test.each(rows)("%s: %s", async (request, answer) => check(await gatewayOfBlock(block), request, answer));
});

test("the audit policy writes a line for each request, refused ones included", async () => {
  const lines: unknown[] = [];
  const { send } = await gatewayOfBlock(configs[0]!, { info: (message, fields) => lines.push([message, fields]) });
  await send({ target: "/prices" });
  expect(lines).toEqual([["audit", { at: 0, requestId: expect.any(String), status: 403, durationMs: 0 }]]);
});

describe("the recipe that calls a service", () => {
  async function setUp(call: Deps["call"]) {
    const warnings: string[] = [];
    let nowMs = 0;
    let calls = 0;
    const { send } = gatewayOf(
      { routes: [{ path: "/", use: await policyOf("fraud-check.ts", "fraudCheck") }] },
      {
        now: () => nowMs,
        warn: (message) => warnings.push(message),
        call: (request) => {
          calls++;
          expect(request).toMatchObject({ timeoutMs: 500, maxBytes: 1_000, body: '{"ip":"192.0.2.1"}' });
          return call(request);
        },
      },
    );
    return {
      send: () => send({ ip: "192.0.2.1" }),
      pass: (ms: number) => {
        nowMs += ms;
      },
      calls: () => calls,
      warnings,
    };
  }
  const says =
    (text: string): Deps["call"] =>
    async () => ({ status: 200, headers: new HeaderList(), body: Buffer.from(text) });

  test("lets a trusted address in, and keeps the verdict for a minute", async () => {
    const { send, pass, calls } = await setUp(says("trusted"));
    expect((await send()).status).toBe(200);
    pass(59_999);
    expect((await send()).status).toBe(200);
    expect(calls()).toBe(1);
    pass(1);
    expect((await send()).status).toBe(200);
    expect(calls()).toBe(2);
  });

  test("refuses another, and says why in the record alone", async () => {
    const { send } = await setUp(says("stranger"));
    const { status, text, record } = await send();
    expect([status, record.code, record.reason]).toEqual([403, "not-allowed", 'the fraud service says "stranger"']);
    expect(text).not.toContain("fraud");
  });

  test.each<[string, Deps["call"]]>([
    ["gives no answer in time", () => Promise.reject(new DOMException("too late", "TimeoutError"))],
    ["fails", async () => ({ status: 500, headers: new HeaderList(), body: Buffer.from("") })],
  ])("lets nobody in while the service %s, and asks again", async (_, call) => {
    const { send, calls, warnings } = await setUp(call);
    expect((await send()).record.code).toBe("store-unavailable");
    expect((await send()).record.code).toBe("store-unavailable");
    expect(calls()).toBe(2);
    expect(warnings).toEqual(["the fraud service failed", "the fraud service failed"]);
  });
});

test("the recipe that changes a body takes the costs out of JSON, and leaves other bodies alone", async () => {
  const backend = await startBackend();
  const pools = createPools();
  const { send } = gatewayOf(
    {
      backends: { shop: backend.url },
      routes: [{ path: "/*", backend: "shop", use: await policyOf("hide-costs.ts", "hideCosts") }],
    },
    { pools },
  );
  backend.on("/json", (_, response) => response.end('{"items":[{"name":"pen","cost":1,"price":2}],"cost":1}'));
  backend.on("/text", (_, response) => response.end("cost: 1"));
  expect((await send({ target: "/json" })).text).toBe('{"items":[{"name":"pen","price":2}]}');
  expect((await backend.last()).headers.get("accept-encoding")).toBe("identity");
  expect((await send({ target: "/text" })).text).toBe("cost: 1");
  backend.close();
  await pools.close();
});

test("the test of the page passes", () => {
  const said = execFileSync(process.execPath, ["--test", join(folder, "fraud-check.test.ts")], {
    encoding: "utf8",
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: "" },
  });
  expect(said).toMatch(/pass 3/);
});
