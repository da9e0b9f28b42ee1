/** A request's body on its way: how slowly it may come, and what becomes of one that breaks off. */
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { BodyPace } from "#lib/contract/compiled/backend.ts";
import { type BodyFault, CountedBody } from "#lib/proxy/request-body.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

const tick = () => new Promise((resolve) => setImmediate(resolve));
const pass = async (ms: number) => {
  vi.advanceTimersByTime(ms);
  await tick();
};

const clock = { now: Date.now, monotonic: () => performance.now() };

function open(pace?: BodyPace, isRead = true) {
  const source = new PassThrough();
  const body = new CountedBody(source, { maxBytes: 1e9, statedBytes: undefined, pace, clock, onBytes: () => {} });
  const state = { source, body, fault: undefined as BodyFault | undefined, bytes: 0 };
  body.on("error", (error) => {
    state.fault = error as BodyFault;
  });
  if (isRead) body.on("data", (chunk: Buffer) => (state.bytes += chunk.length));
  return state;
}

/** Sends so many bytes every so many milliseconds. */
async function send({ source }: { source: PassThrough }, bytes: number, everyMs: number, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    source.write(Buffer.alloc(bytes));
    await pass(everyMs);
  }
}

describe("by default", () => {
  test("one byte every ten seconds is too slow soon after five", async () => {
    const upload = open();
    await send(upload, 1, 4_990, 1);
    expect(upload.fault).toBeUndefined();
    await pass(20);
    expect(upload.fault?.code).toBe("request-timeout");
  });

  test("a byte each 100 ms is too slow", async () => {
    const upload = open();
    await send(upload, 1, 100, 60);
    expect(upload.fault?.code).toBe("request-timeout");
  });

  test("300 bytes a second are not, for as long as they last", async () => {
    const upload = open();
    await send(upload, 300, 1_000, 3_600);
    expect(upload.fault).toBeUndefined();
    expect(upload.bytes).toBe(300 * 3_600);
  });

  test("a burst does not pay for hours of trickling", async () => {
    const upload = open();
    await send(upload, 1_000_000, 10_000, 1);
    await send(upload, 1, 10_000, 2);
    expect(upload.fault).toBeUndefined();
    await send(upload, 1, 10_000, 2);
    expect(upload.fault?.code).toBe("request-timeout");
  });

  test("the time in which the backend does not read is not the caller's", async () => {
    const upload = open(undefined, false);
    await send(upload, 100_000, 0, 1);
    expect(upload.source.isPaused()).toBe(true);
    await pass(3_600_000);
    expect(upload.fault).toBeUndefined();
    // It reads on: the caller has as much time as it had.
    upload.body.on("data", () => {});
    await tick();
    await pass(20_000);
    expect(upload.fault).toBeUndefined();
    await pass(20_000);
    expect(upload.fault?.code).toBe("request-timeout");
  });
});

test("a rate and a grace of its own", async () => {
  const upload = open({ bytesPerSecond: 10_000, graceMs: 1_000 });
  await send(upload, 1_000, 100, 100);
  expect(upload.fault).toBeUndefined();
  await send(upload, 900, 100, 90);
  expect(upload.fault).toBeUndefined();
  await send(upload, 900, 100, 20);
  expect(upload.fault?.code).toBe("request-timeout");
});

test("a grace longer than the silence holds", async () => {
  const upload = open({ bytesPerSecond: 240, graceMs: 60_000 });
  await pass(59_000);
  expect(upload.fault).toBeUndefined();
  await pass(2_000);
  expect(upload.fault?.code).toBe("request-timeout");
});

test("without a pace a byte each 29 seconds will do, and a silence of 30 will not", async () => {
  const upload = open({ graceMs: 5_000 });
  await send(upload, 1, 29_000, 100);
  expect(upload.fault).toBeUndefined();
  await pass(2_000);
  expect(upload.fault?.code).toBe("request-timeout");
});

test("a connection that breaks is a fault of the body", async () => {
  const upload = open();
  upload.source.destroy(Object.assign(new Error("aborted"), { code: "ECONNRESET" }));
  await tick();
  expect(upload.fault).toMatchObject({ code: "bad-request", message: "The body broke off." });
});
