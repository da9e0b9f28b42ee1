/** `frontdesk doctor`, from the frontend to the backends, past frontends that each do something wrong. */
import { createHmac, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { DOCTOR_HEADER, doctorKey, writePass } from "#lib/admin/doctor-pass.ts";
import type { Finding } from "#lib/cli/doctor-findings.ts";
import { checkout } from "../../cli/checkout.ts";
import { blocksOf, readDocument } from "../../docs/documents.ts";
import { type Backend, startBackend } from "../../support/backend.ts";
import { configIn } from "../../support/describe-hosts.ts";
import { freePort } from "../../support/free-port.ts";
import { ADMIN_TOKEN, HOST_NAMES, type HostProcess, startHost } from "../../support/host-process.ts";
import { type RawRequest, sendRaw } from "../../support/raw-client.ts";
import { type RelayOptions, startRelay } from "../../support/relay.ts";

const SECRET = "frontend-0123456789-0123456789-0123456789";
const EDGE = "127.0.0.2";

let shop: Backend;
let search: Backend;
beforeAll(async () => {
  [shop, search] = [await startBackend(), await startBackend()];
  search.on("/", (_, response) =>
    response.writeHead(200, { age: "30", date: new Date(Date.now() + 3_600_000).toUTCString() }).end(),
  );
});
afterAll(() => {
  shop.close();
  search.close();
});

/** What a frontend's middleware does, with a clock that may be wrong. */
const signs =
  (offMs: number): NonNullable<RelayOptions["onRequest"]> =>
  (headers, { method, target, peer }) => {
    const payload = Buffer.from(JSON.stringify({ ip: peer, country: "DE", t: (Date.now() + offMs) / 1000 })).toString(
      "base64url",
    );
    const line = `${method} ${target.split("?")[0]}`;
    const signature = createHmac("sha256", SECRET).update(`${payload}\n${line}`).digest("base64url");
    headers["x-gateway-client"] = `${payload}.${signature}`;
  };

describe.each(HOST_NAMES)("before the %s host", { timeout: 60_000 }, (name) => {
  let host: HostProcess;
  let gatewayUrl: string;
  let closePlatform = () => {};
  beforeAll(async () => {
    const env = { BACKEND_URL: shop.url, SEARCH_URL: search.url, FRONTEND_SECRET: SECRET };
    const onVercel = { VERCEL: "1", VERCEL_REGION: "iad1" };
    host = await startHost(name, { config: configIn(import.meta.dirname), env: name === "node" ? env : { ...env, ...onVercel } });
    gatewayUrl = `http://127.0.0.1:${host.port}`;
    if (name === "node") return;
    // As on Vercel, whose edge says who has connected.
    const platform = await startRelay({
      to: gatewayUrl,
      onRequest: (headers, { peer }) => Object.assign(headers, { "x-real-ip": peer, "x-forwarded-for": peer }),
    });
    closePlatform = platform.close;
    gatewayUrl = platform.url;
  });
  afterAll(async () => {
    closePlatform();
    await host?.stop();
  });

  async function diagnose(url: string, ...args: string[]) {
    const { frontdesk } = checkout({}, { GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN, GATEWAY_URL: gatewayUrl });
    const { code, out, err } = await frontdesk("doctor", url, "--json", ...args);
    expect(err).toBe("");
    const findings = JSON.parse(out).findings as Finding[];
    return {
      code,
      findings,
      about: (hop: string, what: string) => findings.find((finding) => finding.hop === hop && finding.what === what),
    };
  }
  async function behind(options: Omit<RelayOptions, "to">, ...args: string[]) {
    const relay = await startRelay({ to: gatewayUrl, from: EDGE, ...options });
    onTestFinished(relay.close);
    return diagnose(`${relay.url}/api`, ...args);
  }

  test("a frontend that signs who calls: nothing is wrong with it", async () => {
    const { findings, about } = await behind({ onRequest: signs(0) });
    expect(findings.filter(({ hop, verdict }) => hop === "frontend" && verdict !== "good")).toEqual([]);
    expect(about("frontend", "caller")?.saw).toBe("127.0.0.1, DE: as the frontend states, signed");
    expect(about("gateway", "clock")?.verdict).toBe("good");
    expect(about("gateway", "reached")?.saw).toContain(name === "node" ? "on the Node host" : "on Vercel");
  });

  const printsPage = async () => {
    const relay = await startRelay({ to: gatewayUrl, from: EDGE });
    onTestFinished(relay.close);
    const { frontdesk } = checkout({}, { GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN, GATEWAY_URL: gatewayUrl });
    const { out } = await frontdesk("doctor", `${relay.url}/api`);
    const shown = out
      .replaceAll(shop.url, "https://shop.internal.example")
      .replaceAll(search.url, "https://search.internal.example")
      .replaceAll(EDGE, "198.51.100.1")
      .replaceAll("127.0.0.1", "203.0.113.7")
      .replace(/in \d+ ms/g, "in 12 ms")
      .replace(/\d+ s ahead of the gateway/, "3600 s ahead of the gateway");
    const block = blocksOf(readDocument("docs/frontends.md")).find(({ text }) => text.startsWith("$ npx frontdesk doctor"))!;
    expect(block.text).toBe(`$ npx frontdesk doctor https://shop.example/api\n${shown}`);
  };
  // It names the host.
  if (name === "node") test("the page of docs/frontends.md is what it prints", printsPage);

  test("the region that ran is held to the config's", async () => {
    const { about } = await behind({});
    if (name === "node") expect(about("gateway", "region")).toMatchObject({ verdict: "good", saw: "a machine of your own" });
    else
      expect(about("gateway", "region")).toMatchObject({
        verdict: "bad",
        saw: "ran in iad1 (Washington, US), not in fra1 (Frankfurt, DE)",
      });
  });

  test("backends: one that is well, one behind a cache and with a wrong clock", async () => {
    const { code, about } = await behind({ onRequest: signs(0) });
    expect(about("backend shop", "reached")).toMatchObject({
      verdict: "good",
      saw: expect.stringContaining(`${shop.url} answers 200`),
    });
    expect(about("backend shop", "clock")).toBeUndefined();
    expect(about("backend search", "cache")).toMatchObject({ verdict: "odd", saw: "age: 30" });
    expect(about("backend search", "clock")?.saw).toMatch(/^3(?:599|600|601) s ahead of the gateway's$/);
    expect(shop.requests.at(-1)).toMatchObject({ method: "HEAD" });
    expect(code).toBe(1);
  });

  test("a frontend that says nothing: the gateway sees its edge", async () => {
    const { code, about } = await behind({});
    expect(about("frontend", "caller")).toMatchObject({
      verdict: "bad",
      saw: `${EDGE}, while this machine is 127.0.0.1`,
      fix: "The gateway sees your frontend's edge, not the person: add trust.frontends (docs/frontends.md).",
    });
    expect(code).toBe(1);
  });

  test.each([
    ["behind", -120_000, "stale", "(120 s ago)"],
    ["ahead", 120_000, "early", "(120 s ahead)"],
  ])("one whose clock is %s", async (_, offMs, verdict, when) => {
    const { about } = await behind({ onRequest: signs(offMs) });
    const finding = about("frontend", "caller")!;
    expect(finding.verdict).toBe("bad");
    expect(finding.saw).toMatch(new RegExp(`^${EDGE}: the frontend's x-gateway-client is ${verdict} \\(1[12]\\d s`));
    expect(finding.saw).toContain(when.slice(-6));
    expect(finding.fix).toContain("clock");
  });

  test("one that holds answers back", async () => {
    const { about } = await behind({ buffers: true });
    expect(about("frontend", "streaming")).toMatchObject({ verdict: "bad", fix: expect.stringContaining("proxy_buffering off") });
    expect((await behind({})).about("frontend", "streaming")?.verdict).toBe("good");
  });

  test("one that keeps what says no-store", async () => {
    const { about } = await behind({ keeps: true });
    expect(about("frontend", "cache")).toMatchObject({ verdict: "bad", saw: expect.stringContaining("was kept") });
  });

  test("one that loses credentials and changes a field", async () => {
    const { about, findings } = await behind({
      onRequest(headers) {
        delete headers.cookie;
        delete headers.authorization;
        headers["user-agent"] = "a CDN";
      },
    });
    expect(about("frontend", "fields")).toMatchObject({ verdict: "bad", saw: "lost: authorization, cookie" });
    expect(findings).toContainEqual(expect.objectContaining({ what: "fields", saw: "changed: user-agent", verdict: "odd" }));
  });

  test("one that hands nothing on, and one that nobody runs", async () => {
    const server = createServer((_, response) => response.end("the shop's own page"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const own = await diagnose(`http://127.0.0.1:${(server.address() as AddressInfo).port}/about`);
    expect(own.about("frontend", "reached")).toMatchObject({ verdict: "bad", saw: "200: not the gateway's answer" });
    expect(own.about("gateway", "reached")?.verdict).toBe("good");
    const nobody = await diagnose(`http://127.0.0.1:${await freePort()}/api`);
    expect(nobody.about("frontend", "reached")).toMatchObject({ verdict: "bad", saw: expect.stringContaining("ECONNREFUSED") });
  });

  test("a gateway that can't be reached at its own address", async () => {
    const { about, code } = await behind({}, "--gateway", `http://127.0.0.1:${await freePort()}`);
    expect(about("gateway", "reached")).toMatchObject({ verdict: "bad", saw: expect.stringContaining("ECONNREFUSED") });
    expect(about("frontend", "reached")?.verdict).toBe("good");
    expect(about("frontend", "caller")?.verdict).toBe("unknown");
    expect(code).toBe(1);
  });

  test("another token is told from a frontend that keeps the request", async () => {
    const { frontdesk } = checkout({}, { GATEWAY_ADMIN_TOKEN: "another-admin-token-012345", GATEWAY_URL: gatewayUrl });
    const { code, out } = await frontdesk("doctor", `${gatewayUrl}/nowhere`);
    expect(code).toBe(1);
    expect(out).toContain("404 route-not-found");
    expect(out).toContain("is GATEWAY_ADMIN_TOKEN the same here and there");
  });

  describe("what it tells, it tells the operator alone", () => {
    const key = doctorKey(ADMIN_TOKEN);
    const nonce = randomBytes(16).toString("base64url");
    const send = (pass: string, request: Partial<RawRequest> = {}) =>
      sendRaw(host.port, { target: "/nowhere", ...request, headers: [...(request.headers ?? []), DOCTOR_HEADER, pass] });

    test("a fresh pass is answered on any path, and no value of a field comes back", async () => {
      const answer = await send(writePass(key, nonce, Date.now()), {
        headers: ["cookie", "sid=a-real-session", "x-key", "a-real-key"],
      });
      const text = answer.body.toString();
      expect(answer.status).toBe(200);
      expect(text).toContain(nonce);
      expect(text).not.toMatch(/a-real-session|a-real-key/);
      expect(answer.headers.get("cache-control")).toContain("no-store");
    });

    const nowMs = Date.now();
    test.each([
      ["of another token", () => writePass(doctorKey("another-admin-token-012345"), nonce, Date.now())],
      ["of last quarter", () => writePass(key, nonce, nowMs - 15 * 60_000)],
      ["for later", () => writePass(key, nonce, nowMs + 15 * 60_000)],
      ["made fresh by hand", () => writePass(key, nonce, nowMs - 15 * 60_000).replace(/^\d+/, String(Date.now()))],
      ["with another nonce", () => writePass(key, nonce, Date.now()).replace(nonce, randomBytes(16).toString("base64url"))],
      ["that is the token", () => ADMIN_TOKEN],
      ["that is empty", () => ""],
    ])("a pass %s is dropped, and the route answers", async (_, pass) => {
      const answer = await send(pass());
      expect(answer.status).toBe(404);
      expect(answer.headers.get("x-gateway-error")).toBe("route-not-found");
      await send(pass(), { target: "/api/a" });
      expect(shop.requests.at(-1)!.headers.has(DOCTOR_HEADER)).toBe(false);
    });
  });
});
