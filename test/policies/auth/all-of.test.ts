/** `allOf`: what each of several authenticators tells the backend of its own caller. */
import { expect, test } from "vitest";
import { Outlet, type Sent } from "#lib/cli/dry-run-dispatcher.ts";
import { signWithSecret } from "../../support/issuer.ts";
import { gatewayOf } from "../gateway.ts";

const SECRETS = { USERS: "0123456789abcdef0123456789abcdef", APPS: "fedcba9876543210fedcba9876543210" };
const NOW_MS = 1_800_000_000_000;

function sentBy(auth: object): (headers: Record<string, string>) => Promise<(name: string) => readonly string[]> {
  const outlet = new Outlet();
  const { send } = gatewayOf(
    {
      backends: { shop: "http://shop.internal" },
      auth: {
        users: {
          jwt: { secret: "${env.USERS}", audience: "shop", headers: { "x-user": "sub", "x-mail": "email", "x-app": "email" } },
        },
        apps: {
          jwt: {
            secret: "${env.APPS}",
            audience: "shop",
            from: "header:x-app-token",
            headers: { "x-app": "sub", "x-mail": "email" },
          },
        },
      },
      routes: [{ path: "/", auth, backend: "shop" }],
    },
    { variables: SECRETS, now: () => NOW_MS, pools: outlet },
  );
  return async (headers) => {
    const sent = await new Promise<Sent>((resolve, reject) => {
      outlet.onSent = resolve;
      send({ headers }).then(({ status }) => reject(new Error(`answered ${status}`)));
    });
    return (name) =>
      sent.pairs.flatMap((text, index) => (index % 2 === 0 && text.toLowerCase() === name ? [sent.pairs[index + 1]!] : []));
  };
}

const user = (claims: object) => signWithSecret({ aud: "shop", sub: "ada", ...claims }, SECRETS.USERS, NOW_MS);
const app = (claims: object) => signWithSecret({ aud: "shop", sub: "till-7", ...claims }, SECRETS.APPS, NOW_MS);

test("each hands on the claims of its own token; of a field that both set, the first's value stands", async () => {
  const send = sentBy({ allOf: ["users", "apps"] });
  const headers = {
    authorization: `Bearer ${await user({ email: "ada@shop.example" })}`,
    "x-app-token": await app({ email: "till@shop.example" }),
  };
  const field = await send(headers);
  expect(field("x-gateway-consumer")).toEqual(["users:ada"]);
  expect(field("x-user")).toEqual(["ada"]);
  expect(field("x-mail")).toEqual(["ada@shop.example"]);
  expect(field("x-app")).toEqual(["ada@shop.example"]);
});

test("a claim that the first lacks is not taken from another's token", async () => {
  const send = sentBy({ allOf: ["users", "apps"] });
  const field = await send({
    authorization: `Bearer ${await user({})}`,
    "x-app-token": await app({ email: "till@shop.example" }),
  });
  expect(field("x-mail")).toEqual(["till@shop.example"]);
  expect(field("x-app")).toEqual(["till-7"]);
});

test("the order of the names says who is first", async () => {
  const send = sentBy({ allOf: ["apps", "users"] });
  const field = await send({
    authorization: `Bearer ${await user({ email: "ada@shop.example" })}`,
    "x-app-token": await app({}),
  });
  expect(field("x-gateway-consumer")).toEqual(["apps:till-7"]);
  expect(field("x-app")).toEqual(["till-7"]);
  expect(field("x-mail")).toEqual(["ada@shop.example"]);
});

test("any of: only of whoever was identified, and a caller's own copies never", async () => {
  const send = sentBy(["users", "apps"]);
  const field = await send({
    "x-app-token": await app({ email: "till@shop.example" }),
    "x-user": "eve",
    "x-mail": "eve@shop.example",
  });
  expect(field("x-user")).toEqual([]);
  expect(field("x-mail")).toEqual(["till@shop.example"]);
});
