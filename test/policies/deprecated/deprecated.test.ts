import { expect, test } from "vitest";
import { gatewayOf } from "../gateway.ts";

const { send } = gatewayOf({
  routes: [
    {
      path: "/v1/*",
      maintenance: { except: "/v1/open" },
      deprecated: { since: "2027-01-31", sunset: "2027-06-30T12:00:00Z", link: "https://docs.example/v2" },
    },
    {
      path: "/old",
      respond: { headers: { link: '<https://a.example>; rel="next"' } },
      deprecated: { since: "2027-01-31T00:00:01Z" },
    },
    { path: "/v1/down", maintenance: true, deprecated: { since: "2027-01-31" } },
  ],
});

test("as RFC 9745 and RFC 8594 write it", async () => {
  const { headers } = await send({ target: "/v1/x" });
  expect(headers.get("deprecation")).toBe("@1801353600");
  expect(headers.get("sunset")).toBe("Wed, 30 Jun 2027 12:00:00 GMT");
  expect(headers.get("link")).toBe('<https://docs.example/v2>; rel="deprecation"');
});

test("a link of the answer's own stays, and what is not said is not sent", async () => {
  const { headers } = await send({ target: "/old" });
  expect(headers.all("link")).toEqual(['<https://a.example>; rel="next"']);
  expect(headers.get("deprecation")).toBe("@1801353601");
  expect(headers.has("sunset")).toBe(false);
});

test("on refusals too", async () => {
  const answer = await send({ target: "/v1/down" });
  expect([answer.status, answer.headers.get("deprecation")]).toEqual([503, "@1801353600"]);
});
