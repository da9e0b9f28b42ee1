import { describe, expect, test } from "vitest";
import { readServerFlags } from "#lib/cli/server-flags.ts";

const read = (...args: string[]) => readServerFlags(args, "/");

describe("the flags of server.ts", () => {
  test("none: npm start", () => expect(read()).toEqual({ isDev: false, isDemo: false, simulatedGeo: undefined }));
  test.each([[["--dev", "--geo", "de-be"]], [["--geo=DE-BE", "--dev"]], [["--open-on-loopback", "--geo", "EU/DE-BE"]]])(
    "%j",
    (args) => expect(read(...args).simulatedGeo).toEqual({ continent: "EU", country: "DE", subdivision: "BE" }),
  );
  test.each([
    [["--geo", "DE"], "it is for `npm run dev` and the demo"],
    [["--dev", "--geo"], "--geo needs a value"],
    [["--dev", "--geo", "Germany"], '"Germany" is not a place'],
    [["--dev", "--geo", "DE", "--geo", "FR"], "--geo is given twice"],
    [["--open-on-lopback"], "Did you mean"],
    [["config.ts"], 'it takes no "config.ts"'],
  ])("%j is refused", (args, message) => expect(() => read(...args)).toThrow(message));
});
