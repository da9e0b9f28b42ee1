/** The bridge answers the SDK as Upstash does: single commands, pipelines, transactions, text in base64 or plain. */
import { createHash } from "node:crypto";
import { Redis } from "@upstash/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startUpstash, type UpstashUnderTest } from "../support/redis/upstash-under-test.ts";

let upstash: UpstashUnderTest;
beforeAll(async () => {
  upstash = await startUpstash();
});
afterAll(() => upstash.stop());

describe.each([{ responseEncoding: "base64" as const }, { responseEncoding: false as const }])("%o", (encoding) => {
  let redis: Redis;
  beforeEach(async () => {
    const { url, token } = upstash.bridge;
    redis = new Redis({
      url,
      token,
      enableTelemetry: false,
      automaticDeserialization: false,
      retry: { retries: 0 },
      ...encoding,
    });
    await redis.flushall();
  });

  test("single commands, reads and writes", async () => {
    expect(await redis.set("text", "ünï 123 🚪")).toBe("OK");
    expect(await redis.get("text")).toBe("ünï 123 🚪");
    expect(await redis.get("none")).toBeNull();
    expect(await redis.incrby("count", 5)).toBe(5);
    expect(await redis.lpush("list", "a", "b")).toBe(2);
    expect(await redis.lrange("list", 0, -1)).toEqual(["b", "a"]);
  });

  test("a pipeline answers in order and keeps errors apart", async () => {
    const results = await redis.pipeline().set("k", "v").incr("k").get("k").exec({ keepErrors: true });
    expect(results.map(({ result }) => result)).toEqual(["OK", undefined, "v"]);
    expect(results[1]!.error).toContain("not an integer");
  });

  test("a transaction", async () => {
    expect(await redis.multi().set("a", "1").incr("a").get("a").exec()).toEqual(["OK", 2, "2"]);
  });

  test("scripts with Upstash's flags, by text and by the digest of that text", async () => {
    const text = `#!lua flags=allow-key-locking\nreturn redis.call("SET", KEYS[1], ARGV[1])`;
    const sha = createHash("sha1").update(text).digest("hex");
    await redis.scriptFlush();
    await expect(redis.evalsha(sha, ["s"], ["1"])).rejects.toThrow("NOSCRIPT");
    expect(await redis.eval(text, ["s"], ["1"])).toBe("OK");
    expect(await redis.evalsha(sha, ["s"], ["2"])).toBe("OK");
    expect(await redis.get("s")).toBe("2");
  });
});

test("a wrong or missing token is refused before any command runs", async () => {
  const commands = upstash.bridge.commands;
  for (const authorization of ["Bearer wrong", ""]) {
    const response = await fetch(upstash.bridge.url, { method: "POST", headers: { authorization }, body: '["FLUSHALL"]' });
    expect(response.status).toBe(401);
    expect(await response.json()).toHaveProperty("error");
  }
  expect(upstash.bridge.commands).toBe(commands);
});
