/** Header fields as a flat list: order, duplicates and spelling kept, names compared without regard to case. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HeaderList } from "#lib/http/header-list.ts";

describe("HeaderList", () => {
  test("finds by name in any case, the first of several, and all of them in order", () => {
    const list = new HeaderList(["Set-Cookie", "a=1", "X", "y", "set-cookie", "b=2"]);
    expect(list.get("set-cookie")).toBe("a=1");
    expect(list.all("set-cookie")).toEqual(["a=1", "b=2"]);
    expect(list.has("x")).toBe(true);
    expect(list.has("a=1")).toBe(false);
    expect(list.get("y")).toBeUndefined();
  });

  test("set keeps the place and the spelling of the first and drops the others", () => {
    const list = new HeaderList(["A", "1", "B", "2", "a", "3", "C", "4", "a", "5"]);
    list.set("a", "9");
    expect(list.pairs).toEqual(["A", "9", "B", "2", "C", "4"]);
    list.set("D", "10");
    expect(list.pairs).toEqual(["A", "9", "B", "2", "C", "4", "D", "10"]);
  });

  test("delete takes every one, append adds beside", () => {
    const list = new HeaderList(["a", "1", "A", "2", "b", "3"]);
    list.append("B", "4");
    list.delete("A");
    expect([...list]).toEqual([
      ["b", "3"],
      ["B", "4"],
    ]);
  });

  test("a value is never taken for a name", () => {
    const list = new HeaderList(["a", "b", "b", "a"]);
    list.delete("b");
    expect(list.pairs).toEqual(["a", "b"]);
  });

  test("agrees with the platform's Headers on every sequence of changes", () => {
    const name = fc.constantFrom("a", "A", "bc", "Bc", "BC", "d");
    const change = fc.tuple(fc.constantFrom("set", "append", "delete"), name, fc.constantFrom("1", "2", "x"));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const list = new HeaderList();
        const model = new Headers();
        for (const [what, field, value] of changes) {
          if (what === "delete") {
            list.delete(field);
            model.delete(field);
          } else {
            list[what as "set" | "append"](field, value);
            model[what as "set" | "append"](field, value);
          }
        }
        for (const field of ["a", "bc", "d"]) expect(list.all(field).join(", ")).toBe(model.get(field) ?? "");
      }),
    );
  });
});
