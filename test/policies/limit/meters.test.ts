import { describe, expect, test } from "vitest";
import type { Exchange } from "#lib/contract/exchange.ts";
import { Locals } from "#lib/contract/local.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import { withUsage } from "#lib/policies/limit/ask-for-usage.ts";
import { Meters } from "#lib/policies/limit/meters.ts";

const exchange = { locals: new Locals() } as Exchange;
const OPENAI = { kind: "usage", of: "openai", reserve: 1 } as const;
const ANTHROPIC = { kind: "usage", of: "anthropic", reserve: 1 } as const;

/** What the first meter of a route reads in a body that comes in these pieces. */
function read(
  cost: ConstructorParameters<typeof Meters>[0][number],
  pieces: readonly (string | Uint8Array)[],
): number | undefined {
  const meters = new Meters([cost]);
  const own = { ...exchange, locals: new Locals() };
  const tap = meters.openBody(own);
  for (const piece of pieces) tap.chunk(Buffer.from(piece as string));
  tap.end?.();
  return meters.read(own, 0);
}

/** The same bytes, cut wherever they can be cut. */
function cuts(text: string): Uint8Array[][] {
  const bytes = Buffer.from(text);
  return Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
}

describe("OpenAI's usage", () => {
  test.each([
    ["a chat completion", '{"id":"x","usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}}', 21],
    ["without a total", '{"usage":{"prompt_tokens":9,"completion_tokens":12}}', 21],
    ["an embedding", '{"usage":{"prompt_tokens":9}}', 9],
    ["a response", '{"object":"response","usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}}', 7],
    ["none", '{"id":"x"}', undefined],
    ["null", '{"usage":null}', undefined],
    ["of another kind", '{"usage":"much"}', undefined],
    ["numbers that are none", '{"usage":{"total_tokens":-3}}', undefined],
    ["a list", '[{"usage":{"total_tokens":3}}]', undefined],
    ["what is no JSON", "usage: 7", undefined],
    ["white space before", ' \n {"usage":{"total_tokens":5}}', 5],
  ])("%s", (_, text, units) => expect(read(OPENAI, [text])).toBe(units));

  const STREAM =
    'data: {"choices":[{"delta":{"content":"é usage"}}],"usage":null}\r\n\r\n: comment\r\n\r\n' +
    'data: {"choices":[],"usage":{"total_tokens":33}}\n\ndata: [DONE]\n\n';
  test("a stream, wherever its pieces end", () => {
    for (const pieces of cuts(STREAM)) expect(read(OPENAI, pieces)).toBe(33);
    expect(
      read(
        OPENAI,
        [...Buffer.from(STREAM)].map((byte) => Uint8Array.of(byte)),
      ),
    ).toBe(33);
  });

  test("a stream of responses", () =>
    expect(
      read(OPENAI, ['event: response.completed\ndata: {"response":{"usage":{"input_tokens":1,"output_tokens":2}}}\n\n']),
    ).toBe(3));

  test("a stream that ends before it tells, or in the middle of telling", () => {
    expect(read(OPENAI, [STREAM.slice(0, 60)])).toBeUndefined();
    expect(read(OPENAI, [STREAM.slice(0, STREAM.indexOf("33"))])).toBeUndefined();
    expect(read(OPENAI, [])).toBeUndefined();
  });

  test("one event beyond the bound is not read, and the next is", () => {
    const huge = `data: {"usage":{"total_tokens":1},"x":"${"x".repeat(5_000_000)}"}\n`;
    expect(read(OPENAI, [huge, 'data: {"usage":{"total_tokens":2}}\n'])).toBe(2);
    expect(read(OPENAI, [huge])).toBeUndefined();
  });
});

describe("Anthropic's usage", () => {
  const start =
    'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":10,"cache_creation_input_tokens":4,"output_tokens":1}}}\n\n';
  const delta = (tokens: number) =>
    `event: message_delta\ndata: {"type":"message_delta","usage":{"output_tokens":${tokens}}}\n\n`;

  test("a message", () =>
    expect(
      read(ANTHROPIC, ['{"type":"message","usage":{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":7}}']),
    ).toBe(22));
  test("a stream: what is said last of each part counts", () => expect(read(ANTHROPIC, [start, delta(5), delta(20)])).toBe(34));
  test("a stream that broke off before its end", () => expect(read(ANTHROPIC, [start])).toBeUndefined());
});

test("a field of JSON, of its own properties alone", () => {
  expect(read({ kind: "json", path: ["usage", "credits"], reserve: 1 }, ['{"usage":{"credits":4}}'])).toBe(4);
  expect(read({ kind: "json", path: ["usage", "credits"], reserve: 1 }, ['{"usage":{"credits":1.5}}'])).toBeUndefined();
  expect(read({ kind: "json", path: ["toString", "length"], reserve: 1 }, ['{"length":4}'])).toBeUndefined();
});

test("a header field is read and taken off", () => {
  const meters = new Meters([{ kind: "header", header: "x-cost", reserve: 1 }]);
  for (const [value, units] of [
    ["12", 12],
    ["-1", undefined],
    ["1e3x", undefined],
  ] as const) {
    const own = { ...exchange, locals: new Locals() };
    const headers = new HeaderList(["X-Cost", value, "x-other", "1"]);
    meters.readHead(own, headers);
    expect([meters.read(own, 0), headers.pairs]).toEqual([units, ["x-other", "1"]]);
  }
});

test("limits that differ in their reserve share a meter", () => {
  const meters = new Meters([OPENAI, { ...OPENAI, reserve: 9 }, ANTHROPIC]);
  expect([meters.indexOf({ ...OPENAI, reserve: 9 }), meters.indexOf(ANTHROPIC)]).toEqual([0, 1]);
});

describe("asking for usage", () => {
  const ask = (text: string) => withUsage(Buffer.from(text)).toString();

  test.each([
    ['{"stream":true,"n":1}', '{"stream_options":{"include_usage":true},"stream":true,"n":1}'],
    [' { "stream" : true }', ' {"stream_options":{"include_usage":true}, "stream" : true }'],
    ['{"stream":true,"stream_options":{}}', '{"stream":true,"stream_options":{"include_usage":true}}'],
    [
      '{"stream":true,"stream_options":{"include_usage":false,"x":1}}',
      '{"stream":true,"stream_options":{"include_usage":true,"x":1}}',
    ],
    ['{"stream":true,"stream_options":null}', '{"stream":true,"stream_options":{"include_usage":true}}'],
  ])("%s", (given, sent) => expect(ask(given)).toBe(sent));

  test.each([
    '{"stream":true,"stream_options":{"include_usage":true}}',
    '{"stream":false}',
    '{"stream":"true"}',
    '{"prompt":"\\"stream\\":true"}',
    '["stream"]',
    '{"stream":true',
    "",
  ])("%s stays as it is", (text) => expect(ask(text)).toBe(text));
});
