/** Next's advice to rename middleware.ts, as the pinned version words it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { explainNextNotice } from "#lib/hosts/next-notice.ts";
import { ROOT } from "../support/host-process.ts";

test("the advice becomes one line without the codemod, and other warnings pass as they are", () => {
  const warn = vi.fn();
  const output = { warn };
  explainNextNotice(output);
  output.warn(" ⚠", "something else", 1);
  output.warn(" ⚠", adviceIn("build/index.js"));
  expect(warn.mock.calls).toEqual([
    [" ⚠", "something else", 1],
    ["Next calls middleware.ts deprecated. Leave it, and run no codemod: docs/design.md says why."],
  ]);
});

test("the development server gives the same advice", () =>
  expect(adviceIn("server/lib/router-utils/setup-dev-bundler.js")).toBe(adviceIn("build/index.js")));

/** The warning's template literals, joined. */
function adviceIn(file: string): string {
  const source = readFileSync(join(ROOT, "node_modules", "next", "dist", file), "utf8");
  const call = /warnOnce\((`[^;]*middleware-to-proxy`)\)/.exec(source)![1]!;
  expect(call).toContain("@next/codemod");
  return [...call.matchAll(/`([^`]*)`/g)].map(([, text]) => text!.replace(/_constants\d*/g, "_constants")).join("");
}
