/** Time-outs end an attempt when they say, and never for a caller's slowness. */
import { createServer, type Server } from "node:net";
import { afterAll, describe, expect, test } from "vitest";
import { RawConnection } from "../support/raw-client.ts";
import { until } from "../support/until.ts";
import { trafficForAll } from "./traffic-host.ts";

/** Takes connections and says nothing, not even the answer to a TLS handshake. */
const mute = await new Promise<Server>((resolve) => {
  const server: Server = createServer(() => {}).listen(0, "127.0.0.1", () => resolve(server));
});
const mutePort = (mute.address() as { port: number }).port;
afterAll(() => mute.close());

const { one, host } = await trafficForAll(({ one }) => ({
  backends: { one, mute: { url: `https://127.0.0.1:${mutePort}`, timeout: { connect: "300ms" } } },
  routes: [
    { path: "/first/:ms", backend: "one", timeout: "200ms" },
    { path: "/later", backend: "one", timeout: "1200ms" },
    { path: "/idle", backend: "one", timeout: { idle: "300ms" } },
    { path: "/connect", backend: "mute" },
  ],
}));

/** undici's timers tick twice a second and are late by up to one. */
const isPrompt = (ms: number, setMs: number) => ms >= setMs - 5 && ms < setMs + 250;

describe("an attempt ends when its time is over", () => {
  test.each([
    ["firstByte", "/first/a", 200],
    ["firstByte", "/later", 1200],
    ["connect", "/connect", 300],
  ])("%s, for %s", async (which, target, setMs) => {
    one.on(target, () => {});
    const { status, record } = await host.send(target);
    expect(status).toBe(504);
    expect(record.reason).toBe(`${which} time-out`);
    const { ms } = record.attempts[0]!;
    expect(isPrompt(ms, setMs), `${ms} ms`).toBe(true);
  });

  test("idle, within a body", async () => {
    one.on("/idle", (_, response) => void response.writeHead(200).write("begun"));
    const { isWhole, record } = await host.send("/idle");
    expect(isWhole).toBe(false);
    expect(record.attempts[0]!.error).toBe("idle time-out");
    expect(isPrompt(record.attempts[0]!.ms, 300), `${record.attempts[0]!.ms} ms`).toBe(true);
  });
});

describe("a caller's own slowness ends nothing", () => {
  test("who sends a body slowly is waited for: `firstByte` begins with the request's last byte", async () => {
    const pause = 3 * 200;
    one.onHead("/first/slow", (_, response, request) => void request.resume().on("end", () => response.end("whole")));
    const connection = await RawConnection.open(host.port);
    connection.write("POST /first/slow HTTP/1.1\r\nHost: gateway.example\r\nContent-Length: 2\r\n\r\na");
    const received = await one.last();
    const startedMs = performance.now();
    await until(() => performance.now() - startedMs > pause, "a pause of the caller");
    expect(received.hungUp).toBe(false);
    connection.write("b");
    const { status, body } = await connection.readAnswer();
    expect([status, body.toString()]).toEqual([200, "whole"]);
    connection.close();
  });

  test("who reads slowly is waited for: `idle` is the backend's silence alone", async () => {
    const bytes = 8_000_000;
    one.on("/idle", (_, response) => response.end(Buffer.alloc(bytes)));
    const connection = await RawConnection.open(host.port);
    connection.socket.pause();
    connection.write("GET /idle HTTP/1.1\r\nHost: gateway.example\r\n\r\n");
    await one.last();
    const startedMs = performance.now();
    await until(() => performance.now() - startedMs > 3 * 300, "a pause of the caller");
    connection.socket.resume();
    const { isWhole, body } = await connection.readAnswer();
    expect([isWhole, body.length]).toEqual([true, bytes]);
    connection.close();
  });
});
