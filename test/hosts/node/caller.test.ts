import { createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import type { CompiledConfig } from "#lib/contract/compiled/config.ts";
import { callerOf } from "#lib/hosts/node/caller.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import { readRequestHeaders } from "#lib/http/sanitize-headers.ts";

const configWith = (...proxies: string[]) => ({ trust: { proxies } }) as unknown as CompiledConfig;
const connection = (remoteAddress: string | undefined) => ({ socket: { remoteAddress } }) as unknown as IncomingMessage;
const spoofed = readRequestHeaders(
  new HeaderList([
    "Host",
    "gateway.example",
    "X-Forwarded-For",
    "1.1.1.1, 203.0.113.7",
    "X-Forwarded-Proto",
    "https",
    "X-Forwarded-Host",
    "shop.example",
  ]),
);

describe("the caller on the Node host", () => {
  test.each([
    ["with no proxies", configWith(), "10.0.0.1"],
    ["from another than a proxy", configWith("10.0.0.0/8"), "192.0.2.1"],
  ])("%s: the socket's word alone", (_, config, remote) =>
    expect(callerOf(connection(remote), spoofed, config)).toEqual({
      client: { ip: remote, geo: undefined },
      scheme: "http",
      host: "gateway.example",
    }),
  );

  test("from a proxy: what it says", () =>
    expect(callerOf(connection("::ffff:10.0.0.1"), spoofed, configWith("10.0.0.0/8"))).toEqual({
      client: { ip: "203.0.113.7", geo: undefined },
      scheme: "https",
      host: "shop.example",
    }));

  test("a proxy that says nothing asks for itself", () =>
    expect(
      callerOf(connection("10.0.0.1"), readRequestHeaders(new HeaderList(["host", "a.example"])), configWith("10.0.0.1")),
    ).toEqual({
      client: { ip: "10.0.0.1", geo: undefined },
      scheme: "http",
      host: "a.example",
    }));

  test("one object for a connection, one for each request of a proxy's", () => {
    const direct = connection("192.0.2.1");
    const config = configWith("10.0.0.0/8");
    expect(callerOf(direct, spoofed, config).client).toBe(callerOf(direct, spoofed, config).client);
    const proxied = connection("10.0.0.1");
    expect(callerOf(proxied, spoofed, config).client).not.toBe(callerOf(proxied, spoofed, config).client);
  });

  test("a reload may trust others", () => {
    const proxied = connection("10.0.0.1");
    expect(callerOf(proxied, spoofed, configWith("10.0.0.0/8")).client.ip).toBe("203.0.113.7");
    expect(callerOf(proxied, spoofed, configWith()).client.ip).toBe("10.0.0.1");
  });

  test("a socket that is gone", () =>
    expect(callerOf(connection(undefined), spoofed, configWith("0.0.0.0/0")).client.ip).toBeUndefined());

  test("a frontend that tells no place: the database is asked for the person's address, never for the edge's", () => {
    const secret = "frontend-0123456789-0123456789-0123456789";
    const payload = Buffer.from(JSON.stringify({ ip: "203.0.113.7", t: Date.now() / 1000 })).toString("base64url");
    const signature = createHmac("sha256", secret).update(`${payload}\nGET /a`).digest("base64url");
    const facts = readRequestHeaders(new HeaderList(["Host", "a.example", "X-Gateway-Client", `${payload}.${signature}`]));
    const config = { trust: { proxies: [], frontends: [secret] } } as unknown as CompiledConfig;
    const request = Object.assign(connection("192.0.2.1"), { method: "GET", url: "/a" });
    const asked: string[] = [];
    const { client } = callerOf(request, facts, config, (ip) => {
      asked.push(ip);
      return { country: "DE" };
    });
    expect([client.ip, client.geo, client.frontend?.edge]).toEqual(["203.0.113.7", { country: "DE" }, "192.0.2.1"]);
    expect(asked).toEqual(["203.0.113.7"]);
  });
});
