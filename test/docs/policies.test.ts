/** docs/policies.md: its custom policies run, and do what the page says. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "#lib/compiler/load-config.ts";
import { parseEnvironment } from "#lib/config/env.ts";
import type { Log } from "#lib/contract/deps.ts";
import { gatewayOf } from "../policies/gateway.ts";
import { check, requestsIn } from "../policies/request-table.ts";
import { blocksOf, ROOT, readDocument } from "./documents.ts";

const page = readDocument("docs/policies.md");
const rows = requestsIn(page.text);

async function pageGateway(info: Log["info"] = () => {}) {
  // Inside of the repository, so that it finds #frontdesk.
  const folder = join(ROOT, ".frontdesk", "docs-policies");
  mkdirSync(folder, { recursive: true });
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [block] = blocksOf(page).filter(({ language }) => language === "ts");
  writeFileSync(join(folder, "gateway.config.ts"), block!.text);
  const { value } = await loadConfig(parseEnvironment({}), { cwd: folder });
  return gatewayOf(value as Record<string, unknown>, { info });
}

test("the page has requests", () => expect(rows.length).toBeGreaterThan(2));

test.each(rows)("%s: %s", async (request, answer) => check(await pageGateway(), request, answer));

test("the audit policy writes a line for each request, refused ones included", async () => {
  const lines: unknown[] = [];
  const { send } = await pageGateway((message, fields) => lines.push([message, fields]));
  await send({ target: "/prices" });
  expect(lines).toEqual([["audit", { at: 0, requestId: expect.any(String), status: 403, durationMs: 0 }]]);
});
