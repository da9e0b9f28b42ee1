/** The Node host as a process: how it starts, takes a new config, and ends. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Backend, startBackend } from "../../support/backend.ts";
import { type HostProcess, ROOT, run, startNodeHost, temporaryFolder } from "../../support/host-process.ts";
import { RawConnection, requestBytes, sendRaw } from "../../support/raw-client.ts";
import { until } from "../../support/until.ts";

let backend: Backend;
const hosts: HostProcess[] = [];
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.close());
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});

async function start(config: unknown, file = "gateway.json"): Promise<{ host: HostProcess; config: string }> {
  const path = join(temporaryFolder(), file);
  writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config));
  const host = await startNodeHost({ config: path, env: { BACKEND_URL: backend.url } });
  hosts.push(host);
  return { host, config: path };
}

const SERVING = '{"routes":[{"path":"/","auth":"none","respond":{"body":"x"}}]}';
const answering = (body: string) => ({
  routes: [
    { path: "/who", auth: "none", respond: { body } },
    { path: "/backend/*", auth: "none", backend: "shop" },
  ],
  backends: { shop: backend.url },
});
const bodyOf = async (host: HostProcess) => (await sendRaw(host.port, { target: "/who" })).body.toString();

function isRefused(port: number): Promise<boolean> {
  return RawConnection.open(port).then(
    (connection) => {
      connection.close();
      return false;
    },
    () => true,
  );
}

describe("start", () => {
  test("with the config in a variable, by npm, with no build before", async () => {
    const config = JSON.stringify({
      backends: { b: backend.url },
      routes: [{ path: "/x/*", backend: "b", stripPrefix: "/x", auth: "none" }],
    });
    // What `npm start` runs, in a folder of its own.
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: { start: string } };
    const [program, script] = scripts.start.split(" ");
    expect(program).toBe("node");
    const { child, output } = run([join(ROOT, script!)], temporaryFolder(), {
      GATEWAY_CONFIG: config,
      PORT: "0",
      HOST: "127.0.0.1",
    });
    try {
      const port = await until(() => /http:\/\/\S+:(\d+)/.exec(output.join(""))?.[1], "the server to listen");
      expect((await sendRaw(Number(port), { target: "/x/hello?a" })).status).toBe(200);
      expect(backend.requests.at(-1)!.target).toBe("/hello?a");
    } finally {
      child.kill("SIGKILL");
    }
  });

  test.each([
    [
      "an unknown key",
      { GATEWAY_CONFIG: '{"routes":[{"path":"/x","auth":"none","respond":{"body":"x"},"bakend":"b"}]}' },
      ["bakend", "routes[0]"],
    ],
    [
      "several faults at once",
      { GATEWAY_CONFIG: '{"routes":[{"path":"x","auth":"none","respond":{}},{"path":"/y","backend":"none"}]}' },
      ["routes[0]", "routes[1]"],
    ],
    ["broken JSON", { GATEWAY_CONFIG: "{" }, ["GATEWAY_CONFIG"]],
    ["a missing file", { GATEWAY_CONFIG_FILE: "nowhere.json" }, ["nowhere.json"]],
    ["two sources", { GATEWAY_CONFIG: "{}", GATEWAY_CONFIG_FILE: "x.json" }, ["GATEWAY_CONFIG_FILE"]],
    [
      "a reference to nothing",
      { GATEWAY_CONFIG: '{"backends":{"b":"${env.NOT_THERE}"},"routes":[{"path":"/*","backend":"b","auth":"none"}]}' },
      ["NOT_THERE", "backends.b"],
    ],
    ["a port that is none", { GATEWAY_CONFIG: "{}", PORT: "http" }, ["PORT"]],
    ...["[::1]", "10.255.255.254", "0.0.0.0 ", "nosuchhost.invalid"].map((HOST): [string, object, string[]] => [
      `HOST=${JSON.stringify(HOST)}`,
      { GATEWAY_CONFIG: '{"routes":[{"path":"/","auth":"none","respond":{}}]}', HOST },
      ["environment HOST: ", JSON.stringify(HOST)],
    ]),
    [
      "a data folder that is a file",
      { GATEWAY_CONFIG: SERVING, GATEWAY_DATA_DIR: import.meta.filename },
      ["GATEWAY_DATA_DIR", `${import.meta.filename} is a file`],
    ],
    [
      "a data folder that can't be made",
      { GATEWAY_CONFIG: SERVING, GATEWAY_DATA_DIR: "/proc/nope/deeper" },
      ["GATEWAY_DATA_DIR", "the folder /proc/nope can't be made"],
    ],
    ["a secret that is too short", { GATEWAY_CONFIG: "{}", GATEWAY_SECRET: "short" }, ["GATEWAY_SECRET"]],
  ])("%s ends it with 1 and says what to mend", (_, env, words) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts", "start.mjs")], {
      cwd: temporaryFolder(),
      env: { PATH: process.env["PATH"]!, PORT: "0", HOST: "127.0.0.1", ...env } as unknown as NodeJS.ProcessEnv,
      encoding: "utf8",
      timeout: 20_000,
    });
    expect(status).toBe(1);
    for (const word of words) expect(stderr).toContain(word);
    expect(stdout).not.toContain("listens");
    // Messages, not a stack trace.
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test("a port that is taken is said so", async () => {
    const { host } = await start(answering("one"));
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts", "start.mjs")], {
      cwd: temporaryFolder(),
      env: {
        PATH: process.env["PATH"]!,
        PORT: String(host.port),
        HOST: "127.0.0.1",
        GATEWAY_CONFIG: SERVING,
      } as unknown as NodeJS.ProcessEnv,
      encoding: "utf8",
      timeout: 20_000,
    });
    expect(status).toBe(1);
    expect(stderr).toContain(`port ${host.port} is taken`);
  });
});

/** A request whose answer has begun, and stays open until `finish`. */
async function begin(port: number): Promise<{ readonly running: RawConnection; readonly finish: () => void }> {
  let finish = () => {};
  backend.on("/backend/slow", (_, response) => {
    response.writeHead(200).write("begun ");
    finish = () => response.end("done");
  });
  const running = await RawConnection.open(port);
  running.write(requestBytes({ target: "/backend/slow" }));
  await running.readUntil("begun");
  return { running, finish };
}

