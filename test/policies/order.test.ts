/** The order of the built-in policies, spelled out: moving one is a decision, not an accident. */
import { describe, expect, test } from "vitest";
import { PHASES } from "#lib/contract/phases.ts";
import { POLICIES } from "#lib/policies/index.ts";
import { POLICY_SCHEMAS } from "#lib/policies/schemas.ts";
import { gatewayOf } from "./gateway.ts";

const ORDER = [
  ["cors", "cors"],
  ["ip", "screen"],
  ["geo", "screen"],
  ["size", "screen"],
  ["userAgent", "screen"],
  ["origin", "screen"],
  ["maintenance", "maintenance"],
  ["limit", "limit"],
  ["auth", "identify"],
  ["authorize", "authorize"],
  ["headers", undefined],
  ["securityHeaders", undefined],
  ["deprecated", undefined],
  ["idempotency", "idempotency"],
  ["cache", "cache"],
  ["fallback", undefined],
  ["fault", "answer"],
  ["respond", "answer"],
  ["redirect", "answer"],
];

describe("the order of policies", () => {
  test("as a request meets them", () => expect([...POLICIES.values()].map(({ name, phase }) => [name, phase])).toEqual(ORDER));

  test("their settings are compiled in the same order", () => expect(Object.keys(POLICY_SCHEMAS)).toEqual([...POLICIES.keys()]));

  test("it agrees with the rows of the life of a request", () => {
    const ranks = [...POLICIES.values()].flatMap(({ phase }) => (phase ? [PHASES.indexOf(phase)] : []));
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
  });

  test("whatever the order in which a config names them", async () => {
    const { send } = gatewayOf({
      routes: [
        {
          path: "/",
          maintenance: { on: true, allow: { ips: "192.0.2.1" } },
          origin: true,
          userAgent: { deny: "x" },
          size: { queryKeys: 1 },
          ip: { deny: "10.0.0.0/8" },
          cors: "*",
        },
      ],
    });
    expect((await send({ ip: "192.0.2.1" })).steps).toEqual([
      "cors: passed",
      "ip: passed",
      "size: passed",
      "userAgent: passed",
      "origin: passed",
      "maintenance: passed",
      "respond: answered",
    ]);
  });

  test("answers are shaped the other way round: cors last, then headers", async () => {
    const { send } = gatewayOf({
      routes: [
        {
          path: "/",
          cors: "https://a.example",
          securityHeaders: true,
          deprecated: { since: "2027-01-31" },
          headers: { response: { set: { "access-control-allow-origin": "*", deprecation: "@0", "x-frame-options": "DENY" } } },
        },
      ],
    });
    const { headers } = await send({ headers: { origin: "https://a.example" } });
    expect(headers.all("access-control-allow-origin")).toEqual(["https://a.example"]);
    expect(headers.all("deprecation")).toEqual(["@0"]);
    expect(headers.all("x-frame-options")).toEqual(["DENY"]);
  });
});
