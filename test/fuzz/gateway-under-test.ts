/** A host under the fuzzer, with its backends: what must hold of the process after any number of cases. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openFiles, residentMb } from "../load/process-memory.ts";
import { ADMIN_TOKEN, type HostName, type HostProcess, ROOT, startHost, temporaryFolder } from "../support/host-process.ts";
import { sendRaw } from "../support/raw-client.ts";
import { until } from "../support/until.ts";
import { ADA_PASSWORD, JWT_SECRET } from "./dictionary.ts";
import { ANSWER_FIELD, CASE_FIELD } from "./fuzz-case.ts";
import { OddBackends } from "./odd-backend.ts";
import { tellsOfBug } from "./platform-limits.ts";

/** What is resident after a round and its garbage. Next alone needs more than the whole Node host. */
const MAX_RESIDENT_MB: Record<HostName, number> = { node: 300, vercel: 500 };
/** Live memory over that after the first round: caches and their statistics fill up to bounds of their own. */
const MAX_GROWTH_MB = 40;
/** Files over those after the first round: the store's own, and connections that the system has not yet ended. */
const MORE_FILES = 5;
/** Everything of a round has ended by then: the longest is a client's lingering socket, and Next's keep-alive. */
const DRAIN_MS = 20_000;
/** The Node host's drain and what it allows backends and stores on top (lib/hosts/node/server.ts). */
const STOP_MS = 30_000;

export class GatewayUnderTest {
  readonly odd = new OddBackends();
  /** It takes every head that the gateway passes on. */
  readonly #calm = createServer({ maxHeaderSize: 256 * 1024 }, (request, response) => {
    request.resume().on("end", () => {
      const name = request.headers[CASE_FIELD];
      if (typeof name === "string" && /^[\x20-\x7e]+$/.test(name)) response.setHeader(ANSWER_FIELD, name);
      response.end("calm");
    });
  });
  readonly #folder = temporaryFolder();
  readonly #memoryFile = join(this.#folder, "live-memory");
  #files: number | undefined;
  #liveMb: number | undefined;
  #log: string[] = [];
  host!: HostProcess;

  async start(name: HostName): Promise<void> {
    this.#calm.on("clientError", (_, socket) => socket.destroy());
    this.#calm.listen(0, "127.0.0.1");
    await new Promise((resolve) => this.#calm.once("listening", resolve));
    this.#writeSwitch("512b");
    const env = {
      ODD_URL: await this.odd.listen(),
      ODD_TOO_URL: await this.odd.listen(),
      APART_URL: await this.odd.listen(),
      CALM_URL: `http://127.0.0.1:${(this.#calm.address() as AddressInfo).port}`,
      ADA_PASSWORD,
      JWT_SECRET,
      LIVE_MEMORY_FILE: this.#memoryFile,
      NODE_OPTIONS: `--import=${join(ROOT, "test/load/live-memory.mjs")}`,
      // Where nothing is reloaded, the variable never changes.
      ...(name === "vercel" && { SMALL_BODY: "512b" }),
    };
    this.host = await startHost(name, { config: join(import.meta.dirname, "gateway.config.ts"), env, cwd: this.#folder });
  }

  get hasEnded(): boolean {
    const { child } = this.host;
    return child.exitCode !== null || child.signalCode !== null;
  }

  /** A good config, another good one, one that is refused. */
  reload(count: number): void {
    this.#writeSwitch(["1kb", "no size", "512b"][count % 3]!);
    this.host.signal("SIGHUP");
  }

  /** What the log tells of bugs since the last look. */
  crashes(): string[] {
    const lines = this.host.takeOutput().split("\n");
    this.#log = [...this.#log, ...lines].slice(-200);
    return lines.filter((line) => tellsOfBug(line, this.host.name)).map((line) => `the log says ${line}`);
  }

  lastLogLines(count: number): string {
    return this.#log.slice(-count).join("\n");
  }

  /** All of a round has been played: nothing of it may be left. The first call takes the measures for those after it. */
  async leftovers(): Promise<string[]> {
    const findings: string[] = [];
    const { port, child, name } = this.host;
    const check = async (condition: () => Promise<boolean> | boolean, what: () => string) => {
      await until(condition, "", DRAIN_MS).catch(() => findings.push(what()));
    };
    let health = "";
    await check(
      async () => {
        this.#dropBackendConnections();
        health = (await this.#get("/gateway/health")).body;
        return !/"inFlight":[1-9]/.test(health);
      },
      () => `requests are still in flight ${DRAIN_MS} ms after the last: ${health}`,
    );
    const most = (this.#files ?? Number.POSITIVE_INFINITY) + MORE_FILES;
    const settled = { files: openFiles(child.pid!), sinceMs: performance.now() };
    await check(
      () => {
        this.#dropBackendConnections();
        const files = openFiles(child.pid!);
        if (files !== settled.files) Object.assign(settled, { files, sinceMs: performance.now() });
        return files <= most && (this.#files !== undefined || performance.now() - settled.sinceMs > 7000);
      },
      () => `${settled.files} files are open; after the first round there were ${this.#files}`,
    );
    this.#files ??= settled.files;
    const liveMb = await this.#live();
    this.#liveMb ??= liveMb;
    if (liveMb > this.#liveMb + MAX_GROWTH_MB)
      findings.push(`${liveMb} MB live; after the first round there were ${this.#liveMb}`);
    const resident = residentMb(child.pid!);
    if (resident > MAX_RESIDENT_MB[name])
      findings.push(`${Math.round(resident)} MB are resident; ${MAX_RESIDENT_MB[name]} may be`);
    const calm = await this.#get("/calm/after");
    if (calm.status !== 200) findings.push(`a plain request gets ${calm.status} ${calm.body} after the round`);
    console.log(
      `  ${name} on ${port}: ${settled.files} files, ${Math.round(resident)} MB resident, ${liveMb.toFixed(1)} MB live`,
    );
    return findings;
  }

  /** By SIGTERM, as an operator stops it. */
  async stop(): Promise<string[]> {
    const { child, name } = this.host;
    this.host.signal("SIGTERM");
    const hasEnded = await until(() => this.hasEnded, "", STOP_MS).catch(() => false);
    const findings = this.crashes();
    if (!hasEnded) findings.push(`it runs ${STOP_MS} ms after SIGTERM`);
    // Next ends by the signal itself.
    else if (name === "node" && child.exitCode !== 0)
      findings.push(`SIGTERM ended it with ${child.exitCode ?? child.signalCode}`);
    await this.host.stop();
    this.odd.close();
    this.#calm.close().closeAllConnections();
    return findings;
  }

  #dropBackendConnections(): void {
    this.odd.dropConnections();
    this.#calm.closeIdleConnections();
  }

  async #get(target: string): Promise<{ status: number; body: string }> {
    const headers = ["Authorization", `Bearer ${ADMIN_TOKEN}`, "Connection", "close"];
    const { status, body } = await sendRaw(this.host.port, { target, headers });
    return { status, body: body.toString() };
  }

  async #live(): Promise<number> {
    rmSync(this.#memoryFile, { force: true });
    this.host.signal("SIGUSR2");
    const bytes = await until(() => existsSync(this.#memoryFile) && readFileSync(this.#memoryFile, "utf8"), "its memory");
    return Number(bytes) / 1024 / 1024;
  }

  #writeSwitch(smallBody: string): void {
    writeFileSync(join(this.#folder, ".env"), `SMALL_BODY=${smallBody}\n`);
  }
}
