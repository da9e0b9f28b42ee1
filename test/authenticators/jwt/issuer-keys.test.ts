/** An issuer that is down, slow, wrong or busy with its keys: what it costs requests, and how often it is asked. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createOutbound } from "#lib/backends/outbound.ts";
import { createPools } from "#lib/backends/pools.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { gatewayOf, type TestGateway } from "../../policies/gateway.ts";
import { answerAsIssuer, type Issuer, makeSigningKey, type SignOptions, startIssuer } from "../../support/issuer.ts";
import { until } from "../../support/until.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const pools = createPools();
const call = createOutbound(pools, Date.now);
let issuer: Issuer;
let nowMs: number;
let stores: Stores;
let warnings: unknown[];

beforeAll(() => {
  // Only timers, which go on by themselves and faster where a test says so: sockets and their time-outs are real.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true });
});
afterAll(async () => {
  vi.useRealTimers();
  await pools.close();
});
beforeEach(async () => {
  issuer = await startIssuer();
  nowMs = 1_800_000_000_000;
  stores = createMemoryStores();
  warnings = [];
});
afterEach(() => issuer.close());

/** An instance: gateways of one test share their stores. */
function instance(options: object = {}): TestGateway {
  const said = warnings;
  return gatewayOf(
    { auth: { web: { jwt: { issuer: issuer.url, audience: "shop", ...options } } }, routes: [{ path: "/*", auth: "web" }] },
    { call, stores, now: () => nowMs, warn: (_, fields) => said.push(fields?.["reason"]) },
  );
}

const sign = (options: SignOptions = {}, claims = {}) => issuer.sign({ aud: "shop", ...claims }, { nowMs, ...options });
async function ask({ send }: TestGateway, token?: string): Promise<string> {
  const { status, record } = await send({ headers: { authorization: `Bearer ${token ?? (await sign())}` } });
  return status === 200 ? "200" : `${status} ${record.reason}`;
}
const METADATA = "/.well-known/openid-configuration";

describe("where keys come from", () => {
  test("the metadata once, the keys once, for any number of requests at once", async () => {
    const gateway = instance();
    const answers = await Promise.all(Array.from({ length: 20 }, async () => ask(gateway)));
    expect(new Set(answers)).toEqual(new Set(["200"]));
    expect(issuer.asked).toEqual([METADATA, "/keys"]);
  });

  test("RFC 8414 where there is no OpenID Connect", async () => {
    issuer.answer = (path, response) =>
      answerAsIssuer(
        issuer,
        path === "/.well-known/oauth-authorization-server" ? METADATA : path.replace(METADATA, "/none"),
        response,
      );
    expect(await ask(instance())).toBe("200");
    expect(issuer.asked).toEqual([METADATA, "/.well-known/oauth-authorization-server", "/keys"]);
  });

  test("a stated address is asked alone", async () => {
    expect(await ask(instance({ jwks: issuer.keysUrl }))).toBe("200");
    expect(issuer.asked).toEqual(["/keys"]);
  });

  test("a second instance takes them from the stores, and so does the next gateway after a reload", async () => {
    expect(await ask(instance())).toBe("200");
    expect(await ask(instance())).toBe("200");
    expect(issuer.asked).toHaveLength(2);
  });

  test("what others left is used while it is renewed", async () => {
    await ask(instance());
    nowMs += 20 * MINUTE;
    issuer.answer = () => {};
    expect(await ask(instance())).toBe("200");
    await until(() => issuer.asked.length > 2, "the renewal");
  });
});

