/** W3C Trace Context: which traces go on, and with which state. */
import { describe, expect, test } from "vitest";
import { continueTrace } from "#lib/http/trace-context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const stateOf = (tracestate: string) => continueTrace(PARENT, tracestate)?.tracestate;

describe("traceparent", () => {
  test.each([
    [PARENT, "01"],
    [`  ${PARENT}\t`, "01"],
    [`cc-${TRACE}-b7ad6b7169203331-01`, "01"],
    [`cc-${TRACE}-b7ad6b7169203331-01-what-the-future-will-be-like`, "01"],
    [`00-${TRACE}-b7ad6b7169203331-00`, "00"],
    [`00-${TRACE}-b7ad6b7169203331-ff`, "03"],
  ])("%j goes on", (given, flags) => {
    expect(continueTrace(given, undefined)).toEqual({ traceId: TRACE, flags, tracestate: undefined });
  });

  test.each([`${PARENT}, ${PARENT}`, `${PARENT}-`, `${PARENT}.`, `${PARENT}1`, `00-${TRACE}-b7ad6b7169203331-0x`, ""])(
    "%j does not",
    (given) => {
      expect(continueTrace(given, "a=1")).toBeUndefined();
    },
  );
});

describe("tracestate", () => {
  test.each([
    ["foo=1", "foo=1"],
    ["foo=1 , \t bar=2,,", "foo=1,bar=2"],
    ["foo=1,foo=2", "foo=1,foo=2"],
    ["0tenant@sys=a b=", undefined],
    ["0tenant@sys=a b", "0tenant@sys=a b"],
    [`a${"b".repeat(255)}=1`, `a${"b".repeat(255)}=1`],
    [`a${"b".repeat(256)}=1`, undefined],
    [`a=${"v".repeat(256)}`, `a=${"v".repeat(256)}`],
    [`a=${"v".repeat(257)}`, undefined],
    [`${"t".repeat(241)}@${"s".repeat(14)}=1`, `${"t".repeat(241)}@${"s".repeat(14)}=1`],
    [`t@${"s".repeat(15)}=1`, undefined],
    ["", undefined],
    ["FOO=1", undefined],
    ["foo.bar=1", undefined],
    ["foo@=1", undefined],
    ["foo =1", undefined],
    ["foo", undefined],
    ["foo=\x01", undefined],
  ])("%j becomes %j", (given, expected) => {
    expect(stateOf(given)).toBe(expected);
  });

  test("has at most 32 members", () => {
    const members = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=1`).join(",");
    expect(stateOf(members(32))).toBe(members(32));
    expect(stateOf(members(33))).toBeUndefined();
  });
});
