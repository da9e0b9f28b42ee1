/** What belongs to one caller reaches no other: two consumers on one URL, credentials, cookies, other hosts, other routes. */
import { expect, test } from "vitest";
import type { Policy } from "#lib/contract/policy.ts";
import { cachedBackend, saidBy } from "./cached-backend.ts";

const cached = cachedBackend();

/** Stands in for an authenticator. */
const identify = {
  name: "identify",
  create: (): Policy => ({
    decide(exchange) {
      const id = exchange.request.headers.get("x-as");
      if (id !== undefined) exchange.consumer = { id: `test:${id}`, authenticator: "test" };
      return undefined;
    },
  }),
};
const as = (id: string) => ({ headers: { "x-as": id } });

test("two consumers on one URL: nothing is shared unless the backend says so", async () => {
  const send = cached.route("1m", { use: identify });
  cached.answer("/", ({ headers }) => ({ "x-for": headers.get("x-gateway-consumer") ?? "nobody" }));
  const [ada, bob] = [await send(as("ada")), await send(as("bob"))];
  expect([ada.headers.get("x-for"), bob.headers.get("x-for")]).toEqual(["test:ada", "test:bob"]);
  expect(saidBy(bob)).toBe("fwd=uri-miss; detail=authorization");
  expect((await send()).headers.get("x-for")).toBe("nobody");
});

test("what was stored for nobody in particular is not given to somebody", async () => {
  const send = cached.route("1m", { use: identify });
  cached.answer("/", ({ headers }) => ({ "x-for": headers.get("x-gateway-consumer") ?? "nobody" }));
  expect((await send()).headers.get("x-for")).toBe("nobody");
  expect((await send(as("ada"))).headers.get("x-for")).toBe("test:ada");
  expect((await send({ headers: { authorization: "Basic x" } })).record.source).toBe("backend");
  expect((await send()).record.source).toBe("cache");
});

test.each(["public", "s-maxage=60", "must-revalidate"])("%s opens an answer to everybody (section 3.5)", async (word) => {
  const send = cached.route(true, { use: identify });
  cached.answer("/", { "cache-control": `max-age=60, ${word}` });
  await send(as("ada"));
  expect((await send(as("bob"))).record.source).toBe("cache");
  expect((await send()).record.source).toBe("cache");
});

test("perConsumer keeps them apart, and private answers out all the same", async () => {
  const send = cached.route({ ttl: "1m", perConsumer: true }, { use: identify });
  cached.answer("/", ({ headers }) => ({ "x-for": headers.get("x-gateway-consumer") ?? "nobody" }));
  for (const id of ["ada", "bob"]) await send(as(id));
  for (const id of ["ada", "bob"]) {
    const answer = await send(as(id));
    expect([answer.record.source, answer.headers.get("x-for")]).toEqual(["cache", `test:${id}`]);
  }
  expect((await send()).headers.get("x-for")).toBe("nobody");
  cached.answer("/own", { "cache-control": "private, max-age=60" });
  for (let i = 0; i < 2; i++) expect((await send({ ...as("ada"), target: "/own" })).record.source).toBe("backend");
});

test.each(["authorization", "x-api-key", "X-Auth-Token", "x_api_key"])(
  "an answer to a request with %s stays with it",
  async (name) => {
    const send = cached.route("1m");
    cached.answer("/");
    const first = await send({ headers: { [name]: "secret" } });
    expect(saidBy(first)).toBe("fwd=uri-miss; detail=authorization");
    const second = await send({ headers: { [name]: "other" } });
    expect([second.text, second.record.source]).toEqual(["answer 2", "backend"]);
  },
);

test("callers with credentials do not even wait for each other", async () => {
  const send = cached.route("1m");
  cached.answer("/");
  const all = await Promise.all(["a", "b", "c"].map((token) => send({ headers: { authorization: token } })));
  expect(new Set(all.map(({ text }) => text)).size).toBe(3);
});

test("a credential in the query is in the key, however it is spelled", async () => {
  const send = cached.route("1m");
  cached.answer("/");
  await send("/?access_token=ada");
  expect((await send("/?access_token=bob")).record.source).toBe("backend");
  expect((await send("/?access%5Ftoken=ada")).record.source).toBe("backend");
  expect((await send("/?access_token=ada")).record.source).toBe("cache");
});

test("Set-Cookie is never given twice", async () => {
  const send = cached.route({ ttl: "1m", override: true });
  cached.answer("/", { "set-cookie": ["a=1", "b=2"], "cache-control": "public, max-age=60" });
  expect((await send()).headers.all("set-cookie")).toEqual(["a=1", "b=2"]);
  expect((await send()).record.source).toBe("backend");
});

test("Vary: Cookie keeps sessions apart; so does the route's vary", async () => {
  const send = cached.route("1m");
  cached.answer("/", ({ headers }) => ({ vary: "Cookie", "x-for": headers.get("cookie") ?? "" }));
  for (const cookie of ["s=ada", "s=bob", "s=ada"])
    expect((await send({ headers: { cookie } })).headers.get("x-for")).toBe(cookie);
  const own = cached.route({ ttl: "1m", vary: "cookie" });
  cached.answer("/", ({ headers }) => ({ "x-for": headers.get("cookie") ?? "" }));
  for (const cookie of ["s=ada", "s=bob"]) expect((await own({ headers: { cookie } })).headers.get("x-for")).toBe(cookie);
});

test("what is one caller's is put on after a hit: request id, CORS, the route's own fields", async () => {
  const send = cached.route("1m", {
    cors: ["https://a.example", "https://b.example"],
    headers: { response: { set: { "x-you": "${request.headers.x-me}" } } },
  });
  cached.answer("/");
  const from = (origin: string) => ({
    headers: { origin: `https://${origin}.example`, "x-me": origin, "x-request-id": `id-${origin}` },
  });
  await send(from("a"));
  const { headers, record } = await send(from("b"));
  expect(record.source).toBe("cache");
  expect(headers.all("access-control-allow-origin")).toEqual(["https://b.example"]);
  expect([headers.get("x-you"), headers.get("x-request-id")]).toEqual(["b", "id-b"]);
});

test("hosts, schemes and routes have answers of their own", async () => {
  const { send } = cached.gateway([
    { path: "/*", cache: "1m" },
    { path: "/*", when: { headers: { "x-beta": true } }, cache: "1m" },
  ]);
  cached.answer("/");
  await send({ target: "/" });
  for (const other of [{ host: "b.example" }, { scheme: "https" as const }, { headers: { "x-beta": "1" } }])
    expect((await send({ target: "/", ...other })).record.source).toBe("backend");
  expect((await send({ target: "/", host: "GATEWAY.example" })).record.source).toBe("cache");
});

test("a consumer's answer is not kept for others by onRequest fields either", async () => {
  const send = cached.route("1m", { headers: { request: { set: { "x-lang": "${request.headers.accept-language}" } } } });
  cached.answer("/", ({ headers }) => ({ "x-seen": headers.get("x-lang")! }));
  for (const language of ["de", "fr", "de"]) {
    const { headers } = await send({ headers: { "accept-language": language } });
    expect(headers.get("x-seen")).toBe(language);
  }
  expect(cached.backend.requests).toHaveLength(2);
});
