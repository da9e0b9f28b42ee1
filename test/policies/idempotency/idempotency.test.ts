/** One gateway without sockets in front of a real backend that counts: who is let through, what is kept, and what a bad end leaves behind. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createPools } from "#lib/backends/pools.ts";
import type { Once } from "#lib/contract/stores/once.ts";
import { unavailable } from "#lib/contract/stores/reply.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { type Backend, startBackend } from "../../support/backend.ts";
import { until } from "../../support/until.ts";
import { gatewayOf, type Received, type Sent, type TestGateway } from "../gateway.ts";

const pools = createPools();
let backend: Backend;
let nowMs = 0;
beforeAll(async () => {
  backend = await startBackend();
});
beforeEach(() => {
  backend.requests.length = 0;
  nowMs = Date.UTC(2030, 0, 1);
});
afterAll(async () => {
  backend.close();
  await pools.close();
});

const KEY = "8e03978e-40d5-43e8";

interface Options {
  readonly stores?: Stores;
  readonly more?: object;
  readonly url?: string;
  readonly error?: (...said: unknown[]) => void;
}

/** A route for everybody, whose answer counts up. */
function gateway(idempotency: object = {}, { stores, more, error, url = backend.url }: Options = {}): TestGateway {
  let count = 0;
  backend.on("/pay", (received, response) => {
    count += 1;
    response.writeHead(201, {
      "content-type": "text/plain",
      "set-cookie": "sid=1",
      "x-count": String(count),
      location: "/payments/1",
    });
    response.end(`payment ${count} of ${received.body}`);
  });
  const route = { path: "/*", backend: "shop", idempotency: { anonymous: true, ...idempotency }, ...more };
  return gatewayOf(
    { backends: { shop: { url, timeout: { connect: "1s", firstByte: "20s" } } }, routes: [route] },
    { pools, now: () => nowMs, ...(stores && { stores }), ...(error && { error }) },
  );
}

const pay = (more: Sent & { readonly key?: string } = {}): Sent => {
  const { key = KEY, headers, ...rest } = more;
  return { method: "POST", target: "/pay", body: "10", ...rest, headers: { "idempotency-key": key, ...headers } };
};
const replayed = ({ headers }: Received) => headers.get("idempotency-replayed");

