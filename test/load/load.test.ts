/** The load scenarios small enough for every run; run.ts holds the sizes of the table in docs/fidelity.md. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { abortRequests, download, type LoadSetup, slowReaders, startLoadSetup, upload } from "./scenarios.ts";

/** These tests ask for memory, not for speed: a slow machine takes more for the largest than the 30 s that other tests get. */
const PATIENCE_MS = 120_000;

let setup: LoadSetup;
beforeEach(async () => {
  setup = await startLoadSetup();
});
afterEach(() => setup?.close());

test("200 MB down arrive whole, in less than 200 MB of memory", async () => {
  const { isIntact, peakMb } = await download(setup, 200_000_000);
  expect(isIntact).toBe(true);
  expect(peakMb).toBeLessThan(200);
});

test.each(["length", "chunks"] as const)(
  "200 MB up arrive whole, in less than 200 MB of memory (framed by %s)",
  async (framing) => {
    const { isIntact, peakMb } = await upload(setup, 200_000_000, framing);
    expect(isIntact).toBe(true);
    expect(peakMb).toBeLessThan(200);
  },
);

// Each holds two reads of 8 KB: what its connection can't take yet, and what was read ahead of it.
test("1,000 slow readers that stall at once are all served, in less than 200 MB of memory", {
  timeout: PATIENCE_MS,
}, async () => {
  const { isIntact, served, peakMb } = await slowReaders(setup, 1_000, 10_000_000);
  expect(isIntact).toBe(true);
  expect(served).toBe(1_000);
  expect(peakMb).toBeLessThan(200);
});

test("aborted requests leave nothing behind", { timeout: PATIENCE_MS }, async () => {
  const { filesBefore, filesAfter, liveMbBefore } = await abortRequests(setup, 1_000, 3_000);
  expect(filesAfter).toBeLessThanOrEqual(filesBefore);
  // 3,000 leaked requests would hold some 10 KB each. Time-outs of a connection hold the last ones for some seconds more.
  const isLetGo = async () => (await setup.liveMb()) - liveMbBefore < 5;
  await until(isLetGo, "the memory of aborted requests to be let go of", 60_000);
});
