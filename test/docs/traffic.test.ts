/** docs/traffic.md is played: where its table says that a caller goes, the engine sends it. */
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseGeo } from "#lib/http/geo-text.ts";
import { asking, backendOf } from "../backends/backend-of.ts";
import { blocksOf, readDocument, rowsOf, sectionOf } from "./documents.ts";

const traffic = readDocument("docs/traffic.md");
const { text } = blocksOf(traffic).find((block) => block.language === "yaml" && block.text.includes("strict: true"))!;
const { backends } = parse(text) as { backends: Record<string, object> };
const namesIn = (cell: string) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, name]) => `${name}.example.com`).sort();
const rows = rowsOf(sectionOf(traffic, "places")) as [backend: string, caller: string, first: string, then: string][];

describe("by where the caller is", () => {
  test.each(rows)("%s, a caller in %s", (name, caller, first, then) => {
    const { backend } = backendOf(backends[name.slice(1, -1)]!);
    const place = /`([A-Z-]+)`/.exec(caller)?.[1];
    const geo = place === undefined ? undefined : parseGeo(place)!;
    const exchange = asking(geo ? { geo } : {});
    const [[, where]] = backend.poolSteps as [[string, (typeof backend.poolSteps)[0][1]]];
    where.decide!(exchange);
    const levels = (exchange.pool ?? []).map((level) => level.map((index) => backend.targets[index]!.host).sort());
    expect(levels).toEqual([first, ...then.split(", then ")].map(namesIn).filter((names) => names.length > 0));
  });

  test("each of its backends with `where` stands in the table", () => {
    const placed = Object.keys(backends).filter((name) => JSON.stringify(backends[name]).includes('"where"'));
    expect([...new Set(rows.map(([name]) => name.slice(1, -1)))]).toEqual(placed);
  });

  test("the nearest", () => {
    const { backend } = backendOf(backends["media"]!);
    const from = (latitude: number, longitude: number) => backend.pick(asking({ geo: { latitude, longitude } }))!.host;
    expect([from(52.5, 13.4), from(45.5, -73.6), from(-36.8, 174.8)]).toEqual([
      "frankfurt.example.com",
      "virginia.example.com",
      "sydney.example.com",
    ]);
  });
});
