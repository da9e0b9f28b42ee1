/** What answers tell of their cost: a header field, a field of a JSON body, or the usage that OpenAI and Anthropic report. */
import type { Exchange } from "../../contract/exchange.ts";
import { Local } from "../../contract/local.ts";
import type { BodyTap } from "../../contract/policy.ts";
import type { HeaderList } from "../../http/header-list.ts";
import { AnswerReader } from "./answer-reader.ts";
import type { Settled } from "./compiled-limit.ts";
import { readField, UsageSum, wholeNumber } from "./usage.ts";

/** The meters of a route: one for each cost that some limit settles by. */
export class Meters {
  readonly readsBody: boolean;
  /** OpenAI's streams tell their usage only where the request asks for it. */
  readonly asksForUsage: boolean;
  readonly #costs: readonly Settled[];
  /** Of each cost. */
  readonly #keys: readonly string[];
  /** What a document or event holds that tells one of the costs. */
  readonly #words: readonly string[];
  /** Units by meter. */
  readonly #read = new Local<(number | undefined)[]>();

  constructor(costs: readonly Settled[]) {
    const byKey = new Map(costs.map((cost) => [meterKey(cost), cost]));
    this.#costs = [...byKey.values()];
    this.#keys = [...byKey.keys()];
    this.#words = this.#costs.flatMap((cost) =>
      cost.kind === "json" ? [cost.path.at(-1)!] : cost.kind === "usage" ? ["usage"] : [],
    );
    this.readsBody = this.#costs.some(({ kind }) => kind !== "header");
    this.asksForUsage = this.#costs.some((cost) => cost.kind === "usage" && cost.of === "openai");
  }

  get isEmpty(): boolean {
    return this.#costs.length === 0;
  }

  indexOf(cost: Settled): number {
    return this.#keys.indexOf(meterKey(cost));
  }

  /** Units that an answer told; undefined where it did not, or not to its end. */
  read(exchange: Exchange, meter: number): number | undefined {
    return this.#read.get(exchange)?.[meter];
  }

  /** Takes what is said to the gateway off the answer. */
  readHead(exchange: Exchange, headers: HeaderList): void {
    for (const [meter, cost] of this.#costs.entries()) {
      if (cost.kind !== "header") continue;
      const units = wholeNumber(Number(headers.get(cost.header) ?? Number.NaN));
      headers.delete(cost.header);
      if (units !== undefined) this.#note(exchange, meter, units);
    }
  }

  openBody(exchange: Exchange): BodyTap {
    const sums = this.#costs.map((cost) => (cost.kind === "usage" ? new UsageSum(cost.of) : undefined));
    const note = (value: unknown) => {
      for (const [meter, cost] of this.#costs.entries()) {
        const sum = sums[meter];
        sum?.add(value);
        const units = cost.kind === "json" ? wholeNumber(readField(value, cost.path)) : sum?.units;
        if (units !== undefined) this.#note(exchange, meter, units);
      }
    };
    return new AnswerReader(this.#words, note);
  }

  #note(exchange: Exchange, meter: number, units: number): void {
    const read = this.#read.get(exchange) ?? [];
    read[meter] = units;
    this.#read.set(exchange, read);
  }
}

/** Limits that differ in their reserve read the same. */
function meterKey({ reserve: _, ...cost }: Settled): string {
  return JSON.stringify(cost);
}
