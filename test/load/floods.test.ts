/** Floods of texts that callers make up, small enough for every run: nothing of them is held, and garbage is bounded. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { FLOOD_NAMES, FLOOD_VARIABLES, flood, floodConfig, KEPT_FLOODS } from "./floods.ts";
import { type LoadSetup, startLoadSetup } from "./scenarios.ts";

let setup: LoadSetup;
beforeAll(async () => {
  setup = await startLoadSetup(floodConfig, FLOOD_VARIABLES);
});
afterAll(() => setup?.close());

/** 12 MB of text. */
const COUNT = 200;

test.each(FLOOD_NAMES.filter((name) => !KEPT_FLOODS.has(name)))("a flood of %s leaves nothing behind", async (name) => {
  // Code that is compiled, and the last records, count for nobody.
  await flood(setup, name, 60);
  const before = await setup.liveMb();
  const { statuses } = await flood(setup, name, COUNT);
  expect(Object.values(statuses)).toEqual([COUNT]);
  expect((await setup.liveMb()) - before).toBeLessThan(4);
});

// V8 alone would let garbage grow to four times what is alive: 230 MB here, and over 400 with four times as many requests.
test("a flood of heads takes less than 200 MB, garbage included", async () => {
  const fresh = await startLoadSetup(floodConfig, FLOOD_VARIABLES);
  try {
    const { peakMb } = await flood(fresh, "field names on a cached route", 1000);
    expect(peakMb).toBeLessThan(200);
  } finally {
    await fresh.close();
  }
});
