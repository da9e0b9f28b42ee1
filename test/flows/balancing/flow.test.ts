/** Several targets of one service. Each host chooses by itself, so each is asked by itself; what a caller finds again is the same on both. */
import { expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { HOST_NAMES, type HostName } from "../../support/host-process.ts";

describeHosts(import.meta.dirname, (flow) => {
  async function shares(host: HostName, target: string, times: number): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (let i = 0; i < times; i++) {
      const { received } = await flow.sendTo(host, target);
      counts[received!.target] = (counts[received!.target] ?? 0) + 1;
    }
    return counts;
  }

  test.each(HOST_NAMES)("in turn, by weight, and only while there is need (%s)", async (host) => {
    expect(await shares(host, "/turns", 10)).toEqual({ "/one/turns": 5, "/two/turns": 5 });
    const { "/one/weights": three = 0 } = await shares(host, "/weights", 12);
    expect(three).toBeGreaterThanOrEqual(8);
    expect(three).toBeLessThanOrEqual(10);
    expect(await shares(host, "/reserve", 3)).toEqual({ "/two/reserve": 3 });
  });

  test.each(HOST_NAMES)("a caller without the cookie gets one, and finds its target by it (%s)", async (host) => {
    const first = await flow.sendTo(host, "/seats");
    const [cookie] = first.headers.all("set-cookie");
    expect(cookie).toMatch(/^seat=[\w-]{12}; Path=\/; HttpOnly; SameSite=Lax$/);
    for (let i = 0; i < 4; i++) {
      const again = await flow.sendTo(host, { target: "/seats", headers: ["cookie", cookie!.split(";")[0]!] });
      expect(again.received!.target).toBe(first.received!.target);
      expect(again.headers.has("set-cookie")).toBe(false);
    }
  });

  test("the same value has the same target on both hosts", async () => {
    const targets = new Set<string>();
    for (let i = 0; i < 12; i++)
      targets.add((await flow.send({ target: "/tenants", headers: ["x-tenant", `tenant-${i}`] })).received!.target);
    expect([...targets].sort()).toEqual(["/one/tenants", "/two/tenants"]);
  });
});