describe("reload by SIGHUP", () => {
  test("a good config is taken up, while what runs ends on the old one", async () => {
    const { host, config } = await start(answering("old"));
    const { running, finish } = await begin(host.port);
    // The new config has no such route.
    writeFileSync(config, JSON.stringify({ routes: [{ path: "/who", auth: "none", respond: { body: "new" } }] }));
    host.signal("SIGHUP");
    await until(async () => (await bodyOf(host)) === "new", "the new config");
    expect((await sendRaw(host.port, { target: "/backend/slow" })).status).toBe(404);
    finish();
    const { body, isWhole } = await running.readAnswer();
    expect(body.toString()).toBe("begun done");
    expect(isWhole).toBe(true);
    running.close();
  });

  test("a bad config is not: the old one goes on, and the log says why", async () => {
    const { host, config } = await start(answering("old"));
    writeFileSync(config, JSON.stringify({ routes: [{ path: "/who", auth: "none", bakend: "x" }] }));
    host.signal("SIGHUP");
    await until(() => host.output.includes("bakend"), "the message");
    expect(await bodyOf(host)).toBe("old");
    writeFileSync(config, JSON.stringify(answering("mended")));
    host.signal("SIGHUP");
    await until(async () => (await bodyOf(host)) === "mended", "the mended config");
  });

  test("stored answers of a route that means the same are kept", async () => {
    const cached = { path: "/c/*", auth: "none", backend: "b", cache: true };
    const config = (routes: object[]) => ({ backends: { b: "${env.BACKEND_URL}" }, routes });
    const { host, config: path } = await start(config([cached]));
    backend.on("/c/a", (_, response) =>
      response.writeHead(200, { "cache-control": "max-age=600", "content-length": "1" }).end("a"),
    );
    const said = async () => (await sendRaw(host.port, { target: "/c/a" })).headers.get("cache-status");
    expect(await said()).toBe("frontdesk; fwd=uri-miss; stored");
    const reload = async (routes: object[], probe: string) => {
      writeFileSync(path, JSON.stringify(config(routes)));
      host.signal("SIGHUP");
      await until(async () => (await sendRaw(host.port, { target: probe })).status === 200, "the new config");
    };
    const probe = (name: string) => ({ path: name, auth: "none", respond: { body: "x" } });
    await reload([probe("/first"), cached], "/first");
    expect(await said()).toMatch(/^frontdesk; hit/);
    await reload([probe("/second"), { ...cached, headers: { request: { set: { "x-a": "1" } } } }], "/second");
    expect(await said()).toBe("frontdesk; fwd=uri-miss; stored");
  });

  test("a TypeScript config is read anew too", async () => {
    const source = (body: string) => `export default { routes: [{ path: "/who", auth: "none", respond: { body: "${body}" } }] };`;
    const { host, config } = await start(source("old"), "gateway.config.ts");
    expect(await bodyOf(host)).toBe("old");
    writeFileSync(config, source("new"));
    host.signal("SIGHUP");
    await until(async () => (await bodyOf(host)) === "new", "the new config");
  });
});

