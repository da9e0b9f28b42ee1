import { describe, expect, test } from "vitest";
import { gatewayOf } from "../gateway.ts";

describe("ip", () => {
  const { send } = gatewayOf(
    {
      routes: [
        { path: "/office", ip: { allow: ["192.0.2.0/24", "2001:db8::/32", "${env.VPN}"] } },
        { path: "/open", ip: { deny: "203.0.113.0/24" } },
        { path: "/most", ip: { allow: "10.0.0.0/8", deny: "10.9.0.0/16" } },
        { path: "/known", ip: { deny: "203.0.113.0/24", unknown: "deny" } },
        { path: "/anyone", ip: { allow: "10.0.0.0/8", unknown: "allow" } },
        { path: "/trial", ip: { allow: "10.0.0.0/8", mode: "shadow" } },
      ],
    },
    { variables: { VPN: "198.51.100.7, 198.51.100.9" } },
  );

  test.each([
    ["/office", "192.0.2.9", 200],
    ["/office", "2001:db8::9", 200],
    ["/office", "198.51.100.9", 200],
    ["/office", "198.51.100.8", 403],
    ["/office", undefined, 403],
    ["/open", "192.0.2.9", 200],
    ["/open", "203.0.113.9", 403],
    ["/open", undefined, 200],
    ["/most", "10.1.2.3", 200],
    ["/most", "10.9.2.3", 403],
    ["/known", undefined, 403],
    ["/anyone", undefined, 200],
    ["/anyone", "192.0.2.9", 403],
    ["/trial", "192.0.2.9", 200],
  ])("%s from %s is %i", async (target, ip, status) => expect((await send({ target, ip })).status).toBe(status));

  test("the caller is told the code, the record says which rule", async () => {
    const { text, record, steps } = await send({ target: "/open", ip: "203.0.113.9" });
    expect(JSON.parse(text)).toMatchObject({ code: "ip-denied", status: 403 });
    expect(text).not.toContain("203.0.113.9");
    expect(record).toMatchObject({ code: "ip-denied", reason: "203.0.113.9 is denied" });
    expect(steps).toEqual(["ip: refused"]);
  });

  test("in shadow mode it is only written down", async () => {
    const { steps, record } = await send({ target: "/trial", ip: "192.0.2.9" });
    expect(steps).toEqual(["ip: would-refuse", "respond: answered"]);
    expect(record.steps[0]).toMatchObject({ code: "ip-denied", reason: "192.0.2.9 is not allowed" });
  });
});