describe("a repeated request", () => {
  test("gets the first answer, marked, without its cookies, and the backend is asked once", async () => {
    const { send } = gateway();
    const first = await send(pay());
    expect([first.status, first.text, first.headers.get("set-cookie"), replayed(first)]).toEqual([
      201,
      "payment 1 of 10",
      "sid=1",
      undefined,
    ]);
    const second = await send(pay());
    expect([second.status, second.text, second.headers.get("set-cookie"), replayed(second)]).toEqual([
      201,
      "payment 1 of 10",
      undefined,
      "true",
    ]);
    expect(second.headers.get("location")).toBe("/payments/1");
    expect(second.headers.get("content-length")).toBe("15");
    expect(second.headers.all("x-request-id")).toHaveLength(1);
    expect(second.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
    expect(second.steps).toEqual(["idempotency: answered"]);
    expect(backend.requests).toHaveLength(1);
  });

  test("the key goes on to the backend, which is asked for plain bytes", async () => {
    await gateway().send(pay({ headers: { "accept-encoding": "gzip" } }));
    const { headers } = backend.requests[0]!;
    expect([headers.get("idempotency-key"), headers.get("accept-encoding")]).toEqual([KEY, "identity"]);
  });

  test.each([
    ["quoted and bare are one key", { key: `"${KEY}"` }, 201],
    ["another body", { body: "11" }, 422],
    ["another query", { target: "/pay?x" }, 422],
    ["another method", { method: "PATCH" }, 422],
    ["another type of the same bytes", { headers: { "content-type": "application/json" } }, 422],
    ["without a body", { body: undefined }, 422],
  ] as const)("%s", async (_, changed, status) => {
    const { send } = gateway();
    await send(pay());
    const { body, ...other } = pay(changed as Sent);
    const answer = await send(body === undefined ? other : { ...other, body });
    expect([answer.status, backend.requests.length]).toEqual([status, 1]);
  });

  test("is carried out again once the answer's time is over", async () => {
    const { send } = gateway({ ttl: "1h" });
    await send(pay());
    nowMs += 3_599_000;
    expect(replayed(await send(pay()))).toBe("true");
    nowMs += 1_000;
    expect((await send(pay())).text).toBe("payment 2 of 10");
  });

  test("the fields of one caller's answer are made anew for the next", async () => {
    const { send } = gateway({}, { more: { cors: ["https://a.example", "https://b.example"], limit: "10/d" } });
    await send(pay({ headers: { origin: "https://a.example" } }));
    const { headers } = await send(pay({ headers: { origin: "https://b.example" } }));
    expect(headers.all("access-control-allow-origin")).toEqual(["https://b.example"]);
    expect(headers.all("ratelimit").join()).toContain("r=8");
  });

  test("an answer shaped by `headers` is shaped once", async () => {
    const { send } = gateway({}, { more: { headers: { response: { append: { "x-tag": "one" } } } } });
    for (let i = 0; i < 2; i++) expect((await send(pay())).headers.all("x-tag")).toEqual(["one"]);
  });
});

describe("keys", () => {
  test.each([
    ["", 400],
    [`"${KEY}`, 400],
    [`"${KEY}", "${KEY}"`, 400],
    [`"${KEY}";a=1`, 400],
    [`${KEY},${KEY}`, 400],
    [`${KEY} ${KEY}`, 400],
    ["k".repeat(256), 400],
    ["k".repeat(255), 201],
    [`"${"k".repeat(20)}\\"\\\\"`, 201],
    // Whom nobody knows could be anybody who guesses it.
    ["k".repeat(15), 400],
  ])("%j is %i", async (key, status) => {
    const answer = await gateway().send(pay({ key }));
    expect([answer.status, backend.requests.length]).toEqual([status, status === 201 ? 1 : 0]);
    if (status === 400) expect(answer.record.code).toBe("idempotency-key-invalid");
  });

  test("two fields are no key", async () => {
    const fields = ["idempotency-key", KEY, "idempotency-key", KEY];
    expect((await gateway().send({ ...pay(), headers: fields })).record.code).toBe("idempotency-key-invalid");
  });

  test("where none is sent a request is as ever, of any length; where it is required it is refused", async () => {
    const large = { method: "POST", target: "/pay", body: "x".repeat(2000) };
    expect((await gateway({ maxBody: "1kb" }).send(large)).status).toBe(201);
    expect((await gateway({ required: true }).send(large)).record.code).toBe("idempotency-key-missing");
    expect(backend.requests).toHaveLength(1);
  });

  test("other methods neither need nor use one", async () => {
    const { send } = gateway({ required: true, maxBody: "1kb" });
    for (const method of ["PUT", "DELETE", "GET"]) {
      const sent = { method, target: "/pay", ...(method === "PUT" && { body: "x".repeat(2000) }) };
      for (let i = 0; i < 2; i++) expect(replayed(await send({ ...sent, headers: { "idempotency-key": KEY } }))).toBeUndefined();
    }
    expect(backend.requests).toHaveLength(6);
  });

  test("a body over the bound is refused before anything is claimed or sent", async () => {
    const { send } = gateway({ maxBody: "1kb" });
    expect((await send(pay({ body: "x".repeat(1025) }))).record.code).toBe("payload-too-large");
    expect((await send(pay({ body: "x".repeat(1024) }))).status).toBe(201);
  });

  test("belong to their route and caller", async () => {
    const as = (user: string) => ({ authorization: `Basic ${Buffer.from(`${user}:${user}`).toString("base64")}` });
    gateway();
    const { send } = gatewayOf(
      {
        backends: { shop: backend.url },
        auth: { staff: { basic: { users: { ada: "${env.ADA}", bob: "${env.BOB}" } } } },
        routes: [
          { path: "/pay", backend: "shop", auth: "staff", idempotency: true },
          { path: "/maybe", backend: "shop", rewrite: "/pay", auth: { optional: "staff" }, idempotency: { required: true } },
        ],
      },
      { pools, variables: { ADA: "ada", BOB: "bob" } },
    );
    expect((await send(pay({ key: "1", headers: as("ada") }))).text).toBe("payment 1 of 10");
    expect((await send(pay({ key: "1", headers: as("bob") }))).text).toBe("payment 2 of 10");
    expect((await send(pay({ key: "1", headers: as("ada") }))).text).toBe("payment 1 of 10");
    expect((await send(pay({ key: "1" }))).status).toBe(401);
    expect((await send(pay({ key: "1", target: "/maybe", headers: as("ada") }))).text).toBe("payment 3 of 10");
    // Nobody is known: the key is nothing to the gateway.
    for (const count of [4, 5]) expect((await send(pay({ key: "1", target: "/maybe" }))).text).toBe(`payment ${count} of 10`);
  });
});

describe("while the first is under way", () => {
  /** A backend that answers when it is let. */
  function held(): { open(status?: number): void; answers: (() => void)[] } {
    const answers: (() => void)[] = [];
    let status = 201;
    backend.on("/pay", (_, response) => answers.push(() => response.writeHead(status).end("late")));
    return {
      answers,
      open(code = 201) {
        status = code;
        for (const answer of answers.splice(0)) answer();
      },
    };
  }

  test("others hear so, and get the answer later", async () => {
    const { send } = gateway();
    const gate = held();
    const first = send(pay());
    await until(() => gate.answers.length === 1, "the first request");
    const second = await send(pay());
    expect([second.status, second.record.code, second.headers.get("retry-after")]).toEqual([409, "idempotency-in-progress", "1"]);
    gate.open();
    await first;
    expect((await send(pay())).text).toBe("late");
    expect(backend.requests).toHaveLength(1);
  });

  test("of fifty at once exactly one is carried out", async () => {
    const { send } = gateway();
    const gate = held();
    const all = Array.from({ length: 50 }, () => send(pay()));
    await until(() => gate.answers.length > 0, "a request");
    gate.open();
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(1);
    expect(statuses.filter((status) => status !== 201 && status !== 409)).toEqual([]);
    expect(backend.requests).toHaveLength(1);
  });

  test("a caller who goes away finds the answer when it comes back", async () => {
    const { send } = gateway();
    const gate = held();
    const leaving = new AbortController();
    const first = send(pay({ signal: leaving.signal }));
    await until(() => gate.answers.length === 1, "the first request");
    leaving.abort();
    expect((await send(pay())).status).toBe(409);
    expect(backend.requests[0]!.hungUp).toBe(false);
    gate.open();
    const second = await until(async () => {
      const answer = await send(pay());
      return answer.status === 409 ? undefined : answer;
    }, "the answer");
    expect([second.text, replayed(second), backend.requests.length]).toEqual(["late", "true", 1]);
    expect((await first).record).toMatchObject({ status: 201, aborted: true });
  });

  test("a gateway that dies keeps the key only until its lock is over", async () => {
    const stores = createMemoryStores();
    const { send: forgotten } = gateway({ lock: "30s" }, { stores });
    const gate = held();
    void forgotten(pay());
    await until(() => gate.answers.length === 1, "the first request");
    const { send } = gateway({ lock: "30s" }, { stores });
    expect((await send(pay())).status).toBe(409);
    nowMs += 30_000;
    expect((await send(pay())).text).toBe("payment 1 of 10");
  });
});

describe("what is not kept", () => {
  test.each([500, 503, 401, 408, 425, 429])("%i: the request may be sent again", async (status) => {
    const { send } = gateway();
    let count = 0;
    backend.on("/pay", (_, response) => response.writeHead(count++ === 0 ? status : 200).end("x"));
    expect((await send(pay())).status).toBe(status);
    expect([(await send(pay())).status, replayed(await send(pay())), backend.requests.length]).toEqual([200, "true", 2]);
  });

  test.each([400, 404, 422, 302])("%i is an answer like others", async (status) => {
    const { send } = gateway();
    backend.on("/pay", (_, response) => response.writeHead(status).end("x"));
    await send(pay());
    const second = await send(pay());
    expect([second.status, replayed(second), backend.requests.length]).toEqual([status, "true", 1]);
  });

  test("an answer without a body is kept", async () => {
    const { send } = gateway();
    backend.on("/pay", (_, response) => response.writeHead(204).end());
    await send(pay());
    const second = await send(pay());
    expect([second.status, second.text, replayed(second), second.headers.has("content-length")]).toEqual([
      204,
      "",
      "true",
      false,
    ]);
  });

  test("an answer that is too large: the request is not carried out again, and that is said", async () => {
    const { send } = gateway({ maxAnswer: "1kb" });
    backend.on("/pay", (_, response) => response.writeHead(201).end("x".repeat(1025)));
    expect((await send(pay())).text).toHaveLength(1025);
    const second = await send(pay());
    expect([second.status, second.record.code]).toEqual([409, "idempotency-not-kept"]);
    expect(JSON.parse(second.text).detail).toBe("The answer had the status 201.");
    expect((await send(pay({ body: "11" }))).record.code).toBe("idempotency-mismatch");
    expect(backend.requests).toHaveLength(1);
  });

  test("a backend that could not be reached was not asked: the request may be sent again at once", async () => {
    const stores = createMemoryStores();
    const gone = await startBackend();
    gone.close();
    expect((await gateway({}, { stores, url: gone.url }).send(pay())).record.code).toBe("backend-unreachable");
    expect((await gateway({}, { stores }).send(pay())).text).toBe("payment 1 of 10");
  });

  test.each([
    ["before it answers", (response: { destroy(): unknown }) => response.destroy(), 502],
    [
      "in the middle of its answer",
      (response: { destroy(): unknown; write(text: string, then: () => void): unknown }) =>
        response.write("half", () => response.destroy()),
      200,
    ],
  ] as const)("a backend that breaks off %s may have done it: the key stays locked", async (_, breakOff, status) => {
    const { send } = gateway({ lock: "30s" });
    backend.on("/pay", (__, response) => breakOff(response));
    expect((await send(pay())).status).toBe(status);
    expect((await send(pay())).record.code).toBe("idempotency-in-progress");
    backend.on("/pay", (__, response) => response.end("now"));
    nowMs += 30_000;
    expect((await send(pay())).text).toBe("now");
  });
});

describe("a store that is away", () => {
  function failing(more: Partial<Once>): Stores {
    const stores = createMemoryStores();
    const once: Once = {
      claim: (...args) => stores.once.claim(...args),
      complete: (...args) => stores.once.complete(...args),
      release: (...args) => stores.once.release(...args),
      ...more,
    };
    return { ...stores, once };
  }
  const away = async () => unavailable("timeout");

  test("nothing is carried out that may have been before", async () => {
    const { send } = gateway({}, { stores: failing({ claim: away }) });
    const answer = await send(pay());
    expect([answer.status, answer.record.code, answer.headers.get("retry-after")]).toEqual([503, "store-unavailable", "1"]);
    expect(answer.record.reason).toBe("the idempotency key could not be claimed: timeout");
    // Without a key nobody asked for anything.
    expect((await send({ method: "POST", target: "/pay", body: "10" })).status).toBe(201);
  });

  test("unless the config says otherwise", async () => {
    const { send } = gateway({ onUnavailable: "allow" }, { stores: failing({ claim: away }) });
    for (const count of [1, 2]) expect((await send(pay())).text).toBe(`payment ${count} of 10`);
  });

  test("an outcome that could not be kept is logged, and the caller has its answer", async () => {
    const errors: unknown[] = [];
    const stores = failing({ complete: () => unavailable("error") });
    const { send } = gateway({}, { stores, error: (...said) => errors.push(said) });
    expect((await send(pay())).status).toBe(201);
    expect(errors).toEqual([
      [
        "the outcome of a request could not be kept for its idempotency key",
        expect.objectContaining({ route: "/*", reason: "error" }),
      ],
    ]);
    expect((await send(pay())).record.code).toBe("idempotency-in-progress");
  });
});

test("in shadow mode nothing is refused or given again", async () => {
  const { send } = gateway({ required: true, maxBody: "1kb" }, { more: { mode: "shadow" } });
  const answer = await send({ method: "POST", target: "/pay", body: "10" });
  expect([answer.status, answer.steps]).toEqual([201, ["idempotency: would-refuse"]]);
  expect((await send(pay({ body: "x".repeat(2000) }))).status).toBe(201);
  for (const count of [3, 4]) expect((await send(pay())).text).toBe(`payment ${count} of 10`);
});