describe("an issuer that does not answer as it should", () => {
  const answers: [string, (response: ServerResponse, path: string) => void, string][] = [
    ["an error", (response) => response.writeHead(500).end(), `${METADATA} answered 500`],
    ["nothing there", (response) => response.writeHead(404).end(), "have no metadata (the second answered 404)"],
    ["a redirect", (response) => response.writeHead(302, { location: "/elsewhere" }).end(), `${METADATA} answered 302`],
    ["garbage", (response) => response.end("<html>"), "answered with something that is no JSON"],
    ["null", (response) => response.end("null"), "says nothing: write it as the issuer does"],
    ["too much", (response) => response.end("x".repeat(300_000)), "gave no answer (the answer is larger than 65536 bytes)"],
    ["a broken connection", (response) => response.destroy(), "gave no answer (UND_ERR_SOCKET)"],
    [
      "another's metadata",
      (response) => response.end('{"issuer":"https://evil.example","jwks_uri":"https://evil.example/keys"}'),
      'says "https://evil.example": write it as the issuer does, to the last slash',
    ],
    [
      "keys without https",
      (response) => response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: "http://10.0.0.1/keys" })),
      'the jwks_uri "http://10.0.0.1/keys", which is not https',
    ],
    ["no address of keys", (response) => response.end(JSON.stringify({ issuer: issuer.url })), "names no jwks_uri"],
  ];
  test.each(answers)("%s instead of metadata", async (_, answer, reason) => {
    issuer.answer = (path, response) => answer(response, path);
    expect(await ask(instance())).toMatch(/^503 web: the keys of http/);
    expect(warnings).toEqual([expect.stringContaining(reason)]);
  });

  const keySets: [string, unknown, string][] = [
    ["no set", [], "it is no JWK set"],
    ["an empty set", { keys: [] }, "it holds no key for signatures that can be used"],
    ["a shared secret", { keys: [{ kty: "oct", k: "c2VjcmV0" }] }, "it holds no key for signatures"],
    ["keys for encryption", { keys: [{ use: "enc" }] }, "it holds no key for signatures"],
    [
      "nonsense for a key",
      { keys: [null, 1, {}, { kty: "EC", crv: "P-256", x: "AA", y: "AA" }] },
      "it holds no key for signatures",
    ],
    ["a thousand keys", { keys: Array(1000).fill({}) }, "it holds 1000 keys, and 100 are the most"],
  ];
  test.each(keySets)("%s instead of keys", async (_, set, reason) => {
    issuer.answer = (path, response) =>
      path === "/keys" ? response.end(JSON.stringify(set)) : answerAsIssuer(issuer, path, response);
    expect(await ask(instance())).toMatch(/^503 /);
    expect(warnings).toEqual([expect.stringContaining(reason)]);
  });

  test("a weak key among good ones is left out", async () => {
    const weak = { kty: "RSA", e: "AQAB", n: Buffer.alloc(128, 0xff).toString("base64url"), kid: "weak", alg: "RS256" };
    issuer.answer = (path, response) =>
      path === "/keys"
        ? response.end(JSON.stringify({ keys: [weak, issuer.published[0]!.jwk] }))
        : answerAsIssuer(issuer, path, response);
    const gateway = instance();
    expect(await ask(gateway)).toBe("200");
    const key = { ...(await makeSigningKey("RS256")), kid: "weak" };
    expect(await ask(gateway, await sign({ key }))).toContain('no key of the issuer has kid "weak"');
  });

  test("it is told to come back, not who failed", async () => {
    issuer.answer = (_, response) => response.writeHead(500).end();
    const { status, headers, text } = await instance().send({ headers: { authorization: `Bearer ${await sign()}` } });
    expect([status, headers.get("retry-after")]).toEqual([503, "1"]);
    expect(text).not.toContain(issuer.url);
  });
});

