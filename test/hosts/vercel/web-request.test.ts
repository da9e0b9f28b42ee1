/** Answers as web Responses: each promise has an end, also where an answer can't be given. */
import { expect, test } from "vitest";
import { respond } from "#lib/hosts/vercel/web-request.ts";

const signal = new AbortController().signal;

test("an answer that breaks off before a byte of it has left is a 502", async () => {
  const response = await respond((sink) => {
    sink.head(200, "", ["x-a", "b"]);
    sink.destroy();
  }, signal);
  expect(response.status).toBe(502);
  expect(response.headers.get("x-a")).toBeNull();
});

test("a head that can't be written can be followed by another", async () => {
  const response = await respond((sink) => {
    expect(() => sink.head(200, "", ["x-a", "日本"])).toThrow();
    sink.head(502, "", ["x-a", "b"]);
    sink.end("text");
  }, signal);
  expect(response.status).toBe(502);
  expect(await response.text()).toBe("text");
});

test.each([
  ["a phrase that no Response takes", 200, "日本"],
  ["a status that no Response has", 999, ""],
])("%s", async (_, status, phrase) => {
  const ends: boolean[] = [];
  const response = await respond((sink) => {
    sink.onClose = (complete) => ends.push(complete);
    sink.head(status, phrase, []);
    sink.end("text");
  }, signal);
  expect(response.status).toBe(502);
  expect(ends.length).toBe(1);
});

test.each([204, 205, 304])("%i with a body, which no Response of that status has", async (status) => {
  const response = await respond((sink) => {
    sink.head(status, "", []);
    for (let n = 0; n < 100; n++) expect(sink.write(Buffer.from("x"))).toBe(true);
    sink.end("x");
  }, signal);
  expect(response.status).toBe(status);
  expect(await response.text()).toBe("");
});
