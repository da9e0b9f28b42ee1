/** What every implementation of the log must do. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EventLog } from "#lib/contract/stores/log.ts";
import { answered } from "./answered.ts";

export interface LogUnderTest {
  readonly log: EventLog;
  close(): Promise<void>;
}

const NOW_MS = 1_800_000_000_000;

/** `make` gives a log that keeps about 200 entries of each stream. */
export function logContract(name: string, make: () => Promise<LogUnderTest>): void {
  describe(`log of ${name}`, () => {
    let subject: LogUnderTest;
    beforeAll(async () => {
      subject = await make();
    });
    afterAll(() => subject.close());
    const append = (stream: string, value: number) => answered(subject.log.append(stream, { value }, NOW_MS + value));
    const page = async (stream: string, query: { before?: string; limit: number }) => {
      const { items, next } = await answered(subject.log.page(stream, query));
      return { values: items.map((item) => (item.value as { value: number }).value), items, next };
    };

    test("newest first, page by page", async () => {
      for (let value = 1; value <= 5; value++) await append("audit", value);
      const first = await page("audit", { limit: 2 });
      expect(first.values).toEqual([5, 4]);
      expect(first.items[0]).toMatchObject({ timeMs: NOW_MS + 5 });
      const second = await page("audit", { limit: 3, before: first.next! });
      expect(second.values).toEqual([3, 2, 1]);
      expect(second.next).toBeUndefined();
    });

    test("what is appended while somebody pages does not shift the pages", async () => {
      for (let value = 1; value <= 3; value++) await append("moving", value);
      const { next } = await page("moving", { limit: 1 });
      await append("moving", 4);
      expect((await page("moving", { limit: 5, before: next! })).values).toEqual([2, 1]);
    });

    test("entries of one millisecond keep their order, and streams are apart", async () => {
      for (let value = 1; value <= 20; value++) await answered(subject.log.append("same", { value }, NOW_MS));
      expect((await page("same", { limit: 20 })).values).toEqual(Array.from({ length: 20 }, (_, index) => 20 - index));
      expect((await page("other", { limit: 20 })).items).toEqual([]);
    });

    test("values of any shape come back as they were", async () => {
      const value = { text: "123 ü 🚪\r\n", list: [], none: null, nested: { empty: {}, yes: true, number: 1.5 } };
      await answered(subject.log.append("shapes", value, NOW_MS));
      await answered(subject.log.append("shapes", "text", NOW_MS));
      const { items } = await page("shapes", { limit: 2 });
      expect(items.map((item) => item.value)).toEqual(["text", value]);
    });

    test("a stream is trimmed to its newest entries", async () => {
      for (let value = 1; value <= 1000; value++) await append("trimmed", value);
      const { values } = await page("trimmed", { limit: 1000 });
      expect(values[0]).toBe(1000);
      // Trimming may be lazy by a node of the stream or a tenth.
      expect(values.length).toBeLessThanOrEqual(400);
      expect(values.length).toBeGreaterThanOrEqual(150);
    });
  });
}
