/**
 * W3C Trace Context on both hosts, case by case as its own test suite has them (https://github.com/w3c/trace-context, test/test.py), with the
 * outcomes that the recommendation asks for.
 */
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";

const TRACE = "12345678901234567890123456789012";
const PARENT = "1234567890123456";
const valid = `00-${TRACE}-${PARENT}-00`;

type Fields = readonly (readonly [name: string, value: string])[];
interface Case {
  readonly name: string;
  readonly fields: Fields;
  /** Whether the trace goes on. */
  readonly goesOn: boolean;
  /** Undefined: none is sent. */
  readonly state?: string;
}

const parents = (name: string, goesOn: boolean, ...values: readonly string[]): Case[] =>
  values.map((value) => ({ name: `${name}: ${value}`, fields: [["traceparent", value]], goesOn }));
const states = (name: string, expected: string | undefined, ...values: readonly string[]): Case => ({
  name,
  fields: [["traceparent", valid], ...values.map((value): [string, string] => ["tracestate", value])],
  goesOn: true,
  ...(expected !== undefined && { state: expected }),
});
const members = (count: number) => Array.from({ length: count }, (_, i) => `bar${String(i).padStart(2, "0")}=${i}`).join(",");

const CASES: readonly Case[] = [
  { name: "both traceparent and tracestate missing", fields: [], goesOn: false },
  ...parents("traceparent included, tracestate missing", true, valid),
  {
    name: "traceparent duplicated",
    fields: [
      ["traceparent", valid],
      ["traceparent", valid.replace("0123", "4567")],
    ],
    goesOn: false,
  },
  { name: "traceparent header name: trace-parent", fields: [["trace-parent", valid]], goesOn: false },
  { name: "traceparent header name: trace.parent", fields: [["trace.parent", valid]], goesOn: false },
  ...["TraceParent", "TrAcEpArEnT", "TRACEPARENT"].map(
    (name): Case => ({ name: `casing: ${name}`, fields: [[name, valid]], goesOn: true }),
  ),
  ...parents("traceparent version 0x00", false, `${valid}.`, `${valid}-what-the-future-will-be-like`),
  ...parents(
    "traceparent version 0xcc",
    true,
    `cc-${TRACE}-${PARENT}-01`,
    `cc-${TRACE}-${PARENT}-01-what-the-future-will-be-like`,
  ),
  ...parents("traceparent version 0xcc", false, `cc-${TRACE}-${PARENT}-01.what-the-future-will-not-be-like`),
  ...parents("traceparent version 0xff", false, `ff-${TRACE}-${PARENT}-01`),
  ...parents("traceparent version illegal characters", false, `.0-${TRACE}-${PARENT}-01`, `0.-${TRACE}-${PARENT}-01`),
  ...parents("traceparent version too long", false, `000-${TRACE}-${PARENT}-01`, `0000-${TRACE}-${PARENT}-01`),
  ...parents("traceparent version too short", false, `0-${TRACE}-${PARENT}-01`),
  ...parents("traceparent trace id all zero", false, `00-${"0".repeat(32)}-${PARENT}-01`),
  ...parents(
    "traceparent trace id illegal characters",
    false,
    `00-.${TRACE.slice(1)}-${PARENT}-01`,
    `00-${TRACE.slice(1)}.-${PARENT}-01`,
  ),
  ...parents("traceparent trace id too long", false, `00-${TRACE}3-${PARENT}-01`),
  ...parents("traceparent trace id too short", false, `00-${TRACE.slice(1)}-${PARENT}-01`),
  ...parents("traceparent parent id all zero", false, `00-${TRACE}-${"0".repeat(16)}-01`),
  ...parents(
    "traceparent parent id illegal characters",
    false,
    `00-${TRACE}-.${PARENT.slice(1)}-01`,
    `00-${TRACE}-${PARENT.slice(1)}.-01`,
  ),
  ...parents("traceparent parent id too long", false, `00-${TRACE}-${PARENT}7-01`),
  ...parents("traceparent parent id too short", false, `00-${TRACE}-${PARENT.slice(1)}-01`),
  ...parents("traceparent trace flags illegal characters", false, `00-${TRACE}-${PARENT}-.0`, `00-${TRACE}-${PARENT}-0.`),
  ...parents("traceparent trace flags too long", false, `00-${TRACE}-${PARENT}-001`),
  ...parents("traceparent trace flags too short", false, `00-${TRACE}-${PARENT}-1`),
  ...parents("traceparent OWS handling", true, ` ${valid}`, `\t${valid}`, `${valid} `, `${valid}\t`, `\t ${valid} \t`),
  { name: "tracestate included, traceparent missing", fields: [["tracestate", "foo=1"]], goesOn: false },
  {
    name: "tracestate included, traceparent broken",
    fields: [
      ["traceparent", `${valid}.`],
      ["tracestate", "foo=1"],
    ],
    goesOn: false,
  },
  states("tracestate included, traceparent included", "foo=1,bar=2", "foo=1,bar=2"),
  {
    name: "tracestate header name: trace-state",
    fields: [
      ["traceparent", valid],
      ["trace-state", "foo=1"],
    ],
    goesOn: true,
  },
  ...["TraceState", "TrAcEsTaTe", "TRACESTATE"].map(
    (name): Case => ({
      name: `casing: ${name}`,
      fields: [
        ["traceparent", valid],
        [name, "foo=1"],
      ],
      goesOn: true,
      state: "foo=1",
    }),
  ),
  states("tracestate empty header: alone", undefined, ""),
  states("tracestate empty header: before", "foo=1", "", "foo=1"),
  states("tracestate empty header: behind", "foo=1", "foo=1", ""),
  states(
    "tracestate multiple headers, different keys",
    "foo=1,bar=2,rojo=1,congo=2,baz=3",
    "foo=1,bar=2",
    "rojo=1,congo=2",
    "baz=3",
  ),
  states("tracestate duplicated keys", "foo=1,foo=1", "foo=1,foo=1"),
  states(
    "tracestate all allowed characters",
    `${"abcdefghijklmnopqrstuvwxyz0123456789_-*/"}=a b!"#~`,
    `${"abcdefghijklmnopqrstuvwxyz0123456789_-*/"}=a b!"#~`,
  ),
  states("tracestate OWS handling", "foo=1,bar=2,baz=3", "foo=1 \t , \t bar=2, \t baz=3"),
  states("tracestate OWS handling: around", "foo=1", " foo=1\t"),
  ...["foo =1", "FOO=1", "foo.bar=1"].map((value) => states(`tracestate key illegal characters: ${value}`, undefined, value)),
  ...["foo@=1,bar=2", "@foo=1,bar=2", "foo@@bar=1,bar=2", "foo@bar@baz=1,bar=2"].map((value) =>
    states(`tracestate key illegal vendor format: ${value}`, undefined, value),
  ),
  states("tracestate member count limit: 32", members(32), members(32)),
  states("tracestate member count limit: 33", undefined, members(33)),
  states("tracestate key length limit: 256", `${"z".repeat(256)}=1`, `${"z".repeat(256)}=1`),
  states("tracestate key length limit: 257", undefined, `${"z".repeat(257)}=1`),
  states(
    "tracestate key length limit: tenant of 241, vendor of 14",
    `${"t".repeat(241)}@${"v".repeat(14)}=1`,
    `${"t".repeat(241)}@${"v".repeat(14)}=1`,
  ),
  states("tracestate key length limit: tenant of 242", undefined, `${"t".repeat(242)}@v=1`),
  states("tracestate key length limit: vendor of 15", undefined, `t@${"v".repeat(15)}=1`),
  ...["foo=bar=baz", "foo=,bar=3"].map((value) => states(`tracestate value illegal characters: ${value}`, undefined, value)),
];

