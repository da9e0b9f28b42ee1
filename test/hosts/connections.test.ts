/** Connections of clients that mean no good, on the Node host as a process: CONNECT, resets, pipelining, refusals of the parser, the drain. */
import { readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Backend, startBackend } from "../support/backend.ts";
import { type HostProcess, startNodeHost, temporaryFolder } from "../support/host-process.ts";
import { RawConnection, requestBytes, sendRaw } from "../support/raw-client.ts";
import { until } from "../support/until.ts";

const ORIGIN = "https://app.example";

let backend: Backend;
let host: HostProcess;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.close());
beforeEach(async () => {
  const config = join(temporaryFolder(), "gateway.json");
  const routes = [
    { path: "/who", auth: "none", respond: { body: "here" } },
    { path: "/shop/*", auth: "none", backend: "shop" },
    { path: "/script/*", auth: "none", backend: "shop", cors: ORIGIN },
    { path: "/once/*", auth: "none", backend: "shop", idempotency: { anonymous: true } },
  ];
  writeFileSync(config, JSON.stringify({ backends: { shop: backend.url }, routes }));
  host = await startNodeHost({ config });
});
afterEach(() => host.stop());

const isAlive = async () => (await sendRaw(host.port, { target: "/who" })).body.toString() === "here";
const openFiles = () => readdirSync(`/proc/${host.child.pid}/fd`).length;

/** Handlers of `/shop/held` wait until they are released, one after the other. */
function held(path: string): { readonly waiting: (() => void)[]; most: number } {
  const state = { waiting: [] as (() => void)[], most: 0 };
  backend.on(path, (_, response) => {
    state.waiting.push(() => response.end(`answer ${state.most}`));
    state.most = Math.max(state.most, state.waiting.length);
  });
  return state;
}

describe("CONNECT", () => {
  const TUNNEL = "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n";

  test("is a problem", async () => {
    const connection = await RawConnection.open(host.port);
    connection.write(TUNNEL);
    const answer = await connection.readAnswer();
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toContain("GET");
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: "method-not-allowed", status: 405 });
    expect(answer.headers.get("x-request-id")).toBeDefined();
    connection.close();
  });

  test("and a reset, at any moment, does not end the process", async () => {
    for (let round = 0; round < 300; round++) {
      await new Promise<void>((done) => {
        const socket = connect(host.port, "127.0.0.1", () => {
          socket.write(TUNNEL);
          if (round % 3 === 0) socket.resetAndDestroy();
          else if (round % 3 === 1) setImmediate(() => socket.resetAndDestroy());
          else socket.once("data", () => socket.resetAndDestroy());
        });
        socket.on("error", () => {}).on("close", () => done());
      });
    }
    expect(await isAlive()).toBe(true);
    expect(host.child.exitCode).toBeNull();
  });

  test("with bytes behind it leaves no descriptor", async () => {
    await isAlive();
    const before = openFiles();
    for (let round = 0; round < 40; round++) {
      const connection = await RawConnection.open(host.port);
      connection.write(TUNNEL + "x".repeat(70_000));
      expect((await connection.readAnswer()).status).toBe(405);
      connection.close();
    }
    await until(() => openFiles() <= before + 3, "the sockets to be closed");
  });

  test("left open does not hold up the end of the process", async () => {
    const connection = await RawConnection.open(host.port);
    connection.socket.pause();
    connection.write(TUNNEL);
    await isAlive();
    host.signal("SIGTERM");
    expect(await host.ended()).toBe(0);
    connection.close();
  });
});

