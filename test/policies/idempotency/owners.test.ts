/** Whose an idempotency key is, and how much of the store one caller may have. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createPools } from "#lib/backends/pools.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { type Backend, startBackend } from "../../support/backend.ts";
import { gatewayOf, type Received, type Sent, type TestGateway } from "../gateway.ts";

const pools = createPools();
let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
beforeEach(() => {
  backend.requests.length = 0;
});
afterAll(async () => {
  backend.close();
  await pools.close();
});

/** A route for everybody, whose answer counts up. */
function gateway(idempotency: object = {}, stores = createMemoryStores()): TestGateway {
  let count = 0;
  backend.on("/pay", (received, response) => response.writeHead(201).end(`payment ${++count} of ${received.body}`));
  const route = { path: "/*", backend: "shop", idempotency: { anonymous: true, ...idempotency } };
  return gatewayOf({ backends: { shop: backend.url }, routes: [route] }, { pools, stores });
}

const pay = ({ key = "8e03978e-40d5-43e8", headers, ...rest }: Sent & { readonly key?: string } = {}): Sent => {
  return { method: "POST", target: "/pay", body: "10", ...rest, headers: { "idempotency-key": key, ...headers } };
};
const replayed = ({ headers }: Received) => headers.get("idempotency-replayed");

describe("whose a key is", () => {
  test("one host's key is nothing to another host", async () => {
    const { send } = gateway();
    const answers = [];
    for (const host of ["a.test", "b.test", "A.test"]) answers.push((await send(pay({ host }))).text);
    expect(answers).toEqual(["payment 1 of 10", "payment 2 of 10", "payment 1 of 10"]);
  });

  test("nor to another tenant, where `by` names its field", async () => {
    const { send } = gateway({ by: "header:X-Tenant" });
    const answers = [];
    for (const tenant of ["a", "b", "a"]) answers.push((await send(pay({ headers: { "x-tenant": tenant } }))).text);
    answers.push((await send(pay())).text);
    expect(answers).toEqual(["payment 1 of 10", "payment 2 of 10", "payment 1 of 10", "payment 3 of 10"]);
  });
});

describe("one caller's share of the store", () => {
  const key = (name: string) => `${name}-8e03978e-40d5-43e8`;

  test("a caller with as many keys as one may have is refused, and nobody else is", async () => {
    const { send } = gateway({}, createMemoryStores({ maxClaims: 8 }));
    const eve = { ip: "2001:db8::1" };
    for (const name of ["1", "2"]) expect((await send(pay({ key: key(name), ...eve }))).status).toBe(201);
    // All of a network are one.
    const refused = await send(pay({ key: key("3"), ip: "2001:db8::2" }));
    expect([refused.status, refused.record.code]).toEqual([429, "idempotency-keys-exhausted"]);
    expect(replayed(await send(pay({ key: key("1"), ...eve })))).toBe("true");
    expect((await send(pay({ key: key("3"), ip: "192.0.2.1" }))).status).toBe(201);
    expect(backend.requests).toHaveLength(3);
  });

  test("answers for which there is no room are not given again, and nothing is carried out twice", async () => {
    const { send } = gateway({}, createMemoryStores({ maxClaimBytes: 4000 }));
    backend.on("/pay", (_, response) => response.end("x".repeat(1000)));
    expect((await send(pay())).text).toHaveLength(1000);
    const again = await send(pay());
    expect([again.status, again.record.code]).toEqual([409, "idempotency-not-kept"]);
    expect(backend.requests).toHaveLength(1);
  });
});
