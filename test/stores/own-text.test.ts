/** What is remembered of a request keeps nothing else of it alive: measured on the heap, since no size that is counted shows it. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { type Entry, toEntry } from "#lib/cache/entry.ts";
import { MemoryEntries } from "#lib/cache/memory-entries.ts";
import { readRequestTraits } from "#lib/cache/request-traits.ts";
import { requestKind, responseKind } from "#lib/http/field-kinds.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import { LeasedCounters } from "#lib/stores/leased-counters.ts";
import { Generations } from "#lib/stores/memory/generations.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const heapMb = () => {
  collect();
  return process.memoryUsage().heapUsed / 1024 / 1024;
};

const COUNT = 500;
/** As a parser gives it: one string, of which a path is a piece. 30 MB of them are read. */
function pathOf(index: number): string {
  const target = Buffer.from(`/some/long/enough/path/${index}?${"n".repeat(60_000)}`).toString("latin1");
  return target.slice(0, target.indexOf("?"));
}

const longName = (path: string) => `x${path.replaceAll("/", "-")}${"n".repeat(60_000)}`;

const NOW_MS = 1_800_000_000_000;
const rule = { algorithm: "fixed-window", limit: 10, windowMs: 60_000 } as const;
const entry = (tag: string): Entry =>
  toEntry(
    {
      status: 200,
      pairs: [],
      cacheControl: undefined,
      targeted: undefined,
      body: new Uint8Array(1),
      freshness: {
        initialAgeMs: 0,
        receivedMs: NOW_MS,
        lifetimeMs: 60_000,
        isOurs: false,
        staleIfErrorMs: 0,
        staleWhileRevalidateMs: 0,
        alwaysValidate: false,
      },
      vary: [],
      isPublic: true,
      tags: [tag],
    },
    [],
  );

test.each<[string, () => { readonly held: object; put(path: string): unknown }]>([
  [
    "counters",
    () => {
      const { counters } = createMemoryStores();
      return { held: counters, put: (path) => counters.take([{ key: `limit:${path}`, rule, cost: 1, enforce: true }], NOW_MS) };
    },
  ],
  [
    "leases",
    () => {
      const leases = new LeasedCounters(createMemoryStores().counters);
      const put = (path: string) => leases.take([{ key: path, rule, cost: 1, enforce: true, exact: false }], NOW_MS);
      return { held: leases, put };
    },
  ],
  [
    "claims",
    () => {
      const { once } = createMemoryStores();
      return { held: once, put: (path) => once.claim(path, 60_000, NOW_MS, path) };
    },
  ],
  [
    "blobs",
    () => {
      const { blobs } = createMemoryStores();
      return {
        held: blobs,
        put: (path) => blobs.set(`cache:${path}`, new Uint8Array(1), { ttlMs: 60_000, tags: [path] }, NOW_MS),
      };
    },
  ],
  [
    "stored answers",
    () => {
      const entries = new MemoryEntries(1e9);
      return { held: entries, put: (path) => entries.put(`route\n${path}`, "", entry(path), NOW_MS) };
    },
  ],
  [
    "two generations",
    () => {
      const generations = new Generations<true>({ maxBytes: 1e9, maxAgeMs: 60_000 });
      return { held: generations, put: (path) => generations.set(path, true, 0, NOW_MS) };
    },
  ],
  ["names of fields in a cache", () => ({ held: {}, put: (path) => readRequestTraits(new HeaderList([longName(path), "1"])) })],
  ["names of fields in a request", () => ({ held: {}, put: (path) => requestKind(longName(path)) })],
  ["names of fields in an answer", () => ({ held: {}, put: (path) => responseKind(longName(path)) })],
])("%s hold the text alone, not the target that it was cut out of", (_, make) => {
  const { held, put } = make();
  put(pathOf(COUNT));
  const before = heapMb();
  for (let index = 0; index < COUNT; index++) put(pathOf(index));
  expect(heapMb() - before).toBeLessThan(5);
  // Not before it was measured.
  expect(held).toBeDefined();
});

test("two generations hold so many bytes at most, and nothing for longer than twice their age", () => {
  const generations = new Generations<number>({ maxBytes: 10_000, maxAgeMs: 1000 });
  for (let index = 0; index < 100; index++) generations.set(`key ${index}`, index, 800, NOW_MS);
  expect(generations.size).toBeLessThanOrEqual(20);
  expect(generations.get("key 99", NOW_MS)).toBe(99);
  expect(generations.get("key 0", NOW_MS)).toBeUndefined();
  expect(generations.get("key 99", NOW_MS + 1500)).toBe(99);
  expect(generations.get("key 99", NOW_MS + 3600)).toBeUndefined();
  generations.set("large", 1, 20_000, NOW_MS + 3600);
  expect(generations.get("large", NOW_MS + 3600)).toBeUndefined();
});
