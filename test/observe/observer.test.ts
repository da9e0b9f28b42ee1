/** When what an instance has counted and kept goes to the stores. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { CompiledConfig } from "#lib/contract/compiled/config.ts";
import { createObserver, FLUSH_MS } from "#lib/observe/observer.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { recordOf } from "./record.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const CONFIG = { routes: [] as CompiledConfig["routes"] } as CompiledConfig;

function observed(config = CONFIG) {
  const { metrics, log } = createMemoryStores();
  const add = vi.spyOn(metrics, "add");
  const append = vi.spyOn(log, "append");
  const deferred: Promise<unknown>[] = [];
  const observer = createObserver({
    stores: { metrics, log },
    clock: { now: Date.now },
    random: () => 0,
    batchId: () => "a",
    defer: (work) => deferred.push(work),
  });
  return { tell: observer.observe(config), observer, add, append, deferred };
}

test("one batch for an interval in which there were requests, none for one without", async () => {
  const { tell, add, append, deferred } = observed();
  for (let i = 0; i < 5; i++) tell(recordOf());
  await vi.advanceTimersByTimeAsync(FLUSH_MS - 1);
  expect([add.mock.calls.length, append.mock.calls.length]).toEqual([0, 0]);
  await vi.advanceTimersByTimeAsync(1);
  expect([add.mock.calls.length, append.mock.calls.length]).toEqual([1, 5]);
  // Where functions sleep between requests, the instance is kept awake until the batch is handed over.
  expect(deferred).toHaveLength(1);
  await deferred[0];
  await vi.advanceTimersByTimeAsync(10 * FLUSH_MS);
  expect(add).toHaveBeenCalledTimes(1);
  tell(recordOf());
  await vi.advanceTimersByTimeAsync(FLUSH_MS);
  expect(add).toHaveBeenCalledTimes(2);
});

test("without metrics nothing is counted, and requests are kept all the same", async () => {
  const { tell, add, append, observer } = observed({ ...CONFIG, observe: { metrics: false } });
  tell(recordOf());
  await observer.flush();
  expect([add.mock.calls.length, append.mock.calls.length]).toEqual([0, 1]);
});
