/** docs/cache.md can fail: its tables are played row by row, each on a gateway of the config above it, in front of a real backend. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { createPools } from "#lib/backends/pools.ts";
import { cacheSchema } from "#lib/policies/cache/options.ts";
import { readDocument, rowsOf } from "../docs/documents.ts";
import { gatewayOf, type Received, type TestGateway } from "../policies/gateway.ts";
import { type Backend, startBackend } from "../support/backend.ts";

const { text } = readDocument("docs/cache.md");
const sections = text
  .split(/^## /m)
  .slice(1)
  .flatMap((section) => {
    const config = /```yaml\n([\s\S]*?)```/.exec(section)?.[1];
    return config === undefined ? [] : [{ title: section.split("\n")[0]!, config, rows: rowsOf(section.split("```")[2]!) }];
  });

/** What the backend says to the next request. */
let says: string;
let asked = 0;
let nowMs = 0;
let backend: Backend;
const pools = createPools();
const deferred: Promise<unknown>[] = [];

beforeAll(async () => {
  backend = await startBackend();
  backend.on = () => backend;
});
afterAll(async () => {
  backend.close();
  await pools.close();
});

/** Any path: the fields of the row, its own target, and a little text. */
function speak(path: string): void {
  Object.getPrototypeOf(backend).on.call(backend, path, (received: { target: string; method: string }, response: never) => {
    asked += 1;
    const answer = response as import("node:http").ServerResponse;
    if (says === "is down") {
      answer.destroy();
      return;
    }
    const status = Number(/^\d{3}/.exec(says)?.[0] ?? 200);
    answer.writeHead(status, {
      date: new Date(nowMs).toUTCString(),
      "x-target": received.target,
      ...Object.fromEntries(fieldsIn(says)),
    });
    answer.end(status === 304 || received.method === "HEAD" ? undefined : "answered");
  });
}

function fieldsIn(cell: string): [name: string, value: string][] {
  return [...cell.matchAll(/`([a-z-]+): ([^`]*)`/g)].map(([, name = "", value = ""]) => [name, value]);
}

async function play(gateway: TestGateway, [request = "", backendSays = "", expected = ""]: string[]): Promise<void> {
  const [, kind, name] = /^purge (tag|path|prefix) `(.*)`$/.exec(request) ?? [];
  if (kind !== undefined) {
    const purged = await gateway.gateway.purge({ [kind]: name } as never);
    expect(purged).toEqual({ state: "ok", value: Number(expected) });
    return;
  }
  nowMs += Number(/after (\d+)s/.exec(request)?.[1] ?? 0) * 1000;
  says = backendSays;
  const [, method = "", target = ""] = /^`([A-Z]+) (\S+)`/.exec(request)!;
  const as = /as `(\w+)`/.exec(request)?.[1];
  speak(target.split("?")[0]!);
  const before = asked;
  const answer = await gateway.send({
    method,
    target,
    headers: { ...Object.fromEntries(fieldsIn(request)), ...(as && { "x-as": as }) },
  });
  check(answer, expected);
  // A dash beside a miss is a backend that has nothing to say of caching.
  if (backendSays === "–" && /hit|^304|^206/.test(expected)) expect(asked).toBe(before);
  await Promise.all(deferred.splice(0));
}

function check(answer: Received, expected: string): void {
  const [wanted = "", absent = ""] = expected.split(" without ");
  expect(answer.status).toBe(Number(/^\d{3}/.exec(wanted)?.[0] ?? 200));
  expect(answer.record.code).toBe(/^\d{3} `([a-z-]+)`/.exec(wanted)?.[1]);
  for (const [name, value] of fieldsIn(wanted)) expect(answer.headers.all(name)).toContain(value);
  for (const [, name = "", value] of absent.matchAll(/`([a-z-]+)(?:: ([^`]*))?`/g)) {
    if (value === undefined) expect(answer.headers.has(name)).toBe(false);
    else expect(answer.headers.all(name)).not.toContain(value);
  }
}

describe("docs/cache.md", () => {
  test("has an example for each option", () => {
    const [, , full] = cacheSchema.setting.options;
    const shown = sections.map(({ config }) => config).join("\n");
    for (const option of Object.keys(full.shape)) expect(shown).toContain(`${option}:`);
  });

  test.each(sections)("$title", async ({ config, rows }) => {
    expect(rows.length).toBeGreaterThan(2);
    nowMs = Date.UTC(2030, 0, 1);
    // Stands in for authenticators: who calls is what the row says.
    const identify = {
      name: "identify",
      cacheable: true,
      create: () => ({
        decide(exchange: { request: { headers: { get(name: string): string | undefined } }; consumer: unknown }) {
          const id = exchange.request.headers.get("x-as");
          if (id !== undefined) exchange.consumer = { id: `test:${id}`, authenticator: "test" };
        },
      }),
    };
    const value = parse(config) as { defaults: object };
    const named = config.includes("perConsumer") ? { use: identify } : {};
    const gateway = gatewayOf(
      { ...value, defaults: { ...value.defaults, ...named } },
      { pools, now: () => nowMs, defer: (work) => deferred.push(work), variables: { BACKEND_URL: backend.url } },
    );
    for (const row of rows) {
      try {
        await play(gateway, row);
      } catch (error) {
        throw new Error(`| ${row.join(" | ")} |`, { cause: error });
      }
    }
  });
});
