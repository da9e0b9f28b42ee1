/** Sessions end by themselves, and with the admin token that made them. */
import { expect, test } from "vitest";
import { createSessions } from "#lib/admin/sessions.ts";
import { HeaderList } from "#lib/http/header-list.ts";

let nowMs = 1_800_000_000_000;
const now = () => nowMs;

function cookieOf(setCookie: string): HeaderList {
  return new HeaderList(["cookie", `a=b; ${setCookie.split(";")[0]}`]);
}

test("for twelve hours, with this token", () => {
  const sessions = createSessions("0123456789abcdef", now);
  const cookie = cookieOf(sessions.begin("https"));
  expect(sessions.isOpen(cookie)).toBe(true);
  expect(createSessions("0123456789abcdeX", now).isOpen(cookie)).toBe(false);
  nowMs += 12 * 3_600_000 - 1;
  expect(sessions.isOpen(cookie)).toBe(true);
  nowMs += 1;
  expect(sessions.isOpen(cookie)).toBe(false);
});

test("over https the cookie never goes anywhere else", () => {
  const sessions = createSessions("0123456789abcdef", now);
  expect(sessions.begin("https")).toContain("; Secure");
  expect(sessions.begin("http")).not.toContain("Secure");
});
