/** The targets that a caller gets by where it is, and that those who must stay in a place do, whatever becomes of its targets. */
import { beforeAll, describe, expect, test } from "vitest";
import { describeHosts, type Flow } from "../../support/describe-hosts.ts";
import { HOST_NAMES, type HostName } from "../../support/host-process.ts";
import { until } from "../../support/until.ts";

// On the platform every request came over TLS.
const nowhere = ["x-forwarded-for", "203.0.113.9", "x-real-ip", "203.0.113.9", "x-forwarded-proto", "https"];
const from = (country: string, subdivision?: string) => [
  ...nowhere,
  ...["x-vercel-ip-country", country, ...(subdivision ? ["x-vercel-ip-country-region", subdivision] : [])],
];
const de = from("DE");
const us = from("US");

/** Which targets have seen how many requests since. */
function counted({ backend }: Flow): () => Record<string, number> {
  const before = backend.requests.length;
  return () => {
    const counts: Record<string, number> = {};
    for (const { target } of backend.requests.slice(before)) {
      const name = target.split("/")[1]!;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  };
}

describe("told by the platform, or by a proxy that is trusted", () => {
  describeHosts(
    import.meta.dirname,
    (flow) => {
      const ask = async (host: HostName, target: string, headers: string[], method = "GET") => {
        const {
          status,
          headers: fields,
          received,
        } = await flow.sendTo(host, { method, target, headers, body: method === "GET" ? "" : "x" });
        return { status, code: fields.get("x-gateway-error"), to: received?.target };
      };

      test.each([
        ["Germany", de, "/eu"],
        ["California", from("US", "CA"), "/west"],
        ["New York", from("US", "NY"), "/us"],
        ["the United States, no state told", us, "/us"],
        ["Switzerland", from("CH"), "/us"],
        ["nowhere", nowhere, "/us"],
      ])("a caller in %s", async (_, headers, target) => {
        expect((await flow.send({ target: "/shop/a", headers })).received?.target).toBe(`${target}/a`);
      });

      test("the closer of two by coordinates; in turn where there are none", async () => {
        const at = (latitude: string, longitude: string) => [
          ...from("XX"),
          "x-vercel-ip-latitude",
          latitude,
          "x-vercel-ip-longitude",
          longitude,
        ];
        for (let i = 0; i < 3; i++) {
          expect((await flow.send({ target: "/near/a", headers: at("41.9", "12.5") })).received?.target).toBe(
            "/frankfurt/near/a",
          );
          expect((await flow.send({ target: "/near/a", headers: at("-36.8", "174.8") })).received?.target).toBe("/sydney/near/a");
        }
        const counts = counted(flow);
        for (let i = 0; i < 4; i++) await flow.sendTo("node", { target: "/near/a", headers: de });
        expect(counts()).toEqual({ frankfurt: 2, sydney: 2 });
      });

      test("what is kept for callers of one place is not for those of another", async () => {
        flow.backend.on("/eu/cached/a", (_, response) =>
          response.writeHead(200, { "cache-control": "public" }).end("for the EU"),
        );
        flow.backend.on("/us/cached/a", (_, response) =>
          response.writeHead(200, { "cache-control": "public" }).end("for others"),
        );
        const counts = counted(flow);
        for (const headers of [de, us, from("FR"), from("CA"), de, us]) {
          const { text, headers: fields } = await flow.send({ target: "/cached/a", headers });
          expect(text).toBe(headers === de || headers.includes("FR") ? "for the EU" : "for others");
          // Nor do caches in front keep it.
          expect([fields.get("cdn-cache-control"), fields.get("cache-control")]).toEqual(["no-store", "private"]);
        }
        expect(counts()).toEqual({ eu: 2, us: 2 });
      });

      describe("not strict", () => {
        test.each(HOST_NAMES)("a pool that fails is left, after it was asked (%s)", async (host) => {
          flow.backend.on("/eu/failing", (_, response) => response.writeHead(503).end());
          const counts = counted(flow);
          expect(await ask(host, "/shop/failing", de)).toEqual({ status: 200, code: undefined, to: "/us/failing" });
          expect(counts()).toEqual({ eu: 1, us: 1 });
        });

        test.each(HOST_NAMES)(
          "a canary takes who asks for it, and its failure leads back to the caller's own pool (%s)",
          async (host) => {
            const tester = [...de, "x-tester", "1"];
            expect((await ask(host, "/canaried/a", tester)).to).toBe("/next/a");
            flow.backend.on("/next/failing", (_, response) => response.writeHead(503).end());
            expect((await ask(host, "/canaried/failing", tester)).to).toBe("/eu/failing");
            expect((await ask(host, "/canaried/failing", [...us, "x-tester", "1"])).to).toBe("/us/failing");
          },
        );
      });

      describe("strict", () => {
        beforeAll(() => {
          for (const name of ["eu-1", "eu-2"]) {
            flow.backend.on(`/${name}/down`, (_, response) => response.writeHead(503).end());
            flow.backend.on(`/${name}/reset`, (_, response) => response.socket!.resetAndDestroy());
            flow.backend.on(`/${name}/resident-cached/down`, (_, response) => response.writeHead(503).end());
          }
        });

        test.each(HOST_NAMES)("the second target of the pool takes over from the first (%s)", async (host) => {
          flow.backend.on("/eu-1/failing", (_, response) => response.writeHead(503).end());
          expect(await ask(host, "/resident/failing", de)).toEqual({ status: 200, code: undefined, to: "/eu-2/failing" });
        });

        test.each(HOST_NAMES)(
          "all of the pool down: no attempt leaves it, in health, ejected or by a breaker (%s)",
          async (host) => {
            const counts = counted(flow);
            for (let i = 0; i < 8; i++) {
              expect((await ask(host, "/resident/down", de)).status).toBe(503);
              expect((await ask(host, "/resident/reset", de, "PUT")).status).toBe(502);
              expect((await ask(host, "/resident-cached/down", de)).status).toBe(503);
            }
            // Nobody listens there: with any method, it is tried again.
            for (const method of ["GET", "POST"])
              expect(await ask(host, "/away/a", de, method)).toMatchObject({ status: 502, to: undefined });
            for (let i = 0; i < 4; i++) await ask(host, "/broken/down", de);
            expect(await ask(host, "/broken/down", de)).toEqual({ status: 503, code: "no-backend-available", to: undefined });
            const { us: elsewhere = 0, ...inside } = counts();
            expect(elsewhere).toBe(0);
            expect(Object.keys(inside).sort()).toEqual(["eu-1", "eu-2"]);
            // More than one attempt each: they were sent again, within the pool.
            expect(inside["eu-1"]! + inside["eu-2"]!).toBeGreaterThan(40);
          },
        );

        test.each(HOST_NAMES)("callers of other places, and of none, are not kept from theirs (%s)", async (host) => {
          expect((await ask(host, "/resident/down", us)).to).toBe("/us/down");
          expect((await ask(host, "/resident/down", nowhere)).to).toBe("/us/down");
        });

        test.each(HOST_NAMES)("copies, and what another backend takes over, stay in the place too (%s)", async (host) => {
          const counts = counted(flow);
          expect((await ask(host, "/mirrored/down", de)).status).toBe(503);
          await until(() => counts()["spare-eu"], "the copy");
          expect((await ask(host, "/spared/a", de)).to).toBe("/spare-eu/spared/a");
          expect((await ask(host, "/gone/a", de)).to).toBe("/eu/gone/a");
          expect(await ask(host, "/gone/a", us)).toEqual({ status: 503, code: "no-backend-available", to: undefined });
          expect(Object.keys(counts()).sort()).toEqual(["eu", "eu-1", "eu-2", "spare-eu"]);
          expect((await ask(host, "/mirrored/a", us)).status).toBe(200);
          await until(() => counts()["spare-us"], "the copy for everyone else");
        });

        test("503 for whom there is no target", async () => {
          expect((await flow.send({ target: "/alone/a", headers: de })).received?.target).toBe("/eu/alone/a");
          for (const headers of [us, nowhere]) {
            const answer = await flow.send({ target: "/alone/a", headers });
            expect([answer.status, answer.received]).toEqual([503, undefined]);
            expect(JSON.parse(answer.text)).toMatchObject({
              code: "no-backend-available",
              detail: "No backend serves the place that the request comes from.",
            });
          }
        });
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
      test("forged fields change nothing: everybody is everyone else", async () => {
        for (const headers of [de, [...de, "cf-ipcountry", "DE", "cloudfront-viewer-country", "DE"], us, nowhere])
          expect((await flow.send({ target: "/shop/a", headers })).received?.target).toBe("/us/a");
        const { status, received } = await flow.send({ target: "/alone/a", headers: de });
        expect([status, received]).toEqual([503, undefined]);
        const at = [...de, "x-vercel-ip-latitude", "50.1", "x-vercel-ip-longitude", "8.7"];
        const counts = counted(flow);
        for (let i = 0; i < 4; i++) await flow.sendTo("node", { target: "/near/a", headers: at });
        expect(counts()).toEqual({ frankfurt: 2, sydney: 2 });
      });
    },
    () => ({ PROXY: "192.0.2.1" }),
  );
});
