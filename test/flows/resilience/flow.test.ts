/** A target that is away or fails, on both hosts; each keeps its own count, so each is asked by itself. */
import { beforeAll, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { ADMIN_TOKEN, HOST_NAMES, type HostName } from "../../support/host-process.ts";

describeHosts(import.meta.dirname, (flow) => {
  const statuses = async (host: HostName, method: string, target: string, times: number) => {
    const got: number[] = [];
    for (let i = 0; i < times; i++) got.push((await flow.sendTo(host, { method, target, body: "x" })).status);
    return got;
  };
  beforeAll(() => {
    for (const path of ["failing", "once", "broken"])
      flow.backend.on(`/failing/${path}`, (_, response) => response.writeHead(503).end("no"));
  });

  test.each(HOST_NAMES)("nobody listens at one of two: every request is served, whatever its method (%s)", async (host) => {
    expect(await statuses(host, "POST", "/away", 20)).toEqual(Array(20).fill(200));
  });

  test.each(HOST_NAMES)("one of two answers 503: repeatable requests are served, and soon it is left out (%s)", async (host) => {
    const before = flow.backend.requests.length;
    expect(await statuses(host, "PUT", "/failing", 30)).toEqual(Array(30).fill(200));
    const failed = flow.backend.requests.slice(before).filter(({ target }) => target === "/failing/failing");
    expect(failed).toHaveLength(5);
    expect(new Set(flow.backend.requests.slice(before).map(({ body }) => body.toString()))).toEqual(new Set(["x"]));
  });

  test.each(HOST_NAMES)("the operator sees which target is out, and why; others do not (%s)", async (host) => {
    const health = async (headers: string[]) =>
      JSON.parse((await flow.sendTo(host, { target: "/gateway/health", headers })).text);
    const { backends } = await health(["authorization", `Bearer ${ADMIN_TOKEN}`]);
    const { targets } = backends.find(({ name }: { name: string }) => name === "failing");
    expect(targets).toEqual([
      { url: `${flow.backend.url}/failing`, state: "down", reason: "5 failures in a row", inFlight: 0 },
      { url: `${flow.backend.url}/well`, state: "up", inFlight: 0 },
    ]);
    expect(await health([])).toEqual({ status: "ok" });
  });

  test.each(HOST_NAMES)("without any of it, half of them fail (%s)", async (host) => {
    const got = await statuses(host, "GET", "/once", 10);
    expect(got.filter((status) => status === 503)).toHaveLength(5);
  });

  test.each(HOST_NAMES)("an open breaker answers in place of the backend (%s)", async (host) => {
    expect(await statuses(host, "GET", "/broken", 3)).toEqual([503, 503, 503]);
    const answer = await flow.sendTo(host, "/broken");
    expect([answer.status, answer.headers.get("x-gateway-error"), answer.received]).toEqual([
      503,
      "no-backend-available",
      undefined,
    ]);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(2000);
    expect(answer.text).not.toContain("127.0.0.1");
  });
});
