/** Which route serves a request: the most specific path wins, and it alone decides. */
import { expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";

describeHosts(import.meta.dirname, (flow) => {
  test.each([
    ["GET", "/anything", "everything"],
    ["GET", "/", "everything"],
    ["GET", "/users", "below-users"],
    ["GET", "/users/", "below-users"],
    ["GET", "/users/7", "user"],
    ["HEAD", "/users/7", "user"],
    ["PUT", "/users/7", "user"],
    ["GET", "/users/7/", "below-users"],
    ["GET", "/users/me", "me"],
    ["HEAD", "/users/me", "me"],
    ["POST", "/users/me", "change-me"],
    ["GET", "/users/%6De", "me"],
    ["GET", "/users/Me", "user"],
    ["GET", "/users/7/orders", "orders"],
    ["GET", "/users/me/orders", "orders"],
    ["DELETE", "/users/7/orders/1", "below-users"],
    ["GET", "/report", "report"],
    ["GET", "/report?format=csv", "csv"],
    ["GET", "/report?format=CSV", "report"],
    ["GET", "/report?x&format=csv", "csv"],
  ])("%s %s is served by %s", async (method, target, route) => {
    expect((await flow.send({ method, target })).received!.headers.get("x-route")).toBe(route);
  });

  test("more conditions are more specific", async () => {
    const answer = await flow.send({ target: "/report?format=csv", headers: ["x-beta", ""] });
    expect(answer.received!.headers.get("x-route")).toBe("beta-csv");
  });

  test.each([
    ["admin.example", "/users/me", "admin"],
    ["ADMIN.example:8080", "/users/me", "admin"],
    ["admin.example", "/users/7", "user"],
    ["a.partners.example", "/users/me", "partner"],
    ["b.a.partners.example", "/x", "partner"],
    ["partners.example", "/users/me", "me"],
  ])("at %s, %s is served by %s", async (host, target, route) => {
    expect((await flow.send({ target, headers: ["Host", host] })).received!.headers.get("x-route")).toBe(route);
  });

  test.each([
    ["DELETE", "/users/7", "GET, HEAD, PUT"],
    ["PUT", "/users/me", "GET, HEAD, POST"],
    ["OPTIONS", "/users/me", "GET, HEAD, POST"],
  ])("%s %s is 405: the winning path never falls through to a wider one", async (method, target, allow) => {
    const answer = await flow.send({ method, target });
    expect(answer).toMatchObject({ status: 405, received: undefined });
    expect(answer.headers.get("allow")).toBe(allow);
    expect(JSON.parse(answer.text)).toMatchObject({ code: "method-not-allowed", status: 405, instance: target });
  });
});