describe("time", () => {
  /** Answers that are held back until a test lets them go. */
  function holding(): (() => void)[] {
    const held: (() => void)[] = [];
    issuer.answer = (path, response) => held.push(() => answerAsIssuer(issuer, path, response));
    return held;
  }

  test("a slow issuer costs one budget, once; its keys are used when they come", async () => {
    const held = holding();
    const gateway = instance();
    const first = ask(gateway);
    await until(() => held.length === 1, "the question");
    const second = ask(gateway);
    nowMs += 3 * SECOND;
    await vi.advanceTimersByTimeAsync(3 * SECOND);
    expect(await first).toMatch(/^503 web: no keys of http.* within 3 s$/);
    expect(await second).toMatch(/^503/);
    // The third does not wait at all, and the issuer is not asked again.
    expect(await ask(gateway)).toMatch(/^503/);
    expect(issuer.asked).toEqual([METADATA]);
    held[0]!();
    await until(() => held.length === 2, "the second question");
    held[1]!();
    await until(async () => (await ask(gateway)) === "200", "keys");
  });

  test("down at the start: requests are refused at once, and taken once it is back", async () => {
    issuer.answer = (_, response) => response.destroy();
    const gateway = instance();
    expect(await ask(gateway)).toMatch(/^503/);
    const { length } = issuer.asked;
    expect(await ask(gateway)).toMatch(/^503/);
    expect(issuer.asked).toHaveLength(length);
    issuer.answer = undefined;
    nowMs += 5 * SECOND;
    // It does not wait for what it set off.
    expect(await ask(gateway)).toMatch(/^503/);
    await until(async () => (await ask(gateway)) === "200", "keys");
  });

  test("down later: known keys go on for a day, unknown ones are refused, and nobody waits", async () => {
    const gateway = instance();
    expect(await ask(gateway)).toBe("200");
    issuer.answer = (_, response) => response.destroy();
    for (const hours of [1, 12, 23]) {
      nowMs = 1_800_000_000_000 + hours * 60 * MINUTE;
      expect(await ask(gateway)).toBe("200");
      await until(() => warnings.length >= 1, "the renewal that failed");
    }
    nowMs = 1_800_000_000_000 + 24 * 60 * MINUTE;
    expect(await ask(gateway)).toMatch(/^503/);
    issuer.answer = undefined;
    nowMs += 31 * SECOND;
    await until(async () => (await ask(gateway)) === "200", "keys");
  });

  test("a remembered token renews old keys in the background", async () => {
    const gateway = instance();
    const token = await sign();
    expect(await ask(gateway, token)).toBe("200");
    nowMs += 8 * MINUTE;
    expect(await ask(gateway, token)).toBe("200");
    nowMs += 3 * MINUTE;
    expect(await ask(gateway, token)).toBe("200");
    await until(() => issuer.asked.length === 4, "the renewal");
  });

  test("a rotated key is taken with its first token", async () => {
    const gateway = instance();
    expect(await ask(gateway)).toBe("200");
    const old = await sign();
    await issuer.rotate();
    nowMs += 31 * SECOND;
    expect(await ask(gateway)).toBe("200");
    expect(await ask(gateway, old)).toMatch(/^401/);
    expect(issuer.asked).toEqual([METADATA, "/keys", METADATA, "/keys"]);
  });

  test("tokens with unknown keys ask the issuer once in half a minute", async () => {
    const gateway = instance();
    expect(await ask(gateway)).toBe("200");
    const before = issuer.asked.length;
    const flood = async () => {
      for (let i = 0; i < 20; i++) {
        const key = { ...issuer.published[0]!, kid: `made-up-${i}` };
        expect(await ask(gateway, await sign({ key }))).toMatch(/^401/);
      }
    };
    await flood();
    expect(issuer.asked).toHaveLength(before);
    nowMs += 31 * SECOND;
    await flood();
    expect(issuer.asked).toHaveLength(before + 2);
    nowMs += 31 * SECOND;
    await flood();
    expect(issuer.asked).toHaveLength(before + 4);
    // Whoever has a known key is not kept waiting meanwhile.
    expect(await ask(gateway)).toBe("200");
  });
});

describe("a token never says where keys are", () => {
  let canary: Server;
  const visits: string[] = [];
  beforeAll(async () => {
    canary = createServer((request, response) => {
      visits.push(request.url!);
      response.end("{}");
    });
    await new Promise<void>((resolve) => canary.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => canary.close());

  test.each(["jku", "x5u", "jwk", "x5c"])("%s", async (name) => {
    const url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/${name}`;
    const key = await makeSigningKey("ES256");
    const value = { jku: url, x5u: url, jwk: key.jwk, x5c: ["MIIB"] }[name];
    expect(await ask(instance(), await sign({ key, header: { [name]: value } }))).toMatch(/^401/);
    expect(visits).toEqual([]);
  });
});
