/** A resumable upload (tus 1.0) through the gateway: broken off in the middle on either side, and resumed. */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { FileStore } from "@tus/file-store";
import { Server as TusServer } from "@tus/server";
import { Upload, type UploadOptions } from "tus-js-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/host-process.ts";
import { type LoopbackServer, serve } from "./loopback-server.ts";
import { type NodeGateway, startNodeGateway } from "./node-gateway.ts";

const FILE = randomBytes(4_000_000);
const CHUNK_BYTES = 1_000_000;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const folder = temporaryFolder();
let server: LoopbackServer;
let gateway: NodeGateway;
/** Sees each request before the tus server does. */
let onRequest: (request: IncomingMessage) => void = () => {};

beforeAll(async () => {
  // Relative addresses of uploads under the one route, absolute ones under the other.
  const options = { path: "/files", datastore: new FileStore({ directory: folder }) };
  const relative = new TusServer({ ...options, relativeLocation: true });
  const absolute = new TusServer({ ...options, path: "/absolute", respectForwardedHeaders: true });
  server = await serve(
    createServer((request, response) => {
      onRequest(request);
      return (request.url!.startsWith("/absolute") ? absolute : relative).handle(request, response);
    }),
  );
  gateway = await startNodeGateway({
    backends: { uploads: server.url },
    defaults: { auth: "none", maxBody: "64mb" },
    routes: [
      { path: "/files/*", backend: "uploads" },
      { path: "/absolute/*", backend: "uploads" },
      { path: "/shop/*", backend: "uploads", stripPrefix: "/shop" },
    ],
  });
});
afterAll(async () => {
  await gateway?.stop();
  server?.close();
});

/** Ends with the upload's address; `act` may break it off. */
function upload(path: string, options: Partial<UploadOptions>, act: (running: Upload) => void = () => {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const running = new Upload(FILE, {
      endpoint: gateway.url + path,
      chunkSize: CHUNK_BYTES,
      retryDelays: null,
      metadata: { filename: "a file.bin" },
      onSuccess: () => resolve(running.url!),
      onError: reject,
      ...options,
    });
    act(running);
    running.start();
  });
}

const stored = (url: string) => readFileSync(join(folder, url.split("/").at(-1)!));

describe.each(["/files", "/absolute", "/shop/files"])("under %s", (path) => {
  test("the backend breaks off in the middle of a chunk: the client asks how far it came and goes on from there", async () => {
    const methods: string[] = [];
    let isBroken = false;
    onRequest = (request) => {
      methods.push(request.method!);
      if (isBroken || methods.join() !== "POST,PATCH,PATCH") return;
      isBroken = true;
      let arrived = 0;
      const push = request.push.bind(request);
      // Counted as they are parsed: a listener would set the body flowing, and the tus server would miss what came before it reads.
      request.push = (chunk: Buffer | null) => {
        arrived += chunk?.length ?? 0;
        if (arrived > CHUNK_BYTES / 2) request.socket.destroy();
        return push(chunk);
      };
    };
    const url = await upload(path, { retryDelays: [10, 10, 10] });
    expect(new URL(url).origin).toBe(gateway.url);
    expect(new URL(url).pathname.startsWith(`${path}/`)).toBe(true);
    expect(methods.slice(0, 4)).toEqual(["POST", "PATCH", "PATCH", "HEAD"]);
    expect(sha256(stored(url))).toBe(sha256(FILE));
  });

  test("the client breaks off in the middle of a chunk, and another resumes by the address", async () => {
    onRequest = () => {};
    const begun = await new Promise<Upload>((resolve, reject) => {
      let running: Upload;
      const stopHalfway = (sent: number) => {
        // Within the third chunk.
        if (sent > 2.2 * CHUNK_BYTES) running.abort().then(() => resolve(running), reject);
      };
      upload(path, { onProgress: stopHalfway }, (created) => (running = created)).catch(reject);
    });
    let resumedAt = -1;
    const noteFirst = (_: number, accepted: number) => {
      if (resumedAt < 0) resumedAt = accepted;
    };
    const url = await upload(path, { uploadUrl: begun.url!, onChunkComplete: noteFirst });
    expect(url).toBe(begun.url);
    expect(resumedAt).toBeGreaterThan(2 * CHUNK_BYTES);
    expect(sha256(stored(url))).toBe(sha256(FILE));
  });
});
