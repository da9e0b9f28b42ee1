/** How tests run: unit tests in threads of no host, flows against real processes; two at a time, for machines with two cores. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A test that nobody can see failing is worse than none.
    allowOnly: false,
    passWithNoTests: false,
  },
});
