/** Tables of requests and answers in documents: each row is sent to a gateway, and what comes back is held against it. */
import { expect } from "vitest";
import type { RefusalCode } from "#lib/contract/problem.ts";
import type { Sent, TestGateway } from "./gateway.ts";

/** Rows such as `| GET /path | 403 not-allowed |`, both parts in code spans. */
export function requestsIn(text: string): (readonly [request: string, answer: string])[] {
  return [...text.matchAll(/^\| (`[A-Z]+ \/.*) \| (\d{3}.*) \|$/gm)].map(
    ([, request = "", answer = ""]) => [request, answer] as const,
  );
}

/** `GET /path` from `192.0.2.1` in `DE` with `name: value` and `name: value`. */
export async function check({ send }: TestGateway, request: string, answer: string): Promise<void> {
  const { status, headers, record } = await send(sentIn(request));
  const [asked = "", absent = ""] = answer.split(" without ");
  const { [0]: stated = "", 1: refused } = /^\d{3}(?: `([a-z/-]+)`)?/.exec(asked) ?? [];
  const code = refused ?? /recorded as `([a-z-]+)`/.exec(asked)?.[1];
  expect(status).toBe(Number(stated.slice(0, 3)));
  expect(record.code).toBe(code as RefusalCode | undefined);
  for (const [name, value] of fieldsIn(asked)) expect(headers.all(name)).toContain(value);
  for (const [, name = ""] of absent.matchAll(/`([a-z-]+)`/g)) expect(headers.has(name)).toBe(false);
}

function sentIn(request: string): Sent {
  const [, method = "", target = ""] = /^`([A-Z]+) (\S+)`/.exec(request) ?? [];
  const ip = /from `([^`]+)`/.exec(request)?.[1];
  const [, country, subdivision] = /in `([A-Z]{2})(?:-([A-Z]+))?`/.exec(request) ?? [];
  const geo = country === undefined ? undefined : { country, subdivision };
  return { method, target, ip, geo, headers: Object.fromEntries(fieldsIn(request)) };
}

function fieldsIn(text: string): [name: string, value: string][] {
  return [...text.matchAll(/`([a-z-]+): ([^`]*)`/g)].map(([, name = "", value = ""]) => [name, value]);
}
