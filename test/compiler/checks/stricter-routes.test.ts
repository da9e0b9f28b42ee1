import { describe, expect, test } from "vitest";
import { isStricter } from "../../../lib/compiler/checks/stricter-routes.ts";

const open = { auth: [], rules: [] };

describe("isStricter", () => {
  test.each([
    [{ auth: ["web"], rules: [] }, open, true],
    [open, { auth: ["web"], rules: [] }, false],
    [{ auth: ["web"], rules: [] }, { auth: ["web", "partners"], rules: [] }, true],
    [{ auth: ["web", "partners"], rules: [] }, { auth: ["web"], rules: [] }, false],
    [{ auth: [], rules: ["a"] }, open, true],
    [{ auth: [], rules: ["a"] }, { auth: [], rules: ["b", "a"] }, false],
    [open, open, false],
  ])("%j against %j: %s", (a, b, stricter) => expect(isStricter(a, b)).toBe(stricter));
});
