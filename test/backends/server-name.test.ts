/** Whose certificate a backend must show is the config's to say, not the caller's: with real TLS, and authorities of the test's own. */
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Certificate, certificateFor } from "../support/certificate.ts";
import { startTrafficHost, type TrafficHost } from "./traffic-host.ts";

const ours = certificateFor("localhost", "127.0.0.1");
const byNameAlone = certificateFor("localhost");
const evil = certificateFor("evil.example");

const before = getCACertificates();
beforeAll(() => setDefaultCACertificates([...before, ...[ours, byNameAlone, evil].map(({ cert }) => cert)]));
afterAll(() => setDefaultCACertificates(before));

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** The names that clients asked for in TLS, one for each connection; false for none. */
async function startTls(certificate: Certificate) {
  const names: (string | false)[] = [];
  const server = createServer(certificate, (request, response) => response.end(request.headers.host));
  server.on("secureConnection", (socket: TLSSocket) => names.push(socket.servername as string | false));
  await once(server.listen(0, "127.0.0.1"), "listening");
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { names, port: (server.address() as AddressInfo).port };
}

async function gateway(backend: object): Promise<TrafficHost> {
  const host = await startTrafficHost({ backends: { own: backend }, routes: [{ path: "/*", backend: "own" }] });
  closing.push(() => host.close());
  return host;
}

const asked = (...hosts: readonly string[]) => hosts.map((host) => ({ target: "/", headers: ["Host", host] }));
const [fromEvil] = asked("evil.example");

describe.each([
  ["a name", "localhost", "localhost"],
  // An address is no name that could be asked for (RFC 6066 section 3).
  ["an address", "127.0.0.1", false],
] as const)("a url with %s", (_, hostname, name) => {
  test.each([false, true])("its certificate is good, with preserveHost: %s", async (preserveHost) => {
    const { names, port } = await startTls(ours);
    const { send } = await gateway({ url: `https://${hostname}:${port}`, preserveHost });
    const { status, text } = await send(fromEvil!);
    expect([status, text]).toEqual([200, preserveHost ? "evil.example" : `${hostname}:${port}`]);
    expect(names).toEqual([name]);
  });

  test.each([false, true])("that of the name in Host is not, with preserveHost: %s", async (preserveHost) => {
    const { port } = await startTls(evil);
    const { send } = await gateway({ url: `https://${hostname}:${port}`, preserveHost });
    const { record } = await send(fromEvil!);
    expect([record.code, record.reason]).toEqual([
      "backend-unreachable",
      expect.stringContaining("ERR_TLS_CERT_ALTNAME_INVALID"),
    ]);
  });

  test("callers with names of their own share its connection", async () => {
    const { names, port } = await startTls(ours);
    const { send } = await gateway({ url: `https://${hostname}:${port}`, preserveHost: true });
    for (const request of asked("a.example", "b.example", "a.example", "c.example"))
      expect((await send(request)).status).toBe(200);
    expect(names).toEqual([name]);
  });
});

test("a certificate for names alone is none for an address", async () => {
  const { port } = await startTls(byNameAlone);
  const { send } = await gateway(`https://127.0.0.1:${port}` as unknown as object);
  expect((await send("/")).record.reason).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
});
