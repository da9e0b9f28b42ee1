/** An answer whose head can't be written: the connection breaks, and the request ends with its one record. */
import { expect, test } from "vitest";
import { refuse } from "#lib/contract/problem.ts";
import type { Sink } from "#lib/contract/sink.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import { gatewayOf } from "../policies/gateway.ts";

test("every head fails: the sink is destroyed, once, and nothing is thrown", () => {
  const errors: string[] = [];
  const { gateway } = gatewayOf({ routes: [{ path: "/x" }] }, { error: (message) => void errors.push(message) });
  const ends: boolean[] = [];
  let onClose: (complete: boolean) => void = () => {};
  const sink: Sink = {
    head: () => {
      throw new Error("ERR_INVALID_CHAR");
    },
    flush: () => {},
    write: () => true,
    end: () => expect.unreachable(),
    destroy: () => {
      ends.push(false);
      onClose(false);
    },
    onDrain: undefined,
    set onClose(listener: (complete: boolean) => void) {
      onClose = listener;
    },
    closed: false,
  };
  const request = {
    method: "GET",
    target: "/x",
    scheme: "http",
    host: "a",
    httpVersion: "1.1",
    headers: new HeaderList(["host", "a"]),
    body: null,
    client: { ip: undefined, geo: undefined },
  } as const;
  gateway.refuse(request, refuse("internal"), sink);
  expect(ends).toEqual([false]);
  expect(errors).toEqual(["an answer could not be sent"]);
});
