/** What the Node host must bear, at any size: the tests run it small, run.ts as large as the issue says. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type NodeGateway, startNodeGateway } from "../clients/node-gateway.ts";
import { temporaryFolder } from "../support/host-process.ts";
import { until } from "../support/until.ts";
import { checksumOf, type LoadBackend, startLoadBackend } from "./load-backend.ts";
import { forgetPeak, openFiles, peakResidentMb, residentMb } from "./process-memory.ts";

export interface LoadSetup {
  readonly backend: LoadBackend;
  readonly gateway: NodeGateway;
  /** What the gateway's process holds on to once all garbage is gone. */
  liveMb(): Promise<number>;
  close(): Promise<void>;
}

/** One route for everything. */
const plainConfig = (backend: string): object => ({
  backends: { load: { url: backend, timeout: { connect: "20s" } } },
  routes: [{ path: "/*", backend: "load", auth: "none", maxBody: "1gb" }],
});

export async function startLoadSetup(
  configFor = plainConfig,
  variables: Readonly<Record<string, string>> = {},
): Promise<LoadSetup> {
  const backend = await startLoadBackend();
  const file = join(temporaryFolder(), "live-memory");
  const gateway = await startNodeGateway(configFor(backend.url), {
    ...variables,
    LIVE_MEMORY_FILE: file,
    NODE_OPTIONS: `--import=${join(import.meta.dirname, "live-memory.mjs")}`,
  });
  return {
    backend,
    gateway,
    async liveMb() {
      rmSync(file, { force: true });
      process.kill(gateway.pid, "SIGUSR2");
      const bytes = await until(() => existsSync(file) && readFileSync(file, "utf8"), "the gateway to look at its memory");
      return Number(bytes) / 1024 / 1024;
    },
    async close() {
      await gateway.stop();
      backend.close();
    },
  };
}

export interface Transferred {
  readonly isIntact: boolean;
  readonly peakMb: number;
}

export async function download({ gateway }: LoadSetup, bytes: number): Promise<Transferred> {
  forgetPeak(gateway.pid);
  const hash = createHash("sha256");
  const answer = await ask(gateway, `/bytes?${bytes}`);
  for await (const chunk of answer) hash.update(chunk as Buffer);
  return { isIntact: hash.digest("hex") === checksumOf(bytes), peakMb: peakResidentMb(gateway.pid) };
}

export async function upload({ gateway }: LoadSetup, bytes: number, framing: "length" | "chunks"): Promise<Transferred> {
  forgetPeak(gateway.pid);
  const hash = createHash("sha256");
  const piece = Buffer.alloc(64 * 1024, "frontdesk");
  function* pieces(): Generator<Buffer> {
    for (let left = bytes; left > 0; left -= piece.length) {
      const next = piece.subarray(0, Math.min(left, piece.length));
      hash.update(next);
      yield next;
    }
  }
  const answer = await ask(gateway, "/eaten", Readable.from(pieces()), framing === "length" ? bytes : undefined);
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { isIntact: Buffer.concat(chunks).toString() === hash.digest("hex"), peakMb: peakResidentMb(gateway.pid) };
}

function ask({ port }: NodeGateway, path: string, body?: Readable, length?: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = length === undefined ? {} : { "content-length": length };
    const request = httpRequest({ host: "127.0.0.1", port, path, method: body ? "PUT" : "GET", headers, agent: false }, resolve);
    request.once("error", reject);
    if (body) body.pipe(request);
    else request.end();
  });
}

export interface SlowReaders extends Transferred {
  /** How many had the head of their answer while nobody read on. */
  readonly served: number;
}

/**
 * All ask at once for more than the kernel's buffers hold, read the head and stop. When nothing moves any more, some read on to the
 * end and the others go away.
 */
export async function slowReaders({ gateway, backend }: LoadSetup, count: number, bytes: number): Promise<SlowReaders> {
  forgetPeak(gateway.pid);
  const readers = Array.from({ length: count }, () => new SlowReader(gateway.port, `/bytes?${bytes}`));
  const served = () => readers.filter(({ hasHead }) => hasHead).length;
  await until(served, "the first slow reader to be served");
  await untilStill(() => served() + backend.sentBytes);
  const servedAtOnce = served();
  const patient = readers.slice(0, 20);
  for (const reader of readers.slice(20)) reader.leave();
  const wanted = checksumOf(bytes);
  const sums = await Promise.all(patient.map((reader) => reader.readToTheEnd(bytes)));
  return { isIntact: sums.every((sum) => sum === wanted), served: servedAtOnce, peakMb: peakResidentMb(gateway.pid) };
}

