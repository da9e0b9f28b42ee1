/** What a stranger writes into header fields decides neither who they are nor what they ask. */
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { HOST_NAMES } from "../../support/host-process.ts";

const OVERRIDES = [
  "X-HTTP-Method-Override",
  "X-HTTP-Method",
  "X-Method-Override",
  "X-Original-URL",
  "X_Original_URL",
  "X-Rewrite-URL",
  "X-Original-Host",
  "x-host",
  "Script_Name",
];

describeHosts(import.meta.dirname, (flow) => {
  describe("a field that names another method or path", () => {
    test.each(OVERRIDES)("%s is dropped", async (name) => {
      const { received } = await flow.send({ method: "POST", target: "/home", headers: [name, "/forged"], body: "" });
      expect(received!.target).toBe("/home");
      expect(JSON.stringify(received!.headers.pairs)).not.toContain("forged");
    });

    test.each(OVERRIDES)("%s passes where the route says so", async (name) => {
      const { received } = await flow.send({ method: "POST", target: "/legacy/a", headers: [name, "/meant"], body: "" });
      expect(JSON.stringify(received!.headers.pairs)).toContain("/meant");
    });
  });

  test.each(["True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "X-Cluster-Client-IP", "Fastly-Client-IP", "X_Client_IP"])(
    "%s of a caller's own does not go on",
    async (name) => {
      const { received } = await flow.send({ target: "/home", headers: [name, "6.6.6.6"] });
      expect(JSON.stringify(received!.headers.pairs)).not.toContain("6.6.6.6");
    },
  );

  describe("Connection names", () => {
    test("a condition that then does not hold", async () => {
      const routeFor = async (...headers: string[]) =>
        (await flow.send({ target: "/region", headers })).received!.headers.get("x-route");
      expect(await routeFor("X-Region", "eu")).toBe("eu");
      expect(await routeFor("X_Region", "eu")).toBe("eu");
      expect(await routeFor("X-Region", "eu", "Connection", "x-region")).toBe("other");
      expect(await routeFor("X_Region", "eu", "Connection", "keep-alive, X-Region")).toBe("other");
    });

    test("what is counted by", async () => {
      const statuses = async (name: (typeof HOST_NAMES)[number], ...fields: string[][]) => {
        const all: number[] = [];
        for (const headers of fields) all.push((await flow.sendTo(name, { target: "/one-a-minute", headers })).status);
        return all;
      };
      for (const name of HOST_NAMES)
        expect(
          await statuses(
            name,
            ["X-Tenant", "a"],
            ["X_Tenant", "a"],
            ["X-Tenant", "b", "Connection", "x-tenant"],
            ["X-Tenant", "c", "Connection", "x-tenant"],
          ),
        ).toEqual([200, 429, 200, 429]);
    });
  });

  test("a name in two spellings is refused", async () => {
    const headers = ["X-Tenant", "a", "X_Tenant", "b"];
    expect(await flow.send({ target: "/home", headers })).toMatchObject({ status: 400, received: undefined });
  });

  test("a name with _ alone goes on as it came", async () => {
    const { received } = await flow.send({ target: "/home", headers: ["x_custom", "1"] });
    expect(received!.headers.pairs).toContain("x_custom");
  });

  describe("a Host that is none", () => {
    test.each(["gateway.example:99999", "1.2.3.4.5", "256.1.1.1", "gateway.example..", "[::::]", "a".repeat(300)])(
      "%s",
      async (host) => {
        for (const name of HOST_NAMES) {
          const before = flow.backend.requests.length;
          const { status } = await flow.sendTo(name, { method: "POST", target: "/cached", headers: ["Host", host], body: "x" });
          expect([name, status]).toEqual([name, 400]);
          expect(flow.backend.requests.length).toBe(before);
        }
      },
    );
  });
});
