/** What is taken out of a record: credentials by their form, what the config names, and the rest of long texts. */
import { expect, test } from "vitest";
import type { CompiledConfig } from "#lib/contract/compiled/config.ts";
import type { CompiledObserve } from "#lib/contract/compiled/observe.ts";
import { createRedaction } from "#lib/observe/redaction.ts";
import { recordOf } from "./record.ts";

const routes = [
  { id: "/keys/:key/*", path: "/keys/:key/*" },
  { id: "/files/:name*", path: "/files/:name*" },
] as unknown as CompiledConfig["routes"];

function redacted(record: Parameters<typeof recordOf>[0], observe: CompiledObserve = {}) {
  return createRedaction({ observe, routes })(recordOf(record));
}

test.each([
  ["/orders/7", "/orders/7"],
  ["/a/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln/b", "/a/***/b"],
  ["/a/fd_live_abcdefgh1234", "/a/***"],
  ["/a/fd%5Flive%5Fabcdefgh1234", "/a/***"],
  ["/a/sk_test_abcdefgh1234", "/a/***"],
  ["/a/ghp_abcdefghijklmnop1234", "/a/***"],
  ["/a/xoxb-12345678-abc", "/a/***"],
  ["/a/cus_abcdefgh1234", "/a/cus_abcdefgh1234"],
  ["/a/%zz_live", "/a/%zz_live"],
])("%s is logged as %s", (path, expected) => {
  expect(redacted({ path, route: undefined }).path).toBe(expected);
});

test("parameters that the config names, wherever they stand", () => {
  const observe: CompiledObserve = { redact: { params: ["key", "name"], fields: [] } };
  expect(redacted({ path: "/keys/secret/more/of/it", route: "/keys/:key/*" }, observe).path).toBe("/keys/***/more/of/it");
  expect(redacted({ path: "/files/a/b/c", route: "/files/:name*" }, observe).path).toBe("/files/***/***/***");
});

test("fields that the config names, and the form of addresses", () => {
  const observe: CompiledObserve = {
    redact: { params: [], fields: ["path", "host", "consumer", "reason"] },
    clientIp: "truncated",
  };
  expect(redacted({ consumer: "web:ada", reason: "expired", clientIp: "2001:db8:1:2::3" }, observe)).toEqual({
    path: "***",
    host: "***",
    consumer: "***",
    reason: "***",
    clientIp: "2001:db8:1::",
  });
  expect(redacted({}, { clientIp: false }).clientIp).toBeUndefined();
});

test("long texts end", () => {
  const { path, reason } = redacted({ path: `/${"a".repeat(60_000)}`, reason: "b".repeat(60_000) });
  expect([path.length, reason!.length]).toEqual([2_001, 2_001]);
});
