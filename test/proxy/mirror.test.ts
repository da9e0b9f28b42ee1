/** Copies of requests: what the other backend gets, what the caller never notices, and what bounds them. */
import { describe, expect, test } from "vitest";
import { trafficForAll } from "../backends/traffic-host.ts";
import { until } from "../support/until.ts";

const {
  one: shop,
  two: next,
  host,
} = await trafficForAll(({ one, two, gone }) => ({
  backends: {
    shop: { url: one, headers: { "x-secret": "of the shop" } },
    next: { url: `${two}/v2`, headers: { "x-own": "of the next" } },
    gone,
  },
  routes: [
    { path: "/shop/*", backend: "shop", stripPrefix: "/shop", mirror: { backend: "next", maxBody: "1kb" } },
    { path: "/half/*", backend: "shop", mirror: { backend: "next", percent: "50%" } },
    { path: "/gone", backend: "shop", mirror: "gone" },
    { path: "/cached", backend: "shop", mirror: "next", cache: { ttl: "1m" } },
  ],
}));

const copies = (count: number) =>
  until(() => next.requests.length === count && next.requests.every(({ state }) => state === "whole"), `${count} copies`);

/** At once; what became of the copies, in the order in which the requests ended. */
async function sendMany(count: number, target: string) {
  const before = host.records.length;
  const answers = await Promise.all(Array.from({ length: count }, () => host.send(target)));
  await until(() => host.records.length === before + count, "the records of all");
  return { answers, outcomes: host.records.slice(before).map(({ mirror }) => mirror) };
}

describe("a copy", () => {
  test("has the method, path, query, fields and body of the request, and what the config says of its own backend", async () => {
    const headers = ["content-type", "text/plain", "x-tag", "a"];
    const { status, record } = await host.send({ method: "POST", target: "/shop/a%20b?c=d", headers, body: "hello" });
    await copies(1);
    const [copy] = next.requests;
    expect([status, copy!.method, copy!.target, copy!.body.toString()]).toEqual([200, "POST", "/v2/a%20b?c=d", "hello"]);
    const seen = (name: string) => copy!.headers.get(name);
    expect([seen("x-tag"), seen("x-own"), seen("x-secret"), seen("x-gateway-mirror")]).toEqual([
      "a",
      "of the next",
      undefined,
      "true",
    ]);
    expect(seen("x-request-id")).toBe(shop.requests[0]!.headers.get("x-request-id"));
    expect(shop.requests[0]!.headers.has("x-gateway-mirror")).toBe(false);
    expect(record).toMatchObject({ mirror: "sent", attempts: [{ target: shop.url }] });
  });

  test("of a body without a length is sent when all of it is there", async () => {
    const chunked = {
      method: "POST",
      target: "/shop/x",
      headers: ["transfer-encoding", "chunked"],
      body: "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    };
    expect((await host.send(chunked)).record.mirror).toBe("sent");
    await copies(1);
    expect([next.requests[0]!.body.toString(), shop.requests[0]!.body.toString()]).toEqual(["abcde", "abcde"]);
  });

  test.each([
    ["stated", { headers: [], body: "x".repeat(1025) }],
    ["not stated", { headers: ["transfer-encoding", "chunked"], body: `401\r\n${"x".repeat(1025)}\r\n0\r\n\r\n` }],
  ])("is not made of a body over the bound, its length %s", async (_, more) => {
    const { status, record } = await host.send({ method: "POST", target: "/shop/large", ...more });
    expect([status, record.mirror, shop.requests[0]!.body.length, next.requests.length]).toEqual([200, "too-large", 1025, 0]);
  });

  test("is made of the share that the config says", async () => {
    const { outcomes } = await sendMany(200, "/half/x");
    const sent = outcomes.filter((outcome) => outcome === "sent").length;
    await copies(sent);
    // Of 200 by a fair coin fewer than 60 or more than 140 come up once in some ten million times.
    expect(sent).toBeGreaterThan(60);
    expect(sent).toBeLessThan(140);
  });

  test("is not made where the cache answers", async () => {
    shop.on("/cached", (_, response) => response.writeHead(200, { "content-length": "2" }).end("ok"));
    const first = await host.send("/cached");
    await copies(1);
    const second = await host.send("/cached");
    expect([first.record.mirror, second.record.mirror, second.record.source, next.requests.length]).toEqual([
      "sent",
      undefined,
      "cache",
      1,
    ]);
  });
});

describe("the caller notices nothing", () => {
  test("of a mirror that can't be reached", async () => {
    expect((await host.send({ method: "POST", target: "/gone", body: "x" })).status).toBe(200);
  });

  test("of answers that are errors, broken or endless", async () => {
    next.on("/v2/bad", (_, response) => response.writeHead(500).end("no"));
    next.on("/v2/broken", (_, response) => response.write("half", () => response.destroy()));
    next.on("/v2/endless", (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(16_384)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    });
    for (const path of ["bad", "broken", "endless"]) expect((await host.send(`/shop/${path}`)).text).toBe('{"served":true}');
    await copies(3);
    await until(() => next.requests.at(-1)!.hungUp, "the endless answer to be given up");
  });

  test("of a mirror that hangs: it gets no more than it may hold, and the others are told apart", async () => {
    const held: (() => void)[] = [];
    next.on("/v2/hang", (_, response) => held.push(() => response.end()));
    const { answers, outcomes } = await sendMany(40, "/shop/hang");
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const many = (wanted: string) => outcomes.filter((outcome) => outcome === wanted).length;
    expect([many("sent"), many("busy")]).toEqual([32, 8]);
    await copies(32);
    for (const end of held) end();
    next.requests.length = 0;
    await until(async () => (await host.send("/shop/x")).record.mirror === "sent", "room for copies again");
  });
});
