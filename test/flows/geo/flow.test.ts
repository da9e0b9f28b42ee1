/** Where callers are: told by the platform or a trusted proxy, and by nobody else. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../support/backend.ts";
import { configIn, describeHosts } from "../../support/describe-hosts.ts";
import { type HostProcess, startHost, startNodeHost, temporaryFolder } from "../../support/host-process.ts";
import { writeMmdb } from "../../support/mmdb.ts";
import { sendRaw } from "../../support/raw-client.ts";

const berlin = [
  // On the platform every request came over TLS.
  ...["x-forwarded-for", "203.0.113.9", "x-real-ip", "203.0.113.9", "x-forwarded-proto", "https"],
  ...["x-vercel-ip-country", "DE", "x-vercel-ip-city", "K%C3%B6ln"],
];
const zurich = ["x-forwarded-for", "203.0.113.8", "x-real-ip", "203.0.113.8", "x-vercel-ip-country", "CH"];

describe("told by the platform, or by a proxy that is trusted", () => {
  // The Vercel host believes the platform's fields where it runs on the platform.
  describeHosts(
    import.meta.dirname,
    (flow) => {
      test("a caller who is there is let in, and the backend is told where", async () => {
        const { status, received } = await flow.send({ target: "/shop/1", headers: berlin });
        expect(status).toBe(200);
        expect(received?.headers.get("x-country")).toBe("DE");
        expect(received?.headers.get("x-city")).toBe("Köln");
      });

      test("one who is elsewhere, or of whom nothing is said, is not", async () => {
        const elsewhere = await flow.send({ target: "/shop/1", headers: zurich });
        expect(elsewhere.status).toBe(403);
        expect(JSON.parse(elsewhere.text)).toMatchObject({ code: "geo-denied" });
        expect(elsewhere.received).toBeUndefined();
        expect((await flow.send("/shop/1")).status).toBe(403);
        expect((await flow.send("/open")).status).toBe(403);
      });
    },
    () => ({ PROXY: "127.0.0.1", VERCEL: "1" }),
  );
});

describe("told by nobody who is trusted", () => {
  // Off the platform, and with another proxy than the one that speaks.
  describeHosts(
    import.meta.dirname,
    (flow) => {
      test.each([["/shop/1"], ["/open"]])("%s: forged fields change nothing", async (target) => {
        const headers = [...berlin, "cf-ipcountry", "DE", "cloudfront-viewer-country", "DE", "forwarded", "for=203.0.113.9"];
        const answer = await flow.send({ target, headers });
        expect(answer.status).toBe(403);
        expect(answer.received).toBeUndefined();
      });
    },
    () => ({ PROXY: "192.0.2.1" }),
  );
});

describe("told by a database of addresses, on the Node host", () => {
  const file = join(temporaryFolder(), "places.mmdb");
  writeMmdb(file, { "127.0.0.0/8": { country: { iso_code: "FR" } }, "203.0.113.9/32": { country: { iso_code: "US" } } });
  let host: HostProcess;
  let close: () => void;

  async function start(proxy: string): Promise<void> {
    const backend = await startBackend();
    close = () => backend.close();
    const env = { BACKEND_URL: backend.url, PROXY: proxy, GATEWAY_GEO_DATABASE: file };
    host = await startNodeHost({ config: configIn(import.meta.dirname), env });
  }
  const statusOf = async (headers: string[]) => (await sendRaw(host.port, { target: "/shop/1", headers })).status;

  describe("for the socket's address", () => {
    beforeAll(() => start("192.0.2.1"));
    afterAll(async () => {
      await host?.stop();
      close?.();
    });
    test("which no field changes", async () => {
      expect(await statusOf([])).toBe(200);
      expect(await statusOf(["x-forwarded-for", "203.0.113.9"])).toBe(200);
    });
  });

  describe("for the address that a trusted proxy tells", () => {
    beforeAll(() => start("127.0.0.1"));
    afterAll(async () => {
      await host?.stop();
      close?.();
    });
    test("unless it tells the place too", async () => {
      expect(await statusOf(["x-forwarded-for", "203.0.113.9"])).toBe(403);
      expect(await statusOf(["x-forwarded-for", "203.0.113.9", "x-vercel-ip-country", "IT"])).toBe(200);
    });
  });

  test("a file that is none keeps the host from starting, and says so", async () => {
    const env = { BACKEND_URL: "http://127.0.0.1:9", PROXY: "192.0.2.1", GATEWAY_GEO_DATABASE: import.meta.filename };
    await expect(startHost("node", { config: configIn(import.meta.dirname), env })).rejects.toThrow(/GATEWAY_GEO_DATABASE/);
  });
});
