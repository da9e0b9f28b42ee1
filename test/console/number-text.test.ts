/** Numbers as the console's pages tell them. */
import { expect, test } from "vitest";
import { msText, shareText } from "../../app/gateway/_parts/number-text.ts";

test.each([
  [0, 0, "–"],
  [0, 9, "0 %"],
  [1, 200, "0.5 %"],
  [1, 3, "33 %"],
  [996, 1_000, "99.6 %"],
  [3, 3, "100 %"],
])("%d of %d is %s", (part, whole, text) => {
  expect(shareText(part, whole)).toBe(text);
});

test.each([
  [null, "–"],
  [0.34, "0.3 ms"],
  [1_204, "1,204 ms"],
])("%j is %s", (ms, text) => {
  expect(msText(ms)).toBe(text);
});
