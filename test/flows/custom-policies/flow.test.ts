/** Policies of one's own, and the line that one of them writes at the end of every request. */
import { expect, test } from "vitest";
import { describeHosts, type Flow, onEachHost } from "../../support/describe-hosts.ts";
import { HOST_NAMES, type HostName } from "../../support/host-process.ts";
import { RawConnection, type RawRequest, requestBytes } from "../../support/raw-client.ts";
import { until } from "../../support/until.ts";

describeHosts(import.meta.dirname, (flow) => {
  test("a refusal", async () => {
    expect(await flow.send({ target: "/partners/x", headers: ["x-partner", "yes"] })).toMatchObject({ status: 200 });
    const answer = await flow.send("/partners/x");
    expect(answer).toMatchObject({ status: 403, received: undefined });
    expect(JSON.parse(answer.text)).toMatchObject({ code: "not-allowed", detail: "This is for partners." });
  });

  test("in shadow mode it refuses nobody", async () => {
    expect((await flow.send("/soon/x")).status).toBe(200);
  });

  test("what the deciding half leaves behind, the forwarding half finds", async () => {
    const answer = await flow.send("/greet/z%C3%BC");
    expect(answer.received!.headers.get("x-greeting")).toBe("hello zü");
    expect(answer.headers.all("x-shaped").join(", ")).toBe("response, send");
  });

  test("a policy that reads the body first", async () => {
    expect((await flow.send({ method: "POST", target: "/checked", body: "fine" })).received!.body.toString()).toBe("fine");
    expect(await flow.send({ method: "POST", target: "/checked", body: "a secret" })).toMatchObject({
      status: 403,
      received: undefined,
    });
    expect(await flow.send({ method: "POST", target: "/checked", body: "x".repeat(1001) })).toMatchObject({
      status: 413,
      received: undefined,
    });
    expect((await flow.send("/checked")).status).toBe(200);
  });

  test("a policy that changes bytes in both directions, and what had been said of their length", async () => {
    flow.backend.on("/shout", ({ body }, response) =>
      response.writeHead(200, { "content-length": 4 + body.length }).end(`got ${body}`),
    );
    const answer = await flow.send({ method: "POST", target: "/shout", body: "hello" });
    expect(answer.received!.body.toString()).toBe("HELLO!");
    expect(answer.text).toBe("GOT HELLO!!");
    expect(answer.isWhole).toBe(true);
  });

  test("a policy that takes its time", async () => {
    expect((await flow.send("/judge")).status).toBe(200);
    expect((await flow.send("/judge?guilty")).status).toBe(403);
  });

  test("a refusal with a code of its own is a problem like any other, with a page", async () => {
    const answer = await flow.send("/closed");
    expect(answer).toMatchObject({ status: 503, received: undefined });
    expect(answer.headers.get("x-gateway-error")).toBe("custom/shop-closed");
    expect(answer.headers.get("retry-after")).toBe("60");
    expect(JSON.parse(answer.text)).toMatchObject({
      type: "/gateway/problems/custom/shop-closed",
      title: "The shop is closed",
      status: 503,
      detail: "We open at 8.",
      code: "custom/shop-closed",
    });
    expect(answer.text).not.toContain("it is late");
    const page = await flow.send("/gateway/problems/custom/shop-closed");
    expect(page.status).toBe(200);
    expect(page.text).toContain("Orders are taken from 8 to 20 o'clock.");
    expect((await flow.send("/gateway/problems")).text).toContain("custom/shop-closed");
    expect((await flow.send("/gateway/problems/custom/no-such-code")).status).toBe(401);
    expect((await flow.send("/closed-soon")).status).toBe(200);
  });

  test("a bug in a policy is 500, tells the caller nothing, and is logged with the request's id", async () => {
    const answer = await flow.send("/broken");
    expect(answer).toMatchObject({ status: 500, received: undefined });
    expect(answer.text).not.toContain("inner detail");
    const { requestId } = JSON.parse(answer.text);
    await until(() => flow.host("node").output.includes(requestId), "the line in the log");
    const line = flow
      .host("node")
      .output.split("\n")
      .find((text) => text.includes("inner detail"))!;
    expect(JSON.parse(line)).toMatchObject({ level: "error", policy: "broken" });
    expect((await flow.send("/broken-soon")).status).toBe(200);
  });

  describeEnds(flow);
});

