/** A forward between undici's events and a sink, both played by the test: what neither a socket nor a stream lets one arrange. */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Sink } from "#lib/contract/sink.ts";
import { decoderFor } from "#lib/proxy/decode.ts";
import { type Attempt, ForwardHandler } from "#lib/proxy/forward.ts";

/** An attempt at a backend whose answer goes into `sink`. */
function attemptInto(sink: Sink, decode: Attempt["decode"], responseBody: readonly unknown[] = []): Attempt {
  return {
    ctx: {
      pipeline: { responseBody, bufferResponseBytes: undefined },
      request: { method: "GET" },
      record: { attempts: [] },
      setAnswer() {},
      countSent() {},
    },
    sink,
    clock: { now: () => 0, monotonic: () => 0 },
    targetUrl: "http://backend",
    totalMs: null,
    head: (status: number) => ({ status, pairs: [] }),
    decode,
    onResponse() {},
    onError() {},
    onEnd() {},
    report() {},
  } as unknown as Attempt;
}

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
  const handler = new ForwardHandler(attemptInto(sink, () => undefined));
  handler.onRequestStart(controller as never);
  handler.onResponseStart(controller as never, 200, {}, "OK");
  handler.onResponseData(controller as never, Buffer.from("full"));
  sink.onDrain!();
  handler.onResponseData(controller as never, Buffer.alloc(0));
  expect(written).toEqual([4]);
  expect(calls).toEqual(["pause", "resume"]);
});

test("an encoded answer that ends in the middle is broken off, although the backend's side of it is over", async () => {
  const { promise: end, resolve } = Promise.withResolvers<string>();
  const sink = {
    closed: false,
    onDrain: undefined,
    head() {},
    flush() {},
    write: () => true,
    end: () => resolve("whole"),
    destroy: () => resolve("broken"),
    set onClose(_: (complete: boolean) => void) {},
  } satisfies Sink;
  // As undici's, which knows nothing of the request once its last byte has come.
  const controller = { rawHeaders: [], pause() {}, resume() {}, abort() {} };
  const handler = new ForwardHandler(attemptInto(sink, () => decoderFor("gzip")));
  handler.onRequestStart(controller as never);
  handler.onResponseStart(controller as never, 200, {}, "OK");
  handler.onResponseData(controller as never, gzipSync("x".repeat(1000)).subarray(0, 15));
  handler.onResponseEnd();
  expect(await end).toBe("broken");
});

test("a step that throws while it sees a decoded body breaks the answer off, and not the process", async () => {
  const { promise: end, resolve } = Promise.withResolvers<string>();
  const sink = {
    closed: false,
    onDrain: undefined,
    head() {},
    flush() {},
    write: () => true,
    end: () => resolve("whole"),
    destroy: () => resolve("broken"),
    set onClose(_: (complete: boolean) => void) {},
  } satisfies Sink;
  const chunk = () => {
    throw new Error("a bug");
  };
  const step = { policy: { responseBody: { mode: "transform", open: () => ({ chunk }) } } };
  const handler = new ForwardHandler(attemptInto(sink, () => decoderFor("gzip"), [step]));
  const controller = {
    rawHeaders: [],
    pause() {},
    resume() {},
    abort: (error: Error) => handler.onResponseError(undefined, error),
  };
  handler.onRequestStart(controller as never);
  handler.onResponseStart(controller as never, 200, {}, "OK");
  handler.onResponseData(controller as never, gzipSync("x".repeat(1000)));
  handler.onResponseEnd();
  expect(await end).toBe("broken");
});
