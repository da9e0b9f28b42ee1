/**
 * One request on both hosts, field by field. What differs by nature (dates, drawn ids, ports, framing) is made equal; everything
 * else must be, but for the reviewed list in allowed-differences.ts.
 */
import { createHash } from "node:crypto";
import type { HeaderList } from "#lib/http/header-list.ts";
import { ALLOWED_DIFFERENCES } from "./allowed-differences.ts";
import type { ReceivedRequest } from "./backend.ts";
import type { RawAnswer } from "./raw-client.ts";

/** What one host made of a request: what the caller got and what the backend saw. */
export interface Observed {
  readonly answer: RawAnswer;
  readonly received: readonly ReceivedRequest[];
}

/** The same as plain data, in which equal means alike. */
export interface Comparable {
  status: number;
  statusText: string;
  /** By name in lower case. Lines of one name are one list, and the order of names says nothing (RFC 9110 section 5.3). */
  headers: Fields;
  body: string;
  isWhole: boolean;
  received: ComparableRequest[];
}
export interface ComparableRequest {
  method: string;
  target: string;
  headers: Fields;
  body: string;
  state: ReceivedRequest["state"];
}
export type Fields = Record<string, string[]>;

/** Says how the hosts differ, one line for each difference; empty where they are alike. */
export function compareHosts(node: Observed, vercel: Observed): string[] {
  const [left, right] = [comparable(node), comparable(vercel)];
  for (const { erase } of ALLOWED_DIFFERENCES) erase(left, right);
  return differences(left, right, "");
}

/** A body that is larger is compared by its digest: no id of ours stands in it, and no message could show it. */
const LARGE_BYTES = 100_000;

function digest(bytes: Buffer): string {
  return `${bytes.length} bytes, sha256 ${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Fields that belong to one connection or one moment. */
const BY_NATURE = ["date", "connection", "keep-alive", "transfer-encoding"];

function comparable({ answer, received }: Observed): Comparable {
  const ids = drawnIds(answer, received);
  const text = (bytes: Buffer) => (bytes.length > LARGE_BYTES ? digest(bytes) : withoutIds(bytes.toString("latin1"), ids));
  return {
    status: answer.status,
    statusText: answer.statusText,
    headers: fields(answer.headers, ids),
    body: text(answer.body),
    isWhole: answer.isWhole,
    received: received.map(({ method, target, headers, body, state }) => ({
      method,
      target,
      headers: fields(headers, ids),
      body: text(body),
      state,
    })),
  };
}

function fields(list: HeaderList, ids: readonly string[]): Fields {
  const result: Fields = {};
  for (const [name, value] of list) {
    const lower = name.toLowerCase();
    if (!BY_NATURE.includes(lower)) result[lower] = [...(result[lower] ?? []), withoutIds(value, ids)];
  }
  for (const [name, values] of Object.entries(result)) {
    // Cookies are the exception in both directions (RFC 6265 sections 3 and 5.4).
    if (name !== "set-cookie") result[name] = [values.join(name === "cookie" ? "; " : ", ")];
  }
  return result;
}

/** Ids that the gateway drew for this request: they differ each time; one that the client sent would have to stay. */
function drawnIds({ headers }: RawAnswer, received: readonly ReceivedRequest[]): string[] {
  const lists = [headers, ...received.map((request) => request.headers)];
  const ids = lists.flatMap((list) => [
    list.get("x-request-id") ?? "",
    ...(list.get("traceparent")?.split("-").slice(1, 3) ?? []),
  ]);
  return ids.filter((id) => /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/.test(id));
}

function withoutIds(text: string, ids: readonly string[]): string {
  return ids.reduce((rest, id) => rest.replaceAll(id, "<drawn>"), text);
}

function differences(node: unknown, vercel: unknown, place: string): string[] {
  if (typeof node !== "object" || typeof vercel !== "object" || node === null || vercel === null) {
    return node === vercel ? [] : [`${place}: node has ${short(node)}, vercel has ${short(vercel)}`];
  }
  const keys = new Set([...Object.keys(node), ...Object.keys(vercel)]);
  const at = (value: object, key: string): unknown => (value as Record<string, unknown>)[key];
  return [...keys].flatMap((key) => differences(at(node, key), at(vercel, key), place === "" ? key : `${place}.${key}`));
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 300 ? `${text.slice(0, 300)}… (${text.length} characters)` : text;
}
