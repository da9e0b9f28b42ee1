/** The load scenarios at full size: `node test/load/run.ts`. docs/fidelity.md quotes what it prints. */
import { abortRequests, download, slowReaders, startLoadSetup, upload } from "./scenarios.ts";

const MB = 1_000_000;
const mb = (value: number) => `${value.toFixed(0)} MB`;
const intact = (isIntact: boolean) => (isIntact ? "checksums agree" : "CHECKSUMS DIFFER");

async function measure(
  name: string,
  scenario: (setup: Awaited<ReturnType<typeof startLoadSetup>>) => Promise<string>,
): Promise<void> {
  const setup = await startLoadSetup();
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
process.exit(0);
