/** The comparator finds what differs, and each allowed difference is erased where it is one and nowhere else. */
import { describe, expect, test } from "vitest";
import { HeaderList } from "#lib/http/header-list.ts";
import { ALLOWED_DIFFERENCES } from "../support/allowed-differences.ts";
import { compareHosts, type Observed } from "../support/comparator.ts";

function observed({
  status = 200,
  headers = [] as string[],
  body = "x",
  isWhole = true,
  seen = [] as string[],
  target = "/a",
  sent = "",
} = {}): Observed {
  const received = {
    method: "GET",
    target,
    headers: new HeaderList(seen),
    body: Buffer.from(sent),
    state: "whole" as const,
    hungUp: false,
  };
  return {
    answer: { status, statusText: "OK", headers: new HeaderList(headers), body: Buffer.from(body), isWhole },
    received: [received],
  };
}

describe("the comparator", () => {
  test("finds nothing between equals, whatever the spelling and order of names", () => {
    expect(compareHosts(observed({ headers: ["A", "1", "b", "2"] }), observed({ headers: ["B", "2", "a", "1"] }))).toEqual([]);
  });

  test.each<[string, Parameters<typeof observed>[0]]>([
    ["status", { status: 201 }],
    ["a field", { headers: ["x", "1"] }],
    ["a cookie", { headers: ["set-cookie", "a=1"] }],
    ["the body", { body: "y" }],
    ["a large body", { body: "y".repeat(200_000) }],
    ["an answer cut short", { isWhole: false }],
    ["what the backend was asked", { target: "/b" }],
    ["what the backend was told", { seen: ["x-gateway-consumer", "root"] }],
    ["what the backend was sent", { sent: "y" }],
  ])("finds %s", (_, other) => {
    expect(compareHosts(observed(), observed(other))).not.toEqual([]);
    expect(compareHosts(observed(other), observed())).not.toEqual([]);
  });

  test("finds a request that only one backend got", () => {
    expect(compareHosts(observed(), { ...observed(), received: [] })).not.toEqual([]);
  });

  test("ids that were drawn are equal, ids that a client sent must stay", () => {
    const drawn = (id: string) =>
      observed({ headers: ["x-request-id", id], body: `{"requestId":"${id}"}`, seen: ["x-request-id", id] });
    expect(compareHosts(drawn("0".repeat(32)), drawn("1".repeat(32)))).toEqual([]);
    expect(compareHosts(drawn("mine"), drawn("theirs"))).not.toEqual([]);
  });
});

describe("allowed differences", () => {
  const NEXT_VARY = "rsc, next-router-state-tree, next-router-prefetch, next-router-segment-prefetch";
  /** One pair for each entry, in its order. */
  const examples: [node: Parameters<typeof observed>[0], vercel: Parameters<typeof observed>[0]][] = [
    [{ headers: ["content-length", "1"] }, {}],
    [{ headers: ["vary", "accept"] }, { headers: ["vary", `accept, ${NEXT_VARY}`] }],
    [{ seen: ["accept-encoding", "gzip"] }, { seen: ["accept-encoding", "identity"] }],
    [{ target: "/a?b=<'>" }, { target: "/a?b=%3C%27%3E" }],
    [{ seen: ["next-url", "/a"] }, {}],
    [
      { headers: ["location", "/b", "content-length", "0"], body: "" },
      { headers: ["location", "/b", "content-length", "2", "refresh", "0;url=/b"], body: "/b" },
    ],
    [
      { seen: ["x-forwarded-for", "127.0.0.1", "forwarded", "for=127.0.0.1;proto=http"] },
      { seen: ["forwarded", "for=unknown;proto=http"] },
    ],
  ];

  test("there is an example for each", () => {
    expect(examples).toHaveLength(ALLOWED_DIFFERENCES.length);
  });

  test.each(examples.map((example, index) => [ALLOWED_DIFFERENCES[index]?.what, ...example] as const))(
    "%s",
    (what, node, vercel) => {
      expect(compareHosts(observed(node), observed(vercel))).toEqual([]);
      // The other way round it would be a fault of the Node host.
      expect(compareHosts(observed(vercel), observed(node)), what).not.toEqual([]);
    },
  );

  test("each says what and why in a line", () => {
    for (const { what, why } of ALLOWED_DIFFERENCES) expect(`${what}|${why}`).toMatch(/^[^\n]{10,}\|[^\n]{10,}$/);
  });
});
