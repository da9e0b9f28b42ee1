/** Sums of this process. Tables are few: the engine names them, and those of spans that are over go. */
import { MAX_METRIC_NAMES, type MetricBatch, type Metrics, type MetricTable } from "../../contract/stores/metrics.ts";
import { ok, type StoreReply } from "../../contract/stores/reply.ts";

interface Table {
  readonly sums: Map<string, number>;
  expiresMs: number;
}

export class MemoryMetrics implements Metrics {
  readonly #tables = new Map<string, Table>();

  /** Always heard, so that no batch comes twice. */
  add({ tables }: MetricBatch, nowMs: number): StoreReply<void> {
    for (const [name, { expiresMs }] of this.#tables) if (expiresMs <= nowMs) this.#tables.delete(name);
    for (const table of tables) this.#add(table, nowMs);
    return ok(undefined);
  }

  read(tables: readonly string[], nowMs: number): StoreReply<readonly ReadonlyMap<string, number>[]> {
    return ok(
      tables.map((name) => {
        const table = this.#tables.get(name);
        return new Map(table && table.expiresMs > nowMs ? table.sums : []);
      }),
    );
  }

  #add({ name, ttlMs, sums }: MetricTable, nowMs: number): void {
    const table: Table = this.#tables.get(name) ?? { sums: new Map(), expiresMs: 0 };
    this.#tables.set(name, table);
    table.expiresMs = ttlMs === undefined ? Number.POSITIVE_INFINITY : nowMs + ttlMs;
    addSums(table.sums, sums);
  }
}

/** Names that are new go where there is room for them. */
export function addSums(into: Map<string, number>, sums: ReadonlyMap<string, number>): void {
  for (const [name, by] of sums) {
    const sum = into.get(name);
    if (sum !== undefined || into.size < MAX_METRIC_NAMES) into.set(name, (sum ?? 0) + by);
  }
}
