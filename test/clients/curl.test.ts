/** curl through the gateway: the client that every operator reaches for. */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Backend, startBackend } from "../support/backend.ts";
import { temporaryFolder } from "../support/host-process.ts";
import { type NodeGateway, startNodeGateway } from "./node-gateway.ts";
import { type Ran, runProgram } from "./program.ts";

const FILE = randomBytes(300_000);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

let backend: Backend;
let gateway: NodeGateway;

beforeAll(async () => {
  backend = await startBackend();
  // As a file server does it (RFC 9110 section 14).
  backend.on("/file", ({ headers }, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.get("range") ?? "") ?? [];
    if (first === undefined)
      return response.writeHead(200, { "accept-ranges": "bytes", "content-length": FILE.length }).end(FILE);
    const end = last ? Number(last) : FILE.length - 1;
    if (Number(first) >= FILE.length) return response.writeHead(416, { "content-range": `bytes */${FILE.length}` }).end();
    const part = FILE.subarray(Number(first), end + 1);
    const range = `bytes ${first}-${end}/${FILE.length}`;
    return response.writeHead(206, { "content-range": range, "content-length": part.length }).end(part);
  });
  gateway = await startNodeGateway({
    backends: { files: backend.url },
    defaults: { auth: "none" },
    routes: [
      { path: "/*", backend: "files", maxBody: "64mb" },
      { path: "/small", backend: "files", maxBody: "1kb" },
      { path: "/api/*", backend: "files", stripPrefix: "/api" },
    ],
  });
});
afterAll(async () => {
  await gateway?.stop();
  backend?.close();
});

interface Transfer {
  readonly http_version: string;
  readonly response_code: number;
  readonly size_upload: number;
  readonly size_header: number;
  readonly num_connects: number;
}

/** curl without the user's own settings; `transfers` is what it says of each transfer. */
async function curl(args: string[], input?: string | Uint8Array): Promise<Ran & { transfers: Transfer[] }> {
  const ran = await runProgram("curl", ["-q", "-sS", "-w", "%{stderr}%{json}\n", ...args], input === undefined ? {} : { input });
  const transfers = ran.stderr.split("\n").filter((line) => line.startsWith('{"'));
  return { ...ran, transfers: transfers.map((line) => JSON.parse(line) as Transfer) };
}

test("a chunked upload of what comes on standard input", async () => {
  const body = randomBytes(5_000_000);
  const { code } = await curl(["-T", "-", `${gateway.url}/upload`], body);
  const received = await backend.last();
  expect([code, received.method, received.state]).toEqual([0, "PUT", "whole"]);
  expect(received.headers.has("content-length")).toBe(false);
  expect(received.headers.get("expect")).toBeUndefined();
  expect(sha256(received.body)).toBe(sha256(body));
});

test("an upload of a known length keeps it", async () => {
  const body = randomBytes(2_000_000);
  const { code } = await curl(["--data-binary", "@-", `${gateway.url}/upload`], body);
  const received = await backend.last();
  expect([code, received.headers.get("content-length")]).toEqual([0, "2000000"]);
  expect(sha256(received.body)).toBe(sha256(body));
});

test("a form with a file keeps its boundary", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "picture.bin"), FILE);
  const { code } = await curl(["-F", `file=@${join(folder, "picture.bin")}`, "-F", "name=a b", `${gateway.url}/form`]);
  const { headers, body } = await backend.last();
  expect(code).toBe(0);
  const [, boundary] = /^multipart\/form-data; boundary=(\S+)$/.exec(headers.get("content-type")!)!;
  expect(body.includes(FILE)).toBe(true);
  expect(body.toString("latin1").trimEnd().endsWith(`--${boundary}--`)).toBe(true);
});

test("100-continue: the body is asked for, then sent", async () => {
  const body = randomBytes(1_500_000);
  const { stderr } = await curl(["-v", "-H", "Expect: 100-continue", "--data-binary", "@-", `${gateway.url}/upload`], body);
  expect(stderr).toMatch(/< HTTP\/1\.1 100 Continue[\s\S]*< HTTP\/1\.1 200 OK/);
  expect(sha256((await backend.last()).body)).toBe(sha256(body));
});

test("100-continue: a body that is refused is never asked for", async () => {
  const body = randomBytes(1_500_000);
  const before = backend.requests.length;
  const { stderr, transfers } = await curl(
    ["-v", "-H", "Expect: 100-continue", "--data-binary", "@-", `${gateway.url}/small`],
    body,
  );
  expect(stderr).not.toContain("100 Continue");
  expect(transfers[0]).toMatchObject({ response_code: 413, size_upload: 0 });
  expect(backend.requests.length).toBe(before);
});

test("an upload that is refused while it runs: curl reads the answer", async () => {
  const body = randomBytes(1_500_000);
  const { stdout } = await curl(["-H", "Expect:", "--data-binary", "@-", `${gateway.url}/small`], body);
  expect(JSON.parse(stdout.toString())).toMatchObject({ status: 413, code: "payload-too-large" });
});

test("a range", async () => {
  const { stdout, transfers } = await curl(["-r", "1000-1999", `${gateway.url}/file`]);
  expect(transfers[0]!.response_code).toBe(206);
  expect(stdout.equals(FILE.subarray(1000, 2000))).toBe(true);
});

test("a range that the file does not have", async () => {
  const { stdout, transfers } = await curl(["-i", "-r", "900000-", `${gateway.url}/file`]);
  expect(transfers[0]!.response_code).toBe(416);
  expect(stdout.toString()).toMatch(/content-range: bytes \*\/300000/i);
});