describe.each(["SIGTERM", "SIGINT"] as const)("%s", (signal) => {
  test("stops accepting, finishes what runs, and ends with 0", async () => {
    const { host } = await start(answering("x"));
    const { running, finish } = await begin(host.port);
    const idle = await RawConnection.open(host.port);
    idle.write(requestBytes({ target: "/who" }));
    await idle.readAnswer();
    host.signal(signal);
    await idle.closed();
    await until(() => isRefused(host.port), "new connections to be refused");
    finish();
    const { body, isWhole } = await running.readAnswer();
    expect(body.toString()).toBe("begun done");
    expect(isWhole).toBe(true);
    // A connection that is kept alive must not hold it up.
    expect(await host.ended()).toBe(0);
    running.close();
  });
});

describe("clients that do not speak HTTP", () => {
  test.each([
    ["garbage", "hello\r\n\r\n", 400, "bad-request"],
    ["a head that is too large", `GET / HTTP/1.1\r\nHost: a\r\nx: ${"y".repeat(70_000)}\r\n\r\n`, 431, "headers-too-large"],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", 400, "bad-request"],
    ["a bare line feed in a field", "GET / HTTP/1.1\r\nHost: a\r\nx: a\nb\r\n\r\n", 400, "bad-request"],
  ])("%s is answered by a problem", async (_, bytes, status, code) => {
    const { host } = await start(answering("x"));
    const connection = await RawConnection.open(host.port);
    connection.write(bytes);
    const answer = await connection.readAnswer();
    expect(answer.status).toBe(status);
    expect(answer.headers.get("x-gateway-error")).toBe(code);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    const requestId = answer.headers.get("x-request-id");
    expect(requestId).toMatch(/^[0-9a-f]{32}$/);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code, status, requestId });
    await connection.closed();
    connection.close();
    expect(await bodyOf(host)).toBe("x");
  });

  test("methods of any name go through, an absolute target counts as its path, and `*` is no path", async () => {
    const { host } = await start({ backends: { shop: backend.url }, routes: [{ path: "/*", auth: "none", backend: "shop" }] });
    for (const method of ["PROPFIND", "QUERY", "PURGE"]) {
      expect((await sendRaw(host.port, { method, target: "/x" })).status).toBe(200);
      expect(backend.requests.at(-1)!.method).toBe(method);
    }
    // It would read out to the caller what was added for the backend.
    expect((await sendRaw(host.port, { method: "TRACE", target: "/x" })).status).toBe(405);
    expect((await sendRaw(host.port, { target: "http://gateway.example/y?z" })).status).toBe(200);
    expect(backend.requests.at(-1)!.target).toBe("/y?z");
    expect((await sendRaw(host.port, { method: "OPTIONS", target: "*" })).status).toBe(400);
  });

  test("one connection carries many requests, pipelined ones in order", async () => {
    const { host } = await start(answering("x"));
    const connection = await RawConnection.open(host.port);
    connection.write(
      Buffer.concat([
        requestBytes({ target: "/who" }),
        requestBytes({ target: "/none" }),
        requestBytes({ target: "/backend/a" }),
      ]),
    );
    expect((await connection.readAnswer()).status).toBe(200);
    expect((await connection.readAnswer()).status).toBe(404);
    expect((await connection.readAnswer()).status).toBe(200);
    connection.close();
  });

  test("a body that was refused does not become the next request", async () => {
    const { host } = await start(answering("x"));
    const connection = await RawConnection.open(host.port);
    const inner = "GET /who HTTP/1.1\r\nHost: a\r\n\r\n";
    connection.write(`POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`);
    connection.write(requestBytes({ target: "/backend/after" }));
    expect((await connection.readAnswer()).status).toBe(404);
    const next = await connection.readAnswer().catch(() => undefined);
    // Served as what it is, or the connection was closed: never the body read as a request.
    expect(next?.body.toString() ?? "").not.toBe("x");
    connection.close();
  });
});