function describeEnds(flow: Flow): void {
  const ends: [what: string, request: RawRequest, line: Record<string, unknown>][] = [
    [
      "answered by the backend",
      { method: "POST", target: "/served", body: "12345" },
      { status: 200, source: "backend", aborted: false, bytesIn: 5, bytesOut: 15 },
    ],
    ["refused", { target: "/partners/x" }, { status: 403, source: "gateway", code: "not-allowed", aborted: false }],
    [
      "refused with a code of a policy's own",
      { target: "/closed" },
      { status: 503, source: "gateway", code: "custom/shop-closed" },
    ],
    ["answered by the gateway", { target: "/teapot" }, { status: 418, source: "gateway", aborted: false, bytesOut: 15 }],
    [
      "failed by the backend",
      { target: "/down" },
      { status: 502, source: "gateway", code: "backend-unreachable", aborted: false },
    ],
    ["a bug", { target: "/broken" }, { status: 500, source: "gateway", code: "internal", aborted: false }],
    [
      "too large",
      { method: "POST", target: "/checked", body: "x".repeat(1001) },
      { status: 413, source: "gateway", code: "payload-too-large", aborted: false },
    ],
    ["without a body", { method: "HEAD", target: "/served" }, { status: 200, source: "backend", aborted: false, bytesOut: 0 }],
  ];
  for (const [what, request, line] of ends) {
    test.each(HOST_NAMES)(`the end of a request that was ${what} is told once (%s)`, async (name) => {
      const id = `end-${what}-${name}`.replaceAll(" ", "-");
      await flow.sendTo(name, { ...request, headers: ["x-request-id", id, ...(request.headers ?? [])] });
      expect(await auditLines(flow, name, id)).toMatchObject([line]);
    });
  }

  onEachHost("the end of a request whose caller has gone is told once", flow, async ({ name, port }) => {
    flow.backend.on("/endless", (_, response) => response.writeHead(200).write("begun"));
    const id = `gone-${name}`;
    const connection = await RawConnection.open(port);
    connection.write(requestBytes({ target: "/endless", headers: ["x-request-id", id] }));
    await connection.readUntil("begun");
    connection.close();
    expect(await auditLines(flow, name, id)).toMatchObject([{ status: 200, aborted: true, bytesOut: 5 }]);
  });

  onEachHost("the end of a request whose backend broke off is told once", flow, async ({ name }) => {
    flow.backend.on("/short", (_, response) => response.socket!.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun"));
    const id = `short-${name}`;
    await flow.sendTo(name, { target: "/short", headers: ["x-request-id", id] });
    expect(await auditLines(flow, name, id)).toMatchObject([{ status: 200, aborted: true }]);
  });
}

/** The audit lines of a request, once there is one and a later request's is there too: a second one of this would stand between. */
async function auditLines(flow: Flow, name: HostName, id: string): Promise<unknown[]> {
  const host = flow.host(name);
  const linesOf = (wanted: string) =>
    host.output
      .split("\n")
      .filter((line) => line.includes('"message":"audit"') && line.includes(`"requestId":"${wanted}"`))
      .map((line) => JSON.parse(line.slice(line.indexOf("{"))));
  await until(() => linesOf(id).length > 0, `the audit line of ${id}`);
  await flow.sendTo(name, { target: "/teapot", headers: ["x-request-id", `${id}-after`] });
  await until(() => linesOf(`${id}-after`).length > 0, "the audit line of a later request");
  return linesOf(id);
}
