/** What a store answered; a test fails where it did not. */
import { expect } from "vitest";
import type { Pending } from "#lib/contract/stores/reply.ts";

export async function answered<T>(pending: Pending<T>): Promise<T> {
  const reply = await pending;
  expect(reply).toMatchObject({ state: "ok" });
  return (reply as { value: T }).value;
}
