/** What every implementation of claims must do. Lives are long beside a test's, since some stores end them by their own clock. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Once } from "#lib/contract/stores/once.ts";
import { answered } from "./answered.ts";

export interface OnceUnderTest {
  readonly once: Once;
  close(): Promise<void>;
}

const NOW_MS = 1_800_000_000_000;
const TTL_MS = 3_600_000;

export function onceContract(name: string, make: () => Promise<OnceUnderTest>): void {
  describe(`claims of ${name}`, () => {
    let subject: OnceUnderTest;
    beforeAll(async () => {
      subject = await make();
    });
    afterAll(() => subject.close());
    const claim = (key: string) => answered(subject.once.claim(key, TTL_MS, NOW_MS));
    async function token(key: string): Promise<string> {
      const claimed = await claim(key);
      return claimed.state === "claimed" ? claimed.token : expect.fail(`${key} was ${claimed.state}`);
    }

    test("of many callers at once exactly one gets the claim", async () => {
      const claims = await Promise.all(Array.from({ length: 50 }, () => claim("race")));
      expect(claims.filter(({ state }) => state === "claimed")).toHaveLength(1);
      expect(claims.filter(({ state }) => state === "held")).toHaveLength(49);
    });

    test("what was completed is what later callers get", async () => {
      const mine = await token("done");
      expect(await answered(subject.once.complete("done", mine, '{"status":201}', TTL_MS, NOW_MS))).toBe(true);
      expect(await claim("done")).toEqual({ state: "done", value: '{"status":201}' });
      expect(await answered(subject.once.complete("done", mine, "again", TTL_MS, NOW_MS))).toBe(false);
      expect(await claim("done")).toEqual({ state: "done", value: '{"status":201}' });
    });

    test("an empty value is a value", async () => {
      const mine = await token("empty");
      expect(await answered(subject.once.complete("empty", mine, "", TTL_MS, NOW_MS))).toBe(true);
      expect(await claim("empty")).toEqual({ state: "done", value: "" });
    });

    test("a released claim can be had again, by a new token", async () => {
      const first = await token("released");
      await answered(subject.once.release("released", first));
      const second = await token("released");
      expect(second).not.toBe(first);
      await answered(subject.once.release("released", first));
      expect(await claim("released")).toEqual({ state: "held" });
      expect(await answered(subject.once.complete("released", first, "late", TTL_MS, NOW_MS))).toBe(false);
    });

    test("completing and releasing what is not there changes nothing", async () => {
      expect(await answered(subject.once.complete("nothing", "token", "x", TTL_MS, NOW_MS))).toBe(false);
      await answered(subject.once.release("nothing", "token"));
      expect((await claim("nothing")).state).toBe("claimed");
    });

    test("a completed claim is not released by its token", async () => {
      const mine = await token("kept");
      await answered(subject.once.complete("kept", mine, "v", TTL_MS, NOW_MS));
      await answered(subject.once.release("kept", mine));
      expect(await claim("kept")).toEqual({ state: "done", value: "v" });
    });

    test("values and keys of any text come back as they were", async () => {
      const values = ["123", "null", '"quoted"', "a\r\nb", "ünïcode 🚪", "OK", "x".repeat(100_000)];
      for (const value of values) {
        const key = `key ${value}`;
        await answered(subject.once.complete(key, await token(key), value, TTL_MS, NOW_MS));
        expect(await claim(key)).toEqual({ state: "done", value });
      }
    });
  });
}
