/** What caches in front are told about an answer for one caller (docs/design.md, what a downstream cache skips). */
import { expect, test } from "vitest";
import { forbidSharedCaches, forOneCaller } from "#lib/http/cache-control.ts";

test.each([
  [undefined, "private, no-store"],
  ["no-cache", "no-cache"],
  ["max-age=60", "max-age=60"],
  ["private, max-age=60", "private, max-age=60"],
  ["public, max-age=60", "private, max-age=60"],
  ["max-age=60, s-maxage=600", "private, max-age=60"],
  ["S-MaxAge=600", "private"],
  ["PUBLIC", "private"],
  ["public, no-store", "no-store"],
  ['public, private="x-name", max-age=1', 'private="x-name", max-age=1'],
  ["s-maxage=1, stale-while-revalidate=60", "private, stale-while-revalidate=60"],
])("%s becomes %s", (backend, caller) => {
  expect(forOneCaller(backend)).toBe(caller);
});

test("no answer for one caller says that a shared cache may keep it", () => {
  for (const value of ["public", "s-maxage=9", "public,s-maxage=9,max-age=1", " public , x "]) {
    expect(forOneCaller(value)).not.toMatch(/public|s-maxage/);
  }
});

test("both fields that CDNs believe forbid storing", () => {
  const pairs = ["a", "1"];
  forbidSharedCaches(pairs);
  expect(pairs).toEqual(["a", "1", "cdn-cache-control", "no-store", "vercel-cdn-cache-control", "no-store"]);
});
