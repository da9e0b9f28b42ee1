/** `forward`: what is remembered of a service's answers, for whom and for how long. */
import { describe, expect, test } from "vitest";
import type { Sent } from "../../policies/gateway.ts";
import { answerAsService } from "../../support/auth-service.ts";
import { ADA, BOB, BROWSER, clock, gatewayWith, service } from "./gateway-with.ts";

describe("a cache", () => {
  test("none by default: each request asks", async () => {
    const gateway = gatewayWith();
    for (let i = 0; i < 3; i++) await gateway.send({ headers: ADA });
    expect(service.asked).toHaveLength(3);
  });

  test("remembers who was let in for as long as it says, from when it was asked", async () => {
    const gateway = gatewayWith({ cache: "30s" });
    service.answer = (request, response) => {
      clock.nowMs += 1000;
      answerAsService(request, response);
    };
    await gateway.send({ headers: ADA });
    clock.nowMs += 28_999;
    expect((await gateway.send({ headers: ADA })).status).toBe(200);
    expect(service.asked).toHaveLength(1);
    clock.nowMs += 1;
    await gateway.send({ headers: ADA });
    expect(service.asked).toHaveLength(2);
  });

  test.each([
    ["401", { authorization: "Bearer eve" }],
    ["403", BOB],
  ])("%s for five seconds at most", async (_, headers) => {
    const gateway = gatewayWith({ cache: "30s" });
    const { status } = await gateway.send({ headers });
    clock.nowMs += 4_999;
    expect((await gateway.send({ headers })).status).toBe(status);
    expect(service.asked).toHaveLength(1);
    clock.nowMs += 1;
    await gateway.send({ headers });
    expect(service.asked).toHaveLength(2);
  });

  test("a refusal for no longer than is said", async () => {
    const gateway = gatewayWith({ cache: "1s" });
    await gateway.send({ headers: BOB });
    clock.nowMs += 1000;
    await gateway.send({ headers: BOB });
    expect(service.asked).toHaveLength(2);
  });

  test("neither redirects nor what is no answer", async () => {
    const gateway = gatewayWith({ cache: "30s", redirect: true });
    for (let i = 0; i < 2; i++) await gateway.send({ target: "/start", headers: BROWSER });
    service.answer = (_, response) => response.writeHead(500).end();
    for (let i = 0; i < 2; i++) await gateway.send({ headers: ADA });
    service.answer = answerAsService;
    expect((await gateway.send({ headers: ADA })).status).toBe(200);
    expect(service.asked).toHaveLength(5);
  });

  test("for the same credential, method, URL, host and address alone", async () => {
    const gateway = gatewayWith({ cache: "30s" });
    const same: Sent = { target: "/a?b", headers: ADA, ip: "203.0.113.7" };
    const others: Sent[] = [
      { ...same, target: "/a?c" },
      { ...same, target: "/%61?b" },
      { ...same, method: "DELETE" },
      { ...same, ip: "203.0.113.8" },
      { ...same, scheme: "https" },
      { ...same, headers: { ...ADA, cookie: "a=1" } },
      { ...same, headers: { cookie: "sid=ada" } },
    ];
    for (const sent of [same, same, ...others, ...others]) await gateway.send(sent);
    expect(service.asked).toHaveLength(1 + others.length);
  });

  test("for a credential wherever it is used, where the config says so; without one, for the same request alone", async () => {
    const gateway = gatewayWith({ cache: "30s", cacheBy: "credential" });
    for (const target of ["/a", "/b"]) expect((await gateway.send({ target, headers: ADA, ip: target })).status).toBe(200);
    expect(service.asked).toHaveLength(1);
    service.answer = ({ headers }, response) =>
      response.writeHead(headers["x-forwarded-for"] === "10.0.0.1" ? 200 : 401, { "x-auth-request-user": "office" }).end();
    expect((await gateway.send({ target: "/a", ip: "10.0.0.1" })).status).toBe(200);
    expect((await gateway.send({ target: "/a", ip: "203.0.113.7" })).status).toBe(401);
  });

  test("a hundred who ask the same at once ask once, and others do not get their answer", async () => {
    const gateway = gatewayWith({ cache: "30s" });
    const sent = Array.from({ length: 100 }, (_, i) => gateway.send({ headers: i % 2 === 0 ? ADA : BOB }));
    const statuses = (await Promise.all(sent)).map(({ status }) => status);
    expect(statuses).toEqual(statuses.map((_, i) => (i % 2 === 0 ? 200 : 403)));
    expect(service.asked).toHaveLength(2);
  });

  test("made-up credentials push out nobody who was let in", async () => {
    const gateway = gatewayWith({ cache: "5m" });
    await gateway.send({ headers: ADA });
    service.answer = (_, response) => response.writeHead(401).end();
    const forged = Array.from({ length: 64 }, (_, i) => i);
    for (let round = 0; round < 160; round++)
      await Promise.all(forged.map((i) => gateway.send({ headers: { authorization: `Bearer x${round}-${i}` } })));
    const { length } = service.asked;
    expect(length).toBe(1 + 160 * 64);
    expect((await gateway.send({ headers: ADA })).status).toBe(200);
    expect(service.asked).toHaveLength(length);
  }, 60_000);
});
