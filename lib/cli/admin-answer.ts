/** What commands print of an answer of the admin API, and the query by which they ask for a page of a list. */
import type { Json } from "../contract/json.ts";
import type { Answer } from "./admin-client.ts";
import { type Call, OK, type Result, WRONG } from "./command.ts";
import { columns } from "./page.ts";

type Body = Readonly<Record<string, Json>>;

/** `where`: of a command that changes something, for a person to see on which stores it did. */
export function shown(answer: Answer, call: Call, text: (body: Body) => string, where?: string): Result {
  if ("fault" in answer) return { code: WRONG, err: where === undefined ? answer.fault : `${answer.fault}\n(${where})` };
  const out = call.has("json") ? JSON.stringify(answer.body) : text(answer.body);
  return where === undefined ? { code: OK, out } : { code: OK, out, err: `(${where})` };
}

/** Values of flags, by their names in the API. */
export function given(call: Call, names: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(names).map(([flag, name]) => [name, call.one(flag)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** `filter`: the flag that a list takes beside those of its pages. */
export function pageQuery(call: Call, filter: string): string {
  const query = new URLSearchParams(given(call, { limit: "limit", cursor: "cursor", [filter]: filter }));
  return query.size === 0 ? "" : `?${query}`;
}

/** A page of a list: a row for each item, and where the next page begins. */
export function pageOf({ items, next }: Body, head: readonly string[], none: string, row: (item: Body) => string[]): string {
  const listed = items as readonly Body[];
  if (listed.length === 0) return none;
  const table = columns([[...head], ...listed.map(row)], "");
  return next === null ? table : `${table}\nmore: --cursor ${next}`;
}