test("a download that is resumed", async () => {
  const path = join(temporaryFolder(), "file");
  writeFileSync(path, FILE.subarray(0, 123_456));
  const { code, transfers } = await curl(["-C", "-", "-o", path, `${gateway.url}/file`]);
  expect([code, transfers[0]!.response_code]).toEqual([0, 206]);
  expect(sha256(readFileSync(path))).toBe(sha256(FILE));
});

test("a download that the backend breaks off is an error for curl, however it is framed", async () => {
  backend.on("/cut-length", (_, response) =>
    response.writeHead(200, { "content-length": 100 }).write("x", () => response.destroy()),
  );
  backend.on("/cut-chunks", (_, response) => response.writeHead(200).write("x", () => response.destroy()));
  // 18: a partial file.
  expect((await curl([`${gateway.url}/cut-length`])).code).toBe(18);
  expect((await curl([`${gateway.url}/cut-chunks`])).code).toBe(18);
});

test("HTTP/1.0: no chunks for a client that does not know them, and the end is the connection's", async () => {
  backend.on("/chunks", (_, response) => {
    response.writeHead(200);
    response.write("one,");
    response.end("two");
  });
  const { stdout, transfers } = await curl(["-0", "-i", `${gateway.url}/chunks`]);
  expect(stdout.toString()).not.toMatch(/transfer-encoding/i);
  expect(stdout.toString()).toMatch(/\r\n\r\none,two$/);
  expect(transfers[0]!.response_code).toBe(200);
});

test("HTTP/1.0 with keep-alive, twice on one connection", async () => {
  const { transfers } = await curl([
    "-0",
    "-H",
    "Connection: keep-alive",
    "-o",
    "/dev/null",
    `${gateway.url}/file`,
    "-o",
    "/dev/null",
    `${gateway.url}/file`,
  ]);
  expect(transfers.map(({ response_code }) => response_code)).toEqual([200, 200]);
});

test("an offer of HTTP/2 is not taken up, and not passed on", async () => {
  const { transfers } = await curl(["--http2", "-o", "/dev/null", `${gateway.url}/file`]);
  expect(transfers[0]).toMatchObject({ http_version: "1.1", response_code: 200 });
  const { headers } = await backend.last();
  expect([headers.get("upgrade"), headers.get("http2-settings")]).toEqual([undefined, undefined]);
});

test("HEAD has the length and no body", async () => {
  const { stdout } = await curl(["-I", `${gateway.url}/file`]);
  expect(stdout.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*content-length: 300000\r\n[\s\S]*\r\n\r\n$/i);
});

test("large header fields pass up to the limit, and past it are refused", async () => {
  expect((await curl(["-H", `Cookie: a=${"x".repeat(12_000)}`, `${gateway.url}/cookies`])).transfers[0]!.response_code).toBe(200);
  expect((await backend.last()).headers.get("cookie")).toHaveLength(12_002);
  expect((await curl(["-H", `Cookie: a=${"x".repeat(70_000)}`, `${gateway.url}/cookies`])).transfers[0]!.response_code).toBe(431);
});

test("many large header fields of a backend reach curl", async () => {
  backend.on("/large-head", (_, response) => response.writeHead(200, { "x-large": "y".repeat(20_000) }).end());
  const { transfers } = await curl(["-o", "/dev/null", `${gateway.url}/large-head`]);
  expect(transfers[0]!.size_header).toBeGreaterThan(20_000);
});

test("encoded answers are decoded by curl, not by the gateway", async () => {
  const text = "a line of text\n".repeat(1000);
  backend.on("/text", (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(text)));
  expect((await curl(["--compressed", `${gateway.url}/text`])).stdout.toString()).toBe(text);
  expect((await curl([`${gateway.url}/text`])).stdout.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
});

test("cookies and redirects of a backend that does not know its prefix", async () => {
  backend.on("/login", (_, response) => response.writeHead(303, { location: "/me", "set-cookie": "s=1; Path=/" }).end());
  const jar = join(temporaryFolder(), "cookies");
  expect((await curl(["-L", "-b", jar, "-c", jar, "-d", "user=a", `${gateway.url}/api/login`])).code).toBe(0);
  const { method, target, headers } = await backend.last();
  expect([method, target, headers.get("cookie")]).toEqual(["GET", "/me", "s=1"]);
  expect(readFileSync(jar, "utf8")).toMatch(/\t\/api\/?\t/);
});

test("several requests share one connection", async () => {
  const { transfers } = await curl([
    "-o",
    "/dev/null",
    "-o",
    "/dev/null",
    "-o",
    "/dev/null",
    `${gateway.url}/a`,
    `${gateway.url}/b`,
    `${gateway.url}/c`,
  ]);
  expect(transfers.map(({ num_connects }) => num_connects)).toEqual([1, 0, 0]);
});

test("methods that HTTP knows and browsers do not", async () => {
  for (const method of ["PROPFIND", "REPORT", "MKCOL", "PURGE", "LOCK"]) {
    const { transfers } = await curl(["-X", method, "-o", "/dev/null", `${gateway.url}/dav`]);
    expect([transfers[0]!.response_code, (await backend.last()).method]).toEqual([200, method]);
  }
});

test("a target passes as curl sends it", async () => {
  await curl(["--path-as-is", "-g", "-o", "/dev/null", `${gateway.url}/a%20b/c;d=1?q=[1]&r={x}&s=%2F+`]);
  expect((await backend.last()).target).toBe("/a%20b/c;d=1?q=[1]&r={x}&s=%2F+");
});
