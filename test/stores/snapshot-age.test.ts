/** When an instance asks for news, and when its copy is too old to be acted on. */
import { expect, test } from "vitest";
import { SnapshotAge } from "#lib/stores/snapshot-age.ts";

const dueAt = (age: SnapshotAge, times: readonly number[]) => times.filter((ms) => age.isDue(ms));

test("nothing is known at first, and everybody asks", () => {
  const age = new SnapshotAge();
  expect(age.isFresh(0)).toBe(false);
  expect(dueAt(age, [0, 0, 1])).toEqual([0, 0, 1]);
});

test("from 4 s on one asks at a time, from 5 s on everybody does", () => {
  const age = new SnapshotAge();
  age.checked(1000);
  expect([1000, 6000, 6001].map((ms) => age.isFresh(ms))).toEqual([true, true, false]);
  expect(dueAt(age, [1000, 4999, 5000, 5001, 5499, 5500, 6000, 6000, 6001])).toEqual([5000, 5500, 6000, 6000, 6001]);
});

test("after a clock was set back the copy counts as old, and is renewed", () => {
  const age = new SnapshotAge();
  age.checked(3_600_000);
  expect(age.isFresh(1000)).toBe(false);
  expect(age.isDue(1000)).toBe(true);
  age.checked(1000);
  expect(age.isFresh(1000)).toBe(true);
  expect(dueAt(age, [1001, 5000, 5001])).toEqual([5000]);
});