class SlowReader {
  hasHead = false;
  #isReading = false;
  readonly #socket: Socket;
  readonly #hash = createHash("sha256");
  #bytes = 0;

  constructor(port: number, path: string) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\n\r\n`);
    this.#socket.on("error", () => {});
    this.#socket.on("data", (chunk: Buffer) => {
      if (this.hasHead) {
        this.#take(chunk);
        return;
      }
      this.hasHead = true;
      this.#take(chunk.subarray(chunk.indexOf("\r\n\r\n") + 4));
      if (!this.#isReading) this.#socket.pause();
    });
  }

  leave(): void {
    this.#socket.destroy();
  }

  /** The checksum, once it has all or the connection has ended. */
  async readToTheEnd(bytes: number): Promise<string> {
    this.#isReading = true;
    this.#socket.resume();
    await until(() => this.#bytes === bytes || this.#socket.destroyed, "a slow reader to have read", 60_000);
    return this.#hash.digest("hex");
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#hash.update(chunk);
  }
}

export interface Aborted {
  readonly filesBefore: number;
  readonly filesAfter: number;
  readonly liveMbBefore: number;
  readonly liveMbAfter: number;
  readonly residentMbBefore: number;
  readonly residentMbAfter: number;
}

/** Callers that go away: before an answer, within one, within an upload, and at once. */
const ABORTED = [
  "GET /silent HTTP/1.1\r\nHost: gateway.example\r\n\r\n",
  "GET /begun HTTP/1.1\r\nHost: gateway.example\r\n\r\n",
  "PUT /eaten HTTP/1.1\r\nHost: gateway.example\r\nContent-Length: 1000000\r\n\r\nbegun",
  "PUT /eaten HTTP/1.1\r\nHost: gateway.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n",
  "GET /bytes?5000000 HTTP/1.1\r\nHost: gateway.example\r\n\r\n",
];

/** Measures after a first part and again at the end: what the first part left behind is not a leak, what grows after it is. */
export async function abortRequests({ gateway, backend, liveMb }: LoadSetup, first: number, more: number): Promise<Aborted> {
  const { pid, port } = gateway;
  const settled = async () => {
    // The gateway's own connections to the backend idle for a few seconds before they are given up.
    await until(() => backend.openConnections === 0, "the backend's connections to end");
    await untilStill(() => openFiles(pid));
    return { files: openFiles(pid), residentMb: residentMb(pid), liveMb: await liveMb() };
  };
  await abortMany(port, first);
  const before = await settled();
  await abortMany(port, more);
  const after = await settled();
  return {
    filesBefore: before.files,
    filesAfter: after.files,
    liveMbBefore: before.liveMb,
    liveMbAfter: after.liveMb,
    residentMbBefore: before.residentMb,
    residentMbAfter: after.residentMb,
  };
}

async function abortMany(port: number, count: number): Promise<void> {
  let started = 0;
  const worker = async () => {
    while (started < count) await abortOne(port, started++);
  };
  await Promise.all(Array.from({ length: 64 }, worker));
}

/** Every other one waits for the first byte where there will be one; the others leave as soon as their bytes are gone. */
function abortOne(port: number, turn: number): Promise<void> {
  return new Promise((resolve) => {
    const text = ABORTED[turn % ABORTED.length]!;
    const waits = turn % 2 === 0 && /begun HTTP|bytes/.test(text);
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.once("close", () => resolve());
    socket.write(text, () => {
      if (!waits) socket.destroy();
    });
    if (waits) socket.once("data", () => socket.resetAndDestroy());
  });
}

/** Until a number has been the same for two seconds. */
async function untilStill(read: () => number): Promise<void> {
  let [last, since] = [Number.NaN, Date.now()];
  await until(
    () => {
      const now = read();
      if (now !== last) [last, since] = [now, Date.now()];
      return Date.now() - since > 2_000;
    },
    "things to stand still",
    60_000,
  );
}
