/** One of several equal targets, on a port that it keeps: it fails as it is told to, and knows what it was asked to do how often. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const AILMENTS = ["killed", "hung", "slowed", "resetting", "flapping", "failing"] as const;
export type Mood = "well" | (typeof AILMENTS)[number];

const SLOW_MS = 400;
const FLAP_MS = 300;
const BODY = '{"served":true}';

export class FlakyTarget {
  mood: Mood = "well";
  /** Requests that arrived, by what the client named them: a POST must never stand here twice. */
  readonly arrived = new Map<string, number>();
  /** What it began to answer and broke off. */
  readonly brokenOff = new Set<string>();
  /** Times at which an answer was given in full, by the clock of the process. */
  readonly servedAtMs: number[] = [];
  port = 0;
  #server: Server | undefined;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async fall(mood: Mood): Promise<void> {
    this.mood = mood;
    if (mood === "killed") this.close();
    else if (!this.#server) await this.listen();
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  close(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = undefined;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const name = request.url!;
    this.arrived.set(name, (this.arrived.get(name) ?? 0) + 1);
    request.resume();
    const isDown = this.mood === "flapping" && Math.floor(performance.now() / FLAP_MS) % 2 === 0;
    if (isDown || this.mood === "failing") response.writeHead(500).end();
    else if (this.mood === "resetting") {
      this.brokenOff.add(name);
      response.writeHead(200, { "content-length": 100 }).write("half of it", () => request.socket.resetAndDestroy());
    } else if (this.mood === "slowed") setTimeout(() => this.#serve(response), SLOW_MS);
    else if (this.mood !== "hung") this.#serve(response);
  }

  #serve(response: ServerResponse): void {
    if (response.destroyed) return;
    this.servedAtMs.push(performance.now());
    response.writeHead(200, { "content-length": BODY.length }).end(BODY);
  }
}