describe("pipelined requests", () => {
  test("are at work one at a time, and answered in their order", async () => {
    const state = held("/shop/held");
    const connection = await RawConnection.open(host.port);
    connection.write(Buffer.concat(Array.from({ length: 30 }, (_, n) => requestBytes({ target: `/shop/held?${n}` }))));
    const before = backend.requests.length;
    for (let n = 0; n < 30; n++) {
      const release = await until(() => state.waiting[0], `request ${n}`);
      expect(state.waiting.length).toBe(1);
      state.waiting.shift();
      release();
      expect((await connection.readAnswer()).status).toBe(200);
      expect(backend.requests.length - before).toBeLessThanOrEqual(n + 2);
    }
    expect(state.most).toBe(1);
    expect(backend.requests.slice(-30).map(({ target }) => target)).toEqual(
      Array.from({ length: 30 }, (_, n) => `/shop/held?${n}`),
    );
    connection.close();
  });

  test("are read no further while one is at work", async () => {
    const state = held("/shop/held");
    const connection = await RawConnection.open(host.port);
    const upload = requestBytes({ method: "POST", target: "/shop/next", body: Buffer.alloc(30 * 1024 * 1024) });
    connection.write(Buffer.concat([requestBytes({ target: "/shop/held" }), upload]));
    await until(() => state.waiting[0], "the first");
    expect(await isAlive()).toBe(true);
    // The gateway takes one read, and the network what its buffers hold.
    expect(connection.socket.writableLength).toBeGreaterThan(10 * 1024 * 1024);
    expect(state.most).toBe(1);
    connection.close();
    state.waiting[0]!();
  });

  test("more than 32 that wait: these are answered, and with the last the connection ends", async () => {
    const connection = await RawConnection.open(host.port);
    const before = backend.requests.length;
    for (let n = 0; n < 20; n++)
      connection.write(Buffer.concat(Array.from({ length: 2_000 }, () => requestBytes({ target: "/shop/a" }))));
    const closing: (string | undefined)[] = [];
    for (let n = 0; n < 33; n++) closing.push((await connection.readAnswer()).headers.get("connection"));
    expect(closing).toEqual([...Array(32).fill("keep-alive"), "close"]);
    await connection.closed();
    expect(backend.requests.length - before).toBe(33);
  });

  test("of every kind keep their bodies and their order", async () => {
    const connection = await RawConnection.open(host.port);
    const body = "b".repeat(3_000);
    backend.on("/shop/echo", (received, response) => response.end(received.body));
    connection.write(
      Buffer.concat([
        requestBytes({ target: "/shop/a" }),
        requestBytes({ method: "POST", target: "/shop/echo", body }),
        requestBytes({ method: "HEAD", target: "/shop/b" }),
        requestBytes({
          method: "POST",
          target: "/shop/echo",
          headers: ["transfer-encoding", "chunked"],
          body: "3\r\nabc\r\n0\r\n\r\n",
        }),
        requestBytes({ target: "/who" }),
        Buffer.from("POST /shop/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc"),
      ]),
    );
    expect((await connection.readAnswer()).status).toBe(200);
    expect((await connection.readAnswer()).body.toString()).toBe(body);
    expect((await connection.readAnswer("HEAD")).status).toBe(200);
    expect((await connection.readAnswer()).body.toString()).toBe("abc");
    expect((await connection.readAnswer()).body.toString()).toBe("here");
    // The rest of a body that began while others waited.
    connection.write("def");
    expect((await connection.readAnswer()).body.toString()).toBe("abcdef");
    connection.write(requestBytes({ target: "/who" }));
    expect((await connection.readAnswer()).body.toString()).toBe("here");
    connection.close();
  });

  test.each([
    ["CONNECT", "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", 405],
    ["garbage", "no request\r\n\r\n", 400],
    ["a broken body", "POST /shop/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", 400],
  ])("with %s behind them are answered first", async (_, bytes, status) => {
    const state = held("/shop/held");
    const connection = await RawConnection.open(host.port);
    connection.write(
      Buffer.concat([requestBytes({ target: "/shop/held" }), requestBytes({ target: "/who" }), Buffer.from(bytes)]),
    );
    (await until(() => state.waiting[0], "the first"))();
    expect((await connection.readAnswer()).status).toBe(200);
    expect((await connection.readAnswer()).body.toString()).toBe("here");
    expect((await connection.readAnswer()).status).toBe(status);
    await connection.closed();
    expect(await isAlive()).toBe(true);
  });

  test("behind an answer that ends the connection are not carried out", async () => {
    const connection = await RawConnection.open(host.port);
    const before = backend.requests.length;
    const closing = requestBytes({ target: "/who", headers: ["expect", "wonders"] });
    connection.write(Buffer.concat([requestBytes({ target: "/who" }), closing, requestBytes({ target: "/shop/late" })]));
    expect((await connection.readAnswer()).status).toBe(200);
    expect((await connection.readAnswer()).status).toBe(417);
    await connection.closed();
    expect(backend.requests.length).toBe(before);
  });
});

