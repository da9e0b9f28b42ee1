/** A run of the fuzzer against one host: rounds of cases, many at a time, and after each a look at what is left of it. */
import type { HostName } from "../support/host-process.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import { GatewayUnderTest } from "./gateway-under-test.ts";
import { drawCase } from "./generate.ts";
import { isUnplayable } from "./platform-limits.ts";
import { play } from "./play.ts";

export interface Finding {
  readonly what: string;
  /** One where it is known which; otherwise those under way, and the last ones before them. */
  readonly cases: readonly FuzzCase[];
}

/** Connections of clients at the same time. Next has no bound for what one of them pipelines, and costs many times the CPU. */
const AT_ONCE: Record<HostName, number> = { node: 48, vercel: 12 };
/** Cases that something found in the process itself may come from. */
const RECENT = 200;
/** The first round is short: it takes the measures for the others. */
const FIRST_ROUND_MS = 5_000;
const ROUND_MS = 20_000;
/** A fault in one place shows in many cases: after so many findings it is time to read them. */
const ENOUGH_FINDINGS = 10;
const RELOAD_MS = 2_000;

export class Fuzzing {
  readonly findings: Finding[] = [];
  played = 0;
  readonly #gateway: GatewayUnderTest;
  #recent: FuzzCase[] = [];
  #reloads = 0;

  private constructor(gateway: GatewayUnderTest) {
    this.#gateway = gateway;
  }

  static async start(name: HostName): Promise<Fuzzing> {
    const gateway = new GatewayUnderTest();
    await gateway.start(name);
    return new Fuzzing(gateway);
  }

  get lastLogLines(): string {
    return this.#gateway.lastLogLines(30);
  }

  /** For so long, or until enough is found. Says whether something was. */
  async explore(seed: number, ms: number): Promise<boolean> {
    const endMs = performance.now() + ms;
    let index = 0;
    const draw = () => {
      let fuzzCase = drawCase(seed, index++);
      while (isUnplayable(fuzzCase, this.#gateway.host.name)) fuzzCase = drawCase(seed, index++);
      return fuzzCase;
    };
    for (let roundMs = FIRST_ROUND_MS; performance.now() < endMs && this.#goesOn; roundMs = ROUND_MS) {
      await this.#round(draw, Math.min(endMs, performance.now() + roundMs));
    }
    if (!this.#gateway.hasEnded) await this.#stopUnderLoad(draw);
    return this.findings.length > 0;
  }

  /** One after the other; where that shows nothing, all at once. */
  async replay(cases: readonly FuzzCase[]): Promise<void> {
    await this.#look();
    for (const fuzzCase of cases) await this.#play(fuzzCase);
    if (this.findings.length === 0 && cases.length > 1) await Promise.all(cases.map((fuzzCase) => this.#play(fuzzCase)));
    await this.#look();
    this.#report(await this.#gateway.stop());
  }

  get #goesOn(): boolean {
    return !this.#gateway.hasEnded && this.findings.length < ENOUGH_FINDINGS;
  }

  async #round(draw: () => FuzzCase, endMs: number): Promise<void> {
    const isOver = () => performance.now() > endMs || !this.#goesOn;
    const reloads = setInterval(() => {
      if (this.#gateway.host.name === "node") this.#gateway.reload(this.#reloads++);
      this.#report(this.#gateway.crashes());
    }, RELOAD_MS);
    const client = async () => {
      while (!isOver()) await this.#play(draw());
    };
    await Promise.all(Array.from({ length: AT_ONCE[this.#gateway.host.name] }, client));
    clearInterval(reloads);
    await this.#look();
  }

  async #look(): Promise<void> {
    if (!this.#gateway.hasEnded) this.#report(await this.#gateway.leftovers());
    this.#report(this.#gateway.crashes());
    if (this.#gateway.hasEnded) this.#report([`the process has ended with ${this.#gateway.host.child.exitCode}`]);
  }

  async #play(fuzzCase: FuzzCase): Promise<void> {
    this.#recent.push(fuzzCase);
    if (this.#recent.length > RECENT) this.#recent.shift();
    this.#gateway.odd.expect(fuzzCase);
    const seen = await play(fuzzCase, this.#gateway.host);
    this.#report(this.#gateway.odd.faultsAfter(fuzzCase));
    for (const what of seen) this.findings.push({ what: `${fuzzCase.id} (${fuzzCase.kind}): ${what}`, cases: [fuzzCase] });
    this.played++;
  }

  /** The shutdown meets clients of every kind: what becomes of them is not judged, the end of the process is. */
  async #stopUnderLoad(draw: () => FuzzCase): Promise<void> {
    const { odd, host } = this.#gateway;
    const clients = Array.from({ length: AT_ONCE[this.#gateway.host.name] }, () => {
      const fuzzCase = draw();
      odd.expect(fuzzCase);
      return play(fuzzCase, host);
    });
    this.#report(await this.#gateway.stop());
    await Promise.all(clients);
  }

  #report(findings: readonly string[]): void {
    for (const what of findings) this.findings.push({ what, cases: [...this.#recent] });
  }
}
