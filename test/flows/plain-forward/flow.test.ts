/** Everything goes to one backend as it came. */
import { expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";

describeHosts(import.meta.dirname, (flow) => {
  test.each(["GET", "DELETE", "OPTIONS"])("%s reaches the backend, and its answer the caller", async (method) => {
    const answer = await flow.send({ method, target: "/products/7?full=yes" });
    expect(answer.status).toBe(200);
    expect(answer.received).toMatchObject({ method, target: "/products/7?full=yes" });
    expect(JSON.parse(answer.text)).toEqual({ served: true });
  });

  test.each(["POST", "PUT", "PATCH", "DELETE"])("%s with a body", async (method) => {
    const answer = await flow.send({
      method,
      target: "/products",
      headers: ["content-type", "application/json"],
      body: '{"name":"ü"}',
    });
    expect(answer.received!.body.toString("utf8")).toBe('{"name":"ü"}');
    expect(answer.received!.headers.get("content-type")).toBe("application/json");
    expect(answer.received!.headers.get("content-length")).toBe("13");
  });

  test("HEAD has the fields of GET and no body", async () => {
    const answer = await flow.send({ method: "HEAD", target: "/products" });
    expect(answer).toMatchObject({ status: 200, text: "" });
    expect(answer.received!.method).toBe("HEAD");
  });

  test.each([201, 204, 205, 304, 400, 404, 418, 500, 503])("status %i passes", async (status) => {
    flow.backend.on("/status", (_, response) => response.writeHead(status, { "x-from": "backend" }).end());
    const answer = await flow.send("/status");
    expect(answer.status).toBe(status);
    expect(answer.headers.get("x-from")).toBe("backend");
  });

  test("a backend's redirect goes to the caller, not round again", async () => {
    flow.backend.on("/old", (_, response) => response.writeHead(302, { location: "/new?x=1" }).end());
    expect((await flow.send("/old")).headers.get("location")).toBe("/new?x=1");
  });

  test("several cookies stay several", async () => {
    flow.backend.on("/login", (_, response) => response.writeHead(200, { "set-cookie": ["a=1; Path=/", "b=2, 3"] }).end("in"));
    expect((await flow.send("/login")).headers.all("set-cookie")).toEqual(["a=1; Path=/", "b=2, 3"]);
  });

  test("bytes are bytes", async () => {
    const body = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    flow.backend.on("/bytes", ({ body: sent }, response) =>
      response.writeHead(200, { "content-type": "application/octet-stream" }).end(sent),
    );
    const answer = await flow.send({ method: "POST", target: "/bytes", body });
    expect(answer.body.equals(body)).toBe(true);
  });
});