describeHosts(import.meta.dirname, (flow) => {
  test.each(CASES)("$name", async ({ fields, goesOn, state }) => {
    const { received } = await flow.send({ target: "/", headers: ["Host", "a.example", ...fields.flat()] });
    const [parent, ...more] = received!.headers.all("traceparent");
    expect(more).toEqual([]);
    const [, traceId, parentId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[0-3])$/.exec(parent!) ?? [];
    expect(flags, parent).toBeDefined();
    expect(traceId === TRACE).toBe(goesOn);
    expect(parentId).not.toBe(PARENT);
    expect(received!.headers.all("tracestate")).toEqual(state === undefined ? [] : [state]);
  });

  describe("several requests of one caller", () => {
    test.each<[string, Fields, boolean]>([
      ["with a traceparent", [["traceparent", valid]], true],
      ["without", [], false],
      ["with a broken one", [["traceparent", "foobar"]], false],
    ])("%s", async (_, fields, goesOn) => {
      const seen: string[] = [];
      for (let i = 0; i < 3; i++) {
        const { received } = await flow.sendTo("node", { target: "/", headers: ["Host", "a.example", ...fields.flat()] });
        seen.push(received!.headers.get("traceparent")!);
      }
      expect(new Set(seen.map((one) => one.slice(3, 35))).size).toBe(goesOn ? 1 : 3);
      expect(new Set(seen.map((one) => one.slice(36, 52))).size).toBe(3);
    });
  });
});
