/** `node test/load/run-bad-day.ts`: a bad day of about three minutes at 200 requests a second, and a minute in which all targets fail. docs/traffic.md quotes it. */
import { liveThrough } from "./bad-day.ts";
import { AILMENTS } from "./flaky-target.ts";

const report = await liveThrough({
  host: "node",
  requestsPerSecond: 200,
  ailments: AILMENTS,
  illMs: 15_000,
  wellMs: 10_000,
  outageMs: 60_000,
});
const { repeatable, served, failures, posts, postsExecutedTwice, p99Ms, returns, amplification } = report;
const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
console.log(`${served} of ${repeatable} repeatable requests served: ${percent(served / repeatable)}`, failures);
console.log(`${posts} POSTs, ${postsExecutedTwice} executed twice; p99 ${p99Ms.toFixed(0)} ms`);
for (const { ailment, afterMs, firstShare, lastShare } of returns)
  console.log(
    `${ailment}: back after ${(afterMs / 1000).toFixed(1)} s, share ${percent(firstShare)} at first, ${percent(lastShare)} after 10 s`,
  );
console.log(`in a full outage ${amplification!.toFixed(3)} requests at the targets for each that was sent`);
process.exit(0);
