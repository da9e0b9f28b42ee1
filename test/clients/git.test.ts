/** git through the gateway, over smart HTTP: git's own http-backend as CGI behind a small server. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../support/host-process.ts";
import { type LoopbackServer, serve } from "./loopback-server.ts";
import { type NodeGateway, startNodeGateway } from "./node-gateway.ts";
import { runWell } from "./program.ts";

const folder = temporaryFolder();
const seen: IncomingMessage[] = [];
let server: LoopbackServer;
let gateway: NodeGateway;

/** No config of the developer's, and nobody asked for a password. */
const ENV = {
  HOME: folder,
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@example",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@example",
};
const git = (args: string[], cwd = folder, input?: string) =>
  runWell("git", args, { cwd, env: ENV, ...(input !== undefined && { input }) });

/** RFC 3875 as far as http-backend reads it. */
function httpBackend(request: IncomingMessage, response: ServerResponse): void {
  seen.push(request);
  const { pathname, search } = new URL(request.url!, "http://localhost");
  const { headers } = request;
  const env = {
    PATH: process.env["PATH"]!,
    GIT_PROJECT_ROOT: folder,
    GIT_HTTP_EXPORT_ALL: "1",
    REQUEST_METHOD: request.method!,
    PATH_INFO: pathname,
    QUERY_STRING: search.slice(1),
    CONTENT_TYPE: headers["content-type"] ?? "",
    HTTP_GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
    HTTP_CONTENT_ENCODING: headers["content-encoding"] ?? "",
    ...(headers["content-length"] !== undefined && { CONTENT_LENGTH: headers["content-length"] }),
  };
  const child = spawn("git", ["http-backend"], { env: env as unknown as NodeJS.ProcessEnv, stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);
  let head = Buffer.alloc(0);
  const onHead = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    child.stdout.off("data", onHead);
    for (const line of head.subarray(0, end).toString().split("\r\n")) {
      const [name = "", value = ""] = line.split(": ");
      if (name === "Status") response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.write(head.subarray(end + 4));
    child.stdout.pipe(response);
  };
  child.stdout.on("data", onHead);
}

/** Many branches, each with a commit of its own, and one large file: written by git's own fast-import. */
async function fillRepository(repository: string): Promise<void> {
  await git(["init", "-q", "--bare", "-b", "main", repository]);
  await git(["config", "http.receivepack", "true"], repository);
  const commit = (branch: string, file: string, content: string) =>
    `commit refs/heads/${branch}\ncommitter a <a@example> 1700000000 +0000\ndata 4\ntextM 100644 inline ${file}\ndata ${content.length}\n${content}\n`;
  const branches = Array.from({ length: 60 }, (_, index) => commit(`branch-${index}`, `file-${index}`, `content ${index}`));
  const large = commit("main", "large.hex", randomBytes(1_500_000).toString("hex"));
  await git(["fast-import", "--quiet"], repository, [large, ...branches].join(""));
}

const requestsFor = (service: string) => seen.filter(({ url }) => url!.endsWith(`/${service}`));

beforeAll(async () => {
  await fillRepository(join(folder, "shop.git"));
  server = await serve(httpBackend);
  gateway = await startNodeGateway({
    backends: { git: server.url },
    routes: [{ path: "/code/*", backend: "git", auth: "none", stripPrefix: "/code", maxBody: "64mb" }],
  });
});
afterAll(async () => {
  await gateway?.stop();
  server?.close();
});

test("clone, with a request that git compresses", async () => {
  await git(["clone", "-q", `${gateway.url}/code/shop.git`, "clone"]);
  const ours = await git(["rev-parse", "main"], join(folder, "shop.git"));
  expect(await git(["rev-parse", "HEAD"], join(folder, "clone"))).toBe(ours);
  await git(["fsck", "--full", "--strict"], join(folder, "clone"));
  expect(requestsFor("git-upload-pack").some(({ headers }) => headers["content-encoding"] === "gzip")).toBe(true);
});

test("push of more than git holds in memory goes in chunks, and fetch brings it back", async () => {
  const clone = join(folder, "clone");
  writeFileSync(join(clone, "pushed.bin"), randomBytes(3_000_000));
  await git(["add", "pushed.bin"], clone);
  await git(["commit", "-q", "-m", "a large file"], clone);
  await git(["-c", "http.postBuffer=1048576", "push", "-q", "origin", "main"], clone);
  expect(requestsFor("git-receive-pack").some(({ headers }) => headers["transfer-encoding"] === "chunked")).toBe(true);

  await git(["clone", "-q", "--depth", "1", "--branch", "main", `${gateway.url}/code/shop.git`, "shallow"]);
  expect(readFileSync(join(folder, "shallow", "pushed.bin")).equals(readFileSync(join(clone, "pushed.bin")))).toBe(true);
  await git(["fsck", "--full", "--strict"], join(folder, "shop.git"));
});

test("push of a size that fits goes with its length", async () => {
  const clone = join(folder, "clone");
  const before = requestsFor("git-receive-pack").length;
  await git(["push", "-q", "origin", "main:refs/heads/copy", "--force"], clone);
  expect(requestsFor("git-receive-pack")[before]!.headers["content-length"]).toMatch(/^\d+$/);
});

test("a repository that is not there: git says so", async () => {
  await expect(git(["ls-remote", `${gateway.url}/code/none.git`])).rejects.toThrow("not found");
});
