/**
 * Starts the Node host: `npm start`. Not TypeScript, so that Node does not load its type stripper just for this file: 17 MB that
 * the cache of compiled code saves for all others.
 */
import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

const ROOT = join(import.meta.dirname, "..");

/** Of each half of V8's young generation. */
const YOUNG_BYTES = 3 * 1024 * 1024;
/** Beyond what is alive. */
const OLD_GARBAGE_PERCENT = 50;

growYoungGeneration();
boundOldGarbage();
enableCompileCache(join(ROOT, "node_modules", ".cache", "frontdesk"));
await import("../server.ts");
// Not at the end, which a process that is killed does not see.
flushCompileCache();

/**
 * Bytes on their way live outside of V8's heap and go when their handles are collected, with the young generation. At the 16 MB that it
 * would grow to, a thousand slow readers hold 70 MB of garbage; at the 1 MB that it begins with, most requests outlive a collection,
 * and collecting takes a fifth of the time. V8 reads these sizes before any script runs, but how it grows each time.
 */
function growYoungGeneration() {
  setFlagsFromString("--semi-space-growth-factor=3");
  // It grows when much has outlived a collection.
  const survivors = [];
  while (survivors.length < 200 && youngBytes() < YOUNG_BYTES) survivors.push(new Array(10_000).fill(0));
  setFlagsFromString("--semi-space-growth-factor=1");
}

/**
 * V8 lets the old generation grow to four times what was alive at its last collection. Requests with heads of 60 KB get there while they
 * are under way, so a flood of them took 400 MB, nearly all of it garbage, and no process gives such memory back.
 */
function boundOldGarbage() {
  setFlagsFromString(`--heap-growing-percent=${OLD_GARBAGE_PERCENT}`);
}

function youngBytes() {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space").space_size / 2;
}
