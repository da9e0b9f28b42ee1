/** The rooms of lib/ (docs/design.md, layout): every import runs down from floor to floor, or stays in its room, types included. */
import { describe, expect, test } from "vitest";
import { importsOf, lib, read, sources } from "./support/import-graph.ts";

/** Lowest first. Rooms of one floor know nothing of each other. */
const FLOORS = [
  ["crypto"],
  ["http"],
  ["contract"],
  ["config", "stores", "observe"],
  ["policies", "authenticators", "backends"],
  ["engine", "compiler"],
  ["proxy", "public"],
  ["cache"],
  ["gateway"],
  ["admin"],
  ["console"],
  ["hosts"],
  ["cli"],
];

const roomOf = (file: string) => /^lib\/([^/]+)\//.exec(file)?.[1];
const floorOf = (file: string) => FLOORS.findIndex((rooms) => rooms.includes(roomOf(file)!));
const shipped = sources.filter((file) => !file.startsWith("test/"));

describe("the house", () => {
  test("every file of lib/ stands in a room", () => {
    expect(lib.filter((file) => floorOf(file) < 0)).toEqual([]);
  });

  test(`no import of ${lib.length} files runs up or sideways`, () => {
    const wrong = lib.flatMap((file) =>
      importsOf(file)
        .filter(({ to }) => to.startsWith("lib/") && roomOf(to) !== roomOf(file) && floorOf(to) >= floorOf(file))
        .map(({ to }) => `${file} → ${to}`),
    );
    expect(wrong).toEqual([]);
  });

  test(`no two of ${shipped.length} files import each other in a circle`, () => {
    expect(circles(new Map(shipped.map((file) => [file, importsOf(file).map(({ to }) => to)])))).toEqual([]);
  });

  test("docs/design.md has the rooms, from the top floor down", () => {
    const [table = ""] = /<!-- rooms[\s\S]*<!-- \/rooms -->/.exec(read("docs/design.md")) ?? [];
    const rows = [...table.matchAll(/^\| (`.*?`) \|/gm)].map(([, rooms]) => rooms!.match(/\w+/g));
    expect(rows).toEqual(FLOORS.toReversed().map((rooms) => expect.arrayContaining(rooms)));
    expect(rows.flat().sort()).toEqual(FLOORS.flat().sort());
  });

  test("the search finds circles of any length", () => {
    const graph = new Map(Object.entries({ a: ["b"], b: ["c", "d"], c: ["a"], d: ["e"], e: ["d"], f: ["a", "f"] }));
    expect(circles(graph)).toEqual(["d → e → d", "a → b → c → a"]);
  });
});

/** Each as a way round it (Tarjan's strongly connected components). */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const indexes = new Map<string, number>();
  const lows = new Map<string, number>();
  const stack: string[] = [];
  const found: string[] = [];
  const visit = (node: string): void => {
    const index = indexes.size;
    indexes.set(node, index);
    lows.set(node, index);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue;
      if (!indexes.has(next)) visit(next);
      if (stack.includes(next)) lows.set(node, Math.min(lows.get(node)!, lows.get(next)!));
    }
    if (lows.get(node) !== index) return;
    const members = stack.splice(stack.indexOf(node));
    if (members.length > 1) found.push([...members, node].join(" → "));
  };
  for (const node of graph.keys()) if (!indexes.has(node)) visit(node);
  return found;
}
