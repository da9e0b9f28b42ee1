/** What every implementation of metrics must do. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAX_METRIC_NAMES, type MetricBatch, type Metrics } from "#lib/contract/stores/metrics.ts";
import { until } from "../support/until.ts";
import { answered } from "./answered.ts";

export interface MetricsUnderTest {
  readonly metrics: Metrics;
  close(): Promise<void>;
}

export function metricsContract(name: string, make: () => Promise<MetricsUnderTest>): void {
  describe(`metrics of ${name}`, () => {
    let subject: MetricsUnderTest;
    let batches = 0;
    beforeAll(async () => {
      subject = await make();
    });
    afterAll(() => subject.close());
    const add = (tables: Record<string, Record<string, number>>, { ttlMs }: { ttlMs?: number } = {}) => {
      const batch: MetricBatch = {
        id: `batch-${batches++}`,
        tables: Object.entries(tables).map(([name, sums]) => ({ name, ttlMs, sums: new Map(Object.entries(sums)) })),
      };
      return answered(subject.metrics.add(batch, Date.now()));
    };
    const read = async (...tables: string[]) =>
      (await answered(subject.metrics.read(tables, Date.now()))).map((sums) => Object.fromEntries(sums));

    test("sums of several batches and tables", async () => {
      await add({ total: { 'requests{route="/a b"}': 2, bytes: 9_007_199_254 }, "minute:1": { requests: 1 } });
      await add({ total: { 'requests{route="/a b"}': 40, errors: 1 } });
      expect(await read("total", "minute:1", "none")).toEqual([
        { 'requests{route="/a b"}': 42, bytes: 9_007_199_254, errors: 1 },
        { requests: 1 },
        {},
      ]);
    });

    test("at once, from several sides", async () => {
      await Promise.all(Array.from({ length: 50 }, () => add({ busy: { a: 1, b: 2 } })));
      expect(await read("busy")).toEqual([{ a: 50, b: 100 }]);
    });

    test("names that look like something else", async () => {
      const sums = { "1": 1, constructor: 2, ü: 3, "a\nb": 4, __proto__x: 5 };
      await add({ odd: sums });
      expect(await read("odd")).toEqual([sums]);
    });

    test("a table goes when its time is over, counted from the last addition", async () => {
      await add({ brief: { a: 1 }, long: { a: 1 } }, { ttlMs: 60_000 });
      await add({ brief: { a: 1 } }, { ttlMs: 20 });
      await until(async () => Object.keys((await read("brief"))[0]!).length === 0, "the end of the table");
      expect(await read("long")).toEqual([{ a: 1 }]);
      await add({ brief: { b: 1 } }, { ttlMs: 60_000 });
      expect(await read("brief")).toEqual([{ b: 1 }]);
    });

    test("a full table takes no further names, and those that it has still count", async () => {
      const many = (from: number, count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${from + i}`, 1]));
      for (let from = 0; from < MAX_METRIC_NAMES; from += 2_500) await add({ full: many(from, 2_500) });
      await add({ full: { n0: 1, new: 1 } });
      const [sums] = await read("full");
      expect(Object.keys(sums!)).toHaveLength(MAX_METRIC_NAMES);
      expect(sums).toMatchObject({ n0: 2 });
      expect(sums).not.toHaveProperty("new");
    });
  });
}
