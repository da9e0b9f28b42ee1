/** A forward between undici's events and a sink, both played by the test: what neither a socket nor a stream lets one arrange. */
import { expect, test } from "vitest";
import { type Attempt, ForwardHandler } from "#lib/backends/forward.ts";
import type { Sink } from "#lib/sink.ts";

test("an empty chunk is no chunk: a full sink that asked for more is not handed nothing, over and over", () => {
  const written: number[] = [];
  const sink = {
    closed: false,
    onDrain: undefined as (() => void) | undefined,
    head() {},
    flush() {},
    write(chunk: Uint8Array) {
      written.push(chunk.length);
      return false;
    },
    end() {},
    destroy() {},
    set onClose(_: (complete: boolean) => void) {},
  } satisfies Sink;
  const calls: string[] = [];
  const controller = { rawHeaders: [], pause: () => calls.push("pause"), resume: () => calls.push("resume"), abort() {} };
  const attempt = {
    visit: {
      pipeline: { responseBody: [], bufferResponseBytes: undefined },
      request: { method: "GET" },
      record: { attempts: [] },
    },
    sink,
    clock: { now: () => 0, monotonic: () => 0 },
    targetUrl: "http://backend",
    totalMs: null,
    head: (status: number) => ({ status, pairs: [] }),
    decode: () => undefined,
    fail() {},
    report() {},
  } as unknown as Attempt;

  const handler = new ForwardHandler(attempt);
  handler.onRequestStart(controller as never);
  handler.onResponseStart(controller as never, 200, {}, "OK");
  handler.onResponseData(controller as never, Buffer.from("full"));
  sink.onDrain!();
  handler.onResponseData(controller as never, Buffer.alloc(0));
  expect(written).toEqual([4]);
  expect(calls).toEqual(["pause", "resume"]);
});
