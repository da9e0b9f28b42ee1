/** The load scenarios at full size: `node test/load/run.ts`. docs/fidelity.md quotes what it prints. */
import { FLOOD_NAMES, FLOOD_VARIABLES, flood, floodConfig } from "./floods.ts";
import { abortRequests, download, type LoadSetup, slowReaders, startLoadSetup, upload } from "./scenarios.ts";

const MB = 1_000_000;
const mb = (value: number) => `${value.toFixed(0)} MB`;
const intact = (isIntact: boolean) => (isIntact ? "checksums agree" : "CHECKSUMS DIFFER");

async function measure(
  name: string,
  scenario: (setup: LoadSetup) => Promise<string>,
  start: () => Promise<LoadSetup> = startLoadSetup,
): Promise<void> {
  const setup = await start();
  const begun = performance.now();
  const result = await scenario(setup);
  console.log(`${name}: ${result} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
  await setup.close();
}

await measure("200 MB down", async (setup) => {
  const { isIntact, peakMb } = await download(setup, 200 * MB);
  return `${intact(isIntact)}, at most ${mb(peakMb)} resident`;
});
for (const framing of ["length", "chunks"] as const) {
  await measure(`200 MB up, framed by ${framing}`, async (setup) => {
    const { isIntact, peakMb } = await upload(setup, 200 * MB, framing);
    return `${intact(isIntact)}, at most ${mb(peakMb)} resident`;
  });
}
for (const bytes of [2 * MB, 10 * MB]) {
  await measure(`1,000 slow readers of ${bytes / MB} MB each`, async (setup) => {
    const { isIntact, served, peakMb } = await slowReaders(setup, 1_000, bytes);
    return `${served} served at once, ${intact(isIntact)}, at most ${mb(peakMb)} resident`;
  });
}
await measure("100,000 aborted requests after 10,000", async (setup) => {
  const aborted = await abortRequests(setup, 10_000, 100_000);
  const live = `live memory ${mb(aborted.liveMbBefore)} then ${mb(aborted.liveMbAfter)}`;
  const resident = `resident ${mb(aborted.residentMbBefore)} then ${mb(aborted.residentMbAfter)}`;
  return `open files ${aborted.filesBefore} then ${aborted.filesAfter}, ${live}, ${resident}`;
});
for (const name of FLOOD_NAMES) {
  const run = async (setup: LoadSetup) => {
    const before = await setup.liveMb();
    const { peakMb } = await flood(setup, name, 10_500);
    return `at most ${mb(peakMb)} resident, live memory ${mb(before)} then ${mb(await setup.liveMb())}`;
  };
  await measure(`10,500 requests of 58 KB, ${name}`, run, () => startLoadSetup(floodConfig, FLOOD_VARIABLES));
}
process.exit(0);
