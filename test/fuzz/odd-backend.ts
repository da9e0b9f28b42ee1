/**
 * Backends on bare sockets that answer as the case says, and judge what they get: one well-formed request after another, none that
 * nobody sent, and no field that only the gateway may say.
 */
import { createHash } from "node:crypto";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { readRequest } from "../smuggling/recording-backend.ts";
import { type AnswerStep, CASE_NAME, FORGED, type FuzzCase } from "./fuzz-case.ts";
import { runSteps } from "./run-steps.ts";

const PLAIN: readonly AnswerStep[] = [{ takeRequest: true }, { write: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" }];
/** A first try and its repetitions, a mirrored copy, a refreshed cache. */
const MAX_ATTEMPTS = 12;
const RESERVED = /^x[-_](?:gateway|middleware|nextjs)[-_]/i;

export class OddBackends {
  readonly #cases = new Map<string, FuzzCase>();
  readonly #sockets = new Set<Socket>();
  readonly #servers: Server[] = [];
  /** By `<id>.<number>`: how often a request came. */
  readonly #arrivals = new Map<string, number>();
  #faults: string[] = [];
  requests = 0;

  async listen(): Promise<string> {
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#take(socket));
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  expect(fuzzCase: FuzzCase): void {
    this.#cases.set(fuzzCase.id, fuzzCase);
  }

  /** The case is over: what was wrong since the last look. A copy of its requests may still come, and gets a plain answer. */
  faultsAfter({ id, answers }: FuzzCase): string[] {
    this.#cases.delete(id);
    answers.forEach((_, number) => this.#arrivals.delete(`${id}.${number}`));
    const faults = this.#faults;
    this.#faults = [];
    return faults;
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.dropConnections();
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    let unread = "";
    let wake = () => {};
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#sockets.delete(socket);
      wake();
    });
    socket.on("end", () => socket.end());
    socket.on("data", (bytes) => {
      unread += bytes.toString("latin1");
      wake();
    });
    const more = () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      });
    const takeRequest = async (): Promise<string | undefined> => {
      while (!socket.destroyed) {
        const read = readRequest(unread);
        if (read) {
          this.#judge(read.request, unread);
          const head = unread.slice(0, unread.indexOf("\r\n\r\n"));
          unread = read.rest;
          return head;
        }
        await more();
      }
      return undefined;
    };
    const serve = async () => {
      while (!socket.destroyed) {
        while (!unread.includes("\r\n\r\n") && !socket.destroyed) await more();
        if (socket.destroyed) return;
        const head = unread.slice(0, unread.indexOf("\r\n\r\n"));
        let isTaken = false;
        await runSteps(socket, this.#answerTo(head), async (step) => {
          if ("accept" in step) socket.write(acceptance(head) + step.accept, "latin1");
          // What follows are frames, unless the request was no handshake.
          if ("takeRequest" in step || !/^upgrade:/im.test(head)) {
            await takeRequest();
            isTaken = true;
          }
        });
        if (/^upgrade:/im.test(head) && !isTaken) unread = "";
        else if (!isTaken) await takeRequest();
      }
    };
    serve().catch((error: Error) => {
      this.#faults.push(`a backend got ${error.message}: ${JSON.stringify(unread.slice(0, 2000))}`);
      socket.destroy();
    });
  }

  #answerTo(head: string): readonly AnswerStep[] {
    const [, id = "", number = "0"] = CASE_NAME.exec(head) ?? [];
    return this.#cases.get(id)?.answers[Number(number)] ?? PLAIN;
  }

  #judge({ target, fields }: NonNullable<ReturnType<typeof readRequest>>["request"], bytes: string): void {
    this.requests++;
    const head = bytes.slice(0, bytes.indexOf("\r\n\r\n"));
    const fault = (what: string) => this.#faults.push(`a backend got ${what}: ${JSON.stringify(head.slice(0, 2000))}`);
    for (const [name, value] of fields) if (RESERVED.test(name) && value.includes(FORGED)) fault(`the caller's own ${name}`);
    const [, pretender = ""] = /\/smuggled\/(c\d+)/.exec(target) ?? [];
    // Mutation makes a request of its own of a body that is cut.
    if (this.#cases.get(pretender)?.isMutated === false) fault("a request that stood in a body");
    const [, id = "", number] = CASE_NAME.exec(`${head}\r\n`) ?? [];
    const fuzzCase = this.#cases.get(id);
    // Cases that send one name many times are told by their kind.
    if (!fuzzCase || fuzzCase.kind === "pipelined" || fuzzCase.isMutated) return;
    const name = `${id}.${number}`;
    const arrivals = (this.#arrivals.get(name) ?? 0) + 1;
    this.#arrivals.set(name, arrivals);
    if (arrivals > MAX_ATTEMPTS) fault(`the same request ${arrivals} times`);
  }
}

/** RFC 6455 section 4.2.2. */
function acceptance(head: string): string {
  const [, key = ""] = /^sec-websocket-key: *(\S+)/im.exec(head) ?? [];
  const proof = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${proof}\r\n`;
}
