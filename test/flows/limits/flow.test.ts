/** What limits refuse and what they tell, what an answer cost settled at its end, and places that are free again when a caller goes. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, startBackend } from "../../support/backend.ts";
import { configIn } from "../../support/describe-hosts.ts";
import { ADMIN_TOKEN, HOST_NAMES, type HostName, type HostProcess, startHost } from "../../support/host-process.ts";
import { RawConnection, type RawRequest, requestBytes, sendRaw } from "../../support/raw-client.ts";
import { startUpstash, type UpstashUnderTest } from "../../support/redis/upstash-under-test.ts";
import { until } from "../../support/until.ts";

let upstash: UpstashUnderTest;
let backend: Backend;
beforeAll(async () => {
  upstash = await startUpstash();
  backend = await startBackend();
});
afterAll(async () => {
  backend?.close();
  await upstash?.stop();
});

/** On the one Redis of this file, under a prefix of its own. */
function start(name: HostName, prefix: string): Promise<HostProcess> {
  return startHost(name, {
    config: configIn(import.meta.dirname),
    env: {
      BACKEND_URL: backend.url,
      ADA_PASSWORD: "ada's own",
      BOB_PASSWORD: "bob's own",
      UPSTASH_REDIS_REST_URL: upstash.bridge.url,
      UPSTASH_REDIS_REST_TOKEN: upstash.bridge.token,
      GATEWAY_STORE_PREFIX: prefix,
      // What is not about outages must not meet one on a busy machine.
      GATEWAY_STORE_BUDGET: "10s",
    },
  });
}

describe("two gateways with one Redis", () => {
  const hosts: HostProcess[] = [];
  beforeAll(async () => {
    hosts.push(...(await Promise.all([start("node", "shared:"), start("node", "shared:")])));
  });
  afterAll(() => Promise.all(hosts.map((host) => host.stop())));

  test.each(["/window", "/sliding", "/bucket", "/both"])(
    "%s lets exactly its limit through, however they come",
    async (target) => {
      const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => sendRaw(hosts[index % 2]!.port, { target })));
      expect(answers.filter(({ status }) => status === 200).length).toBe(10);
      expect(answers.filter(({ status }) => status === 429).length).toBe(50);
    },
  );
});

