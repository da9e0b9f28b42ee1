/** Where in an event stream a comment may stand, and what becomes of the clock. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Heartbeat } from "#lib/proxy/heartbeat.ts";

let written: string[];
let heartbeat: Heartbeat;
beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  heartbeat = new Heartbeat(1000, (comment) => written.push(Buffer.from(comment).toString()));
});
afterEach(() => {
  heartbeat.stop();
  vi.useRealTimers();
});
const pass = (text: string): string => Buffer.from(heartbeat.pass(Buffer.from(text))).toString();

test.each([
  [[]],
  [["\n"]],
  [["\r\n"]],
  [["data: 1\n\n"]],
  [["data: 1\r\r"]],
  [["data: 1\r\n\r\n"]],
  [["data: 1\n\r"]],
  [["data: 1\n\r\n"]],
  [["data: 1\r\r\n"]],
  [["data: 1\n", "\n"]],
  [["data: 1\r\n", "\r", "\n"]],
  [["data: 1", "\r", "\n", "\r\n"]],
])("after %j stands an empty line", (chunks) => {
  chunks.forEach(pass);
  vi.advanceTimersByTime(1000);
  expect(written).toEqual([":\n\n"]);
});

test.each([
  [["d"]],
  [["data: 1\n"]],
  [["data: 1\r"]],
  [["data: 1\r\n"]],
  [["data: 1\r", "\n"]],
  [["data: 1\n\nd"]],
  [["data: 1\n\n", ": the backend's own comment\n"]],
  [["\ufeff"]],
])("after %j does not", (chunks) => {
  chunks.forEach(pass);
  vi.advanceTimersByTime(10_000);
  expect(written).toEqual([]);
});

test("only silence counts, and the end ends it", () => {
  for (let turn = 0; turn < 5; turn++) {
    vi.advanceTimersByTime(900);
    pass("data: 1\n\n");
  }
  expect(written).toEqual([]);
  vi.advanceTimersByTime(3000);
  expect(written).toHaveLength(3);
  heartbeat.stop();
  vi.advanceTimersByTime(3000);
  expect(written).toHaveLength(3);
});

test("a byte order mark goes on at the very beginning alone", () => {
  expect(pass("\ufeffdata: 1\n\n")).toBe("data: 1\n\n");
  expect(pass("\ufeffdata: 2\n\n")).toBe("\ufeffdata: 2\n\n");
});
