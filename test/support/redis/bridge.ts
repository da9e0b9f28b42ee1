/**
 * Upstash's REST interface in front of a plain Redis: `/`, `/pipeline` and `/multi-exec`, a bearer token, replies in base64
 * where asked for. With it the SDK that runs in production is the one that is tested.
 */
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { RedisError, RespConnection, type RespValue } from "./resp-connection.ts";

export interface Bridge {
  readonly url: string;
  readonly token: string;
  /** HTTP requests so far. */
  readonly requests: number;
  /** Commands so far, without those that scripts ran. */
  readonly commands: number;
  /** Holds each answer back until the promise settles, as a slow network would. */
  holdAnswers(until: Promise<unknown> | undefined): void;
  stop(): Promise<void>;
}

export async function startBridge(options: { readonly redisPort: number; readonly token?: string }): Promise<Bridge> {
  const { redisPort, token = randomBytes(16).toString("hex") } = options;
  const connection = new RespConnection(redisPort);
  const scripts = new Map<string, string>();
  let requests = 0;
  let commands = 0;
  let held: Promise<unknown> | undefined;

  async function run(to: RespConnection, command: readonly string[]): Promise<RespValue> {
    commands++;
    return to.send(translate(command, scripts));
  }

  async function answer(path: string, body: unknown, base64: boolean): Promise<{ status: number; body: unknown }> {
    if (path === "/") {
      const result = wrap(await run(connection, texts(body)), base64);
      return { status: "error" in result ? 400 : 200, body: result };
    }
    const list = (body as unknown[]).map(texts);
    if (path === "/pipeline") {
      const results = await Promise.all(list.map((command) => run(connection, command)));
      return { status: 200, body: results.map((result) => wrap(result, base64)) };
    }
    if (path !== "/multi-exec") return { status: 404, body: { error: "ERR no such path" } };
    const own = new RespConnection(redisPort);
    try {
      await own.send(["MULTI"]);
      for (const command of list) await run(own, command);
      const results = await own.send(["EXEC"]);
      if (results instanceof RedisError) return { status: 400, body: { error: results.message } };
      return { status: 200, body: (results as readonly RespValue[]).map((result) => wrap(result, base64)) };
    } finally {
      own.close();
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests++;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { status, body } =
      request.headers.authorization === `Bearer ${token}`
        ? await answer(
            request.url ?? "/",
            JSON.parse(Buffer.concat(chunks).toString()),
            request.headers["upstash-encoding"] === "base64",
          )
        : { status: 401, body: { error: "WRONGPASS invalid or missing auth token" } };
    await held;
    response.writeHead(status, { "content-type": "application/json", "upstash-sync-token": `bridge=${requests}` });
    response.end(JSON.stringify(body));
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => {
      response.writeHead(500, { "content-type": "application/json" });
      response.end('{"error":"ERR the bridge lost its Redis"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    get requests() {
      return requests;
    },
    get commands() {
      return commands;
    },
    holdAnswers(until) {
      held = until;
    },
    stop: () =>
      new Promise((resolve) => {
        connection.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Plain Redis refuses Upstash's script flags: the first line goes, and the digest of the whole text is remembered for it. */
function translate(command: readonly string[], scripts: Map<string, string>): readonly string[] {
  const name = command[0]!.toLowerCase();
  const text = command[1] ?? "";
  if (name === "eval" && text.startsWith("#!lua")) {
    const stripped = text.replace(/^#!lua[^\n]*/, "");
    scripts.set(sha1(text), sha1(stripped));
    return [command[0]!, stripped, ...command.slice(2)];
  }
  if (name === "evalsha") return [command[0]!, scripts.get(text) ?? text, ...command.slice(2)];
  return command;
}

function wrap(value: RespValue, base64: boolean): { result: unknown } | { error: string } {
  return value instanceof RedisError ? { error: value.message } : { result: encode(value, base64) };
}

/** Upstash leaves OK and numbers as they are and encodes all other text. */
function encode(value: RespValue, base64: boolean): unknown {
  if (value === null || typeof value === "number") return value;
  if (value instanceof RedisError) return value.message;
  if (typeof value === "string") return base64 ? Buffer.from(value).toString("base64") : value;
  if ("status" in value) return base64 && value.status !== "OK" ? Buffer.from(value.status).toString("base64") : value.status;
  return value.map((item) => encode(item, base64));
}

function texts(command: unknown): readonly string[] {
  return (command as unknown[]).map((part) => (typeof part === "object" ? JSON.stringify(part) : String(part)));
}

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