describe.each(HOST_NAMES)("on the %s host", (name) => {
  let host: HostProcess;
  beforeAll(async () => {
    host = await start(name, `${name}:`);
  });
  afterAll(() => host?.stop());

  const send = async (request: RawRequest | string) => {
    const answer = await sendRaw(host.port, typeof request === "string" ? { target: request } : request);
    return Object.assign(answer, { text: answer.body.toString("utf8") });
  };
  const as = (user: string, password = `${user}'s own`) => [
    "authorization",
    `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
  ];
  const admin = (method: string, target: string, body?: string) =>
    send({
      method,
      target: `/gateway/api/${target}`,
      headers: ["authorization", `Bearer ${ADMIN_TOKEN}`, ...(body ? ["content-type", "application/json"] : [])],
      ...(body ? { body } : {}),
    });

  test("429 says which limit, what is left and when to come back, and the backend hears nothing", async () => {
    const first = await send("/burst");
    expect([first.status, first.headers.get("ratelimit-policy")]).toEqual([200, '"burst";q=2;w=86400']);
    await send("/burst");
    const before = backend.requests.length;
    const refused = await send("/burst");
    const retryAfter = Number(refused.headers.get("retry-after"));
    expect(refused.status).toBe(429);
    expect(refused.headers.get("ratelimit")).toBe(`"burst";r=0;t=${retryAfter}`);
    expect(retryAfter).toBeGreaterThan(0);
    expect(JSON.parse(refused.text)).toMatchObject({ code: "rate-limited", "violated-policies": ["burst"] });
    expect(refused.headers.get("cache-control")).toBe("no-store");
    expect(backend.requests.length).toBe(before);
  });

  test("several limits take all or nothing", async () => {
    const key = ["x-key", "one"];
    expect((await send({ target: "/several", headers: key })).status).toBe(200);
    for (let i = 0; i < 4; i++) expect((await send({ target: "/several", headers: key })).status).toBe(429);
    const other = await send({ target: "/several", headers: ["x-key", "two"] });
    expect([other.status, other.headers.get("ratelimit")]).toEqual([200, expect.stringContaining('"requests-per-1d";r=3')]);
  });

  test("a tier goes by who calls, an override by what the operator says", async () => {
    const statuses = async (user: string, count: number) => {
      const all: number[] = [];
      for (let i = 0; i < count; i++) all.push((await send({ target: "/mine", headers: as(user) })).status);
      return all;
    };
    expect(await statuses("ada", 5)).toEqual([200, 200, 200, 200, 429]);
    expect(await statuses("bob", 3)).toEqual([200, 200, 429]);
    const set = await admin("PUT", "overrides/people%3Abob", '{"limits":{"tier":4}}');
    expect([set.status, set.text]).toEqual([200, '{"limits":{"tier":4}}\n']);
    await until(async () => (await send({ target: "/mine", headers: as("bob") })).status === 200, "the override to hold");
    const usage = JSON.parse((await admin("GET", "usage?consumer=people:bob")).text) as { limits: object[] };
    expect(usage).toMatchObject({ consumer: "people:bob", override: { limits: { tier: 4 } } });
    expect(usage.limits).toContainEqual(expect.objectContaining({ name: "tier", limit: 4, used: 3, remaining: 1 }));
    expect((await admin("DELETE", "usage?consumer=people:bob")).text).toContain('"tier"');
    expect(await statuses("bob", 2)).toEqual([200, 200]);
    expect((await admin("DELETE", "overrides/people%3Abob")).status).toBe(200);
    expect((await admin("GET", "overrides/people%3Abob")).status).toBe(404);
  });

  test("guessing is bounded, and others go on", async () => {
    const guess = (password: string) => send({ target: "/mine", headers: as("eve", password) });
    expect([(await guess("1")).status, (await guess("2")).status]).toEqual([401, 401]);
    await until(async () => (await guess("3")).status === 429, "the guesser to be refused");
    await admin("DELETE", "usage?ip=127.0.0.1");
  });

  test("guessing is bounded where the backend checks passwords, and log-ins that succeed cost nothing", async () => {
    backend.on("/login", ({ body }, response) => response.writeHead(body.toString() === "right" ? 200 : 401).end());
    const login = async (body: string) => (await send({ method: "POST", target: "/login", body })).status;
    for (let i = 0; i < 4; i++) await until(async () => (await login("right")) === 200, "the one before to be given back");
    const guesses = await Promise.all(["1", "2", "3", "4", "5", "6"].map(login));
    expect(guesses.filter((status) => status === 401).length).toBeLessThanOrEqual(2);
    expect(guesses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(4);
  });

  describe("costs that the answer tells", () => {
    const post = (target: string, body: object | string, headers: string[] = []) =>
      send({
        method: "POST",
        target,
        headers: ["content-type", "application/json", ...headers],
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
    /** Of the count that callers of this host share. */
    const left = async (target: string, method = "POST") => {
      const path = target.slice(1);
      backend.on(`/${path}`, (_, response) => response.writeHead(400).end());
      const answer = await send({ method, target, ...(method === "POST" ? { body: "{}" } : {}) });
      return Number(/r=(\d+)/.exec(answer.headers.get("ratelimit")!)![1]);
    };

    test("OpenAI's stream: usage is asked for, and settled", async () => {
      backend.on("/openai", (_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write('data: {"choices":[{"delta":{"content":"Hel');
        response.write('lo"}}],"usage":null}\n\n');
        response.end(
          'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}\n\ndata: [DONE]\n\n',
        );
      });
      const answer = await post("/openai", { model: "m", stream: true, messages: [] });
      expect(answer.text).toContain("[DONE]");
      const sent = backend.requests.at(-1)!;
      expect(JSON.parse(sent.body.toString())).toEqual({
        stream_options: { include_usage: true },
        model: "m",
        stream: true,
        messages: [],
      });
      expect(sent.headers.get("accept-encoding")).toBe("identity");
      // 12 were used; the question itself reserves 100, which it gets back.
      await until(async () => (await left("/openai")) === 1000 - 12 - 100, "the stream to be settled");
    });

    test("OpenAI's JSON, and a caller that does not want to be counted", async () => {
      backend.on("/openai", (_, response) =>
        response.writeHead(200, { "content-type": "application/json" }).end('{"usage":{"total_tokens":40}}'),
      );
      await post("/openai", '{"stream":true,"stream_options":{"include_usage":false}}');
      expect(backend.requests.at(-1)!.body.toString()).toContain('"include_usage":true');
      await until(async () => (await left("/openai")) === 1000 - 52 - 100, "the answer to be settled");
    });

    test("a stream that ends without usage is charged its reserve", async () => {
      backend.on("/openai", (_, response) =>
        response.writeHead(200, { "content-type": "text/event-stream" }).end("data: {}\n\n"),
      );
      await post("/openai", { stream: true });
      await until(async () => (await left("/openai")) === 1000 - 152 - 100, "the stream to be settled");
    });

    test("Anthropic's stream: input at its beginning, output at its end", async () => {
      backend.on("/anthropic", (_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(
          'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":25,"cache_read_input_tokens":5,"output_tokens":1}}}\n\n',
        );
        response.end(
          'event: message_delta\ndata: {"type":"message_delta","usage":{"output_tokens":15}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
        );
      });
      await post("/anthropic", { stream: true });
      await until(async () => (await left("/anthropic")) === 1000 - 45 - 100, "the stream to be settled");
    });

    test("a field of the answer, which is taken off", async () => {
      backend.on("/metered", (_, response) => response.writeHead(200, { "x-cost": "7" }).end());
      expect((await send("/metered")).headers.has("x-cost")).toBe(false);
      await until(async () => (await left("/metered", "GET")) === 1000 - 7 - 10, "the answer to be settled");
    });

    test("a field of its JSON", async () => {
      backend.on("/credits", (_, response) =>
        response.writeHead(200, { "content-type": "application/json" }).end('{"usage":{"credits":3}}'),
      );
      await send("/credits");
      await until(async () => (await left("/credits", "GET")) === 1000 - 3 - 10, "the answer to be settled");
    });

    test("the size of a body, as it turned out", async () => {
      backend.on("/upload", (_, response) => response.writeHead(200).end());
      await send({
        method: "POST",
        target: "/upload",
        headers: ["transfer-encoding", "chunked"],
        body: `800\r\n${"x".repeat(2048)}\r\n1\r\ny\r\n0\r\n\r\n`,
      });
      await until(async () => (await left("/upload")) === 1000 - 3 - 1, "the upload to be settled");
    });
  });

  test("a stream holds its place, which is free when the caller goes", async () => {
    backend.on("/events", (_, response) => response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n"));
    const connection = await RawConnection.open(host.port);
    connection.write(requestBytes({ target: "/events" }));
    await connection.readUntil("data: 1\n\n");
    const refused = await send("/events");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    connection.close();
    backend.on("/events", (_, response) => response.end("done"));
    await until(async () => (await send("/events")).status === 200, "the place to be free");
  });
});