describe("what the host refuses by itself", () => {
  test("an expectation that nobody knows is a problem, with the fields of its route", async () => {
    const answer = await sendRaw(host.port, { target: "/script/x", headers: ["Origin", ORIGIN, "Expect", "wonders"] });
    expect(answer.status).toBe(417);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: "expectation-failed" });
    expect(answer.headers.get("x-request-id")).toBeDefined();
    expect(answer.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(answer.headers.get("connection")).toBe("close");
  });

  test("a malformed head tells the page's script, by the fields of its route", async () => {
    const connection = await RawConnection.open(host.port);
    connection.write(`GET /script/x HTTP/1.1\r\nHost: gateway.example\r\nOrigin: ${ORIGIN}\r\nx y: z\r\n\r\n`);
    const answer = await connection.readAnswer();
    expect(answer.status).toBe(400);
    expect(answer.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    connection.close();
  });

  test("a body that is broken in the middle of an upload", async () => {
    const connection = await RawConnection.open(host.port);
    connection.write(`POST /script/x HTTP/1.1\r\nHost: a\r\nOrigin: ${ORIGIN}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
    const received = await until(
      () => backend.requests.find(({ target, state }) => target === "/script/x" && state === "arriving"),
      "it",
    );
    connection.write("nonsense\r\n");
    const answer = await connection.readAnswer();
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: "bad-request" });
    expect(answer.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    await connection.closed();
    await until(() => received.state === "broken", "the backend to see that it broke off");
  });

  test("the refusal is read whole by a client that goes on sending", async () => {
    const connection = await RawConnection.open(host.port);
    connection.write("no request at all\r\n\r\n");
    connection.write("x".repeat(500_000));
    const answer = await connection.readAnswer();
    expect(answer).toMatchObject({ status: 400, isWhole: true });
    connection.close();
  });
});

test("HTTP/1.0 without Host: nothing is said of a host", async () => {
  const connection = await RawConnection.open(host.port);
  connection.write("GET /shop/old HTTP/1.0\r\n\r\n");
  expect((await connection.readAnswer()).status).toBe(200);
  const { headers } = backend.requests.at(-1)!;
  expect(headers.has("x-forwarded-host")).toBe(false);
  expect(headers.get("forwarded")).toBe("for=127.0.0.1;proto=http");
  connection.close();
});

test("a caller that half-closes its connection is taken to have gone", async () => {
  backend.on("/shop/slow", () => {});
  const connection = await RawConnection.open(host.port);
  connection.write(requestBytes({ target: "/shop/slow" }));
  const received = await until(() => backend.requests.find(({ target }) => target === "/shop/slow"), "the request");
  connection.socket.end();
  await until(() => received.hungUp, "the backend to be told");
});

test("an upload that breaks off while it is buffered is no failure of the gateway", async () => {
  const connection = await RawConnection.open(host.port);
  connection.write("POST /once/x HTTP/1.1\r\nHost: a\r\nIdempotency-Key: 0123456789abcdef\r\nContent-Length: 1000\r\n\r\nabc");
  await isAlive();
  connection.socket.resetAndDestroy();
  // The record stands on the page as soon as the request has ended.
  const overview = async () =>
    (
      await sendRaw(host.port, {
        target: "/gateway/api/overview",
        headers: ["authorization", "Bearer test-admin-token-0123456789"],
      })
    ).body.toString();
  await until(async () => (await overview()).includes("/once/x"), "the record");
  expect(host.output).not.toContain("the gateway failed");
});

describe("while the process ends", () => {
  test("answers say so, and a request on an idle connection is still answered", async () => {
    const state = held("/shop/held");
    const [running, idle] = [await RawConnection.open(host.port), await RawConnection.open(host.port)];
    idle.write(requestBytes({ target: "/who" }));
    expect((await idle.readAnswer()).headers.get("connection")).toBe("keep-alive");
    running.write(requestBytes({ target: "/shop/held" }));
    const release = await until(() => state.waiting[0], "the request");
    host.signal("SIGTERM");
    await until(
      () =>
        RawConnection.open(host.port).then(
          (connection) => connection.close(),
          () => true,
        ),
      "new connections to be refused",
    );
    idle.write(requestBytes({ target: "/who" }));
    const last = await idle.readAnswer();
    expect(last.body.toString()).toBe("here");
    expect(last.headers.get("connection")).toBe("close");
    release();
    const answer = await running.readAnswer();
    expect(answer).toMatchObject({ status: 200, isWhole: true });
    expect(answer.headers.get("connection")).toBe("close");
    expect(await host.ended()).toBe(0);
  });
});
