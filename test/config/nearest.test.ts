import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { didYouMean, editDistance, nearest } from "../../lib/config/nearest.ts";

describe("did you mean", () => {
  test.each([
    ["catalgo", "catalog"],
    ["timout", "timeout"],
    ["maxbody", "maxBody"],
    ["stripprefix", "stripPrefix"],
  ])("%s: %s", (written, meant) => {
    expect(nearest(written, ["rails", "timeout", "maxBody", "stripPrefix", "catalog"])).toBe(meant);
    expect(didYouMean(written, [meant])).toBe(`Did you mean "${meant}"?`);
  });

  test("says nothing where nothing is near", () => expect(didYouMean("quota", ["backend", "path", "to"])).toBeUndefined());

  test("one slip in a name of four letters or more still finds it", () => {
    const name = fc.stringMatching(/^[a-z]{4,12}$/);
    fc.assert(
      fc.property(name, fc.nat(), (word, at) => {
        const index = at % word.length;
        expect(nearest(word.slice(0, index) + word.slice(index + 1), [word])).toBe(word);
        expect(nearest(`${word.slice(0, index)}x${word.slice(index)}`, [word])).toBe(word);
      }),
    );
  });

  test("the distance is one of a metric", () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
