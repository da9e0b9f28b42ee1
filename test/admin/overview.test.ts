/** What the page at /gateway and the admin API say of a gateway. */
import { expect, test } from "vitest";
import { describeRoutes } from "../../lib/admin/overview.ts";
import { compileConfig } from "../../lib/compiler/compile.ts";

test("where requests go, who gets copies of them, and who is asked when that fails", () => {
  const value = {
    backends: { eu: "https://eu.example", us: "https://us.example", spare: "https://spare.example" },
    defaults: { auth: "none" },
    routes: [
      { path: "/a", backend: "eu", mirror: "us", fallback: { backend: "spare" } },
      { path: "/b", backend: "us" },
      { path: "/c", respond: { body: "hi" } },
    ],
  };
  const { config } = compileConfig({ value, origin: "test", locate: () => undefined }, { vercel: false });
  expect(describeRoutes({ config }).map(({ goesTo, mirrorsTo, fallsBackTo }) => [goesTo, mirrorsTo, fallsBackTo])).toEqual([
    ["eu", "us", "spare"],
    ["us", undefined, undefined],
    ["respond", undefined, undefined],
  ]);
});
