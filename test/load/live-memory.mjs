/**
 * Loaded into the gateway before it starts: at SIGUSR2 it collects all garbage and writes down what is left. What is resident says
 * little of leaks: V8 and malloc keep what they once had. Not TypeScript, for the same reason as scripts/start.mjs.
 */
import { writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const file = process.env["LIVE_MEMORY_FILE"];
if (file !== undefined) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  process.on("SIGUSR2", () => {
    // Twice: of texts that V8 holds only once each, the first leaves some.
    collect();
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    writeFileSync(file, String(heapUsed + arrayBuffers));
  });
}
