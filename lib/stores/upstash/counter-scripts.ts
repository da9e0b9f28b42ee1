/**
 * Counting in Redis, in one round trip, all or nothing. Sliding windows and token buckets lie under the keys of
 * @upstash/ratelimit 2.2 and count as its scripts do, so that a limit that is taken both ways counts once.
 */
import { script } from "./script.ts";

/** Fields of one take in ARGV, in this order. */
export const TAKE_FIELDS = ["kind", "cost", "enforce", "limit", "span", "refill", "ttl", "lease"] as const;

/**
 * KEYS: two for each take (its own; the previous window's, or its own again). ARGV: now, "take" or "peek", then the fields.
 * Returns the whole's verdict, then for each take: allowed, units left, reset (0 where the caller knows it).
 * The flag lets Upstash lock these keys instead of the whole database.
 */
export const takeScript = script(`#!lua flags=allow-key-locking
local now = tonumber(ARGV[1])
local takes, pending, whole = {}, {}, true

local function look(t)
  if t.kind == "token-bucket" then
    local bucket = redis.call("HMGET", t.key, "refilledAt", "tokens")
    local at, tokens = now, t.limit
    if bucket[1] then at, tokens = tonumber(bucket[1]), tonumber(bucket[2]) end
    if now >= at + t.span then
      local refills = math.floor((now - at) / t.span)
      tokens = tokens + refills * t.refill
      at = at + refills * t.span
    end
    t.at, t.reset, t.left = at, at + t.span, math.min(t.limit, tokens)
  elseif t.kind == "concurrency" then
    redis.call("ZREMRANGEBYSCORE", t.key, "-inf", now)
    t.left = t.limit - redis.call("ZCARD", t.key)
    local first = redis.call("ZRANGE", t.key, 0, 0, "WITHSCORES")
    t.reset = first[2] and tonumber(first[2]) or now
  else
    local count = tonumber(redis.call("GET", t.key) or 0)
    if t.kind == "sliding-window" then
      local before = tonumber(redis.call("GET", t.before) or 0)
      count = count + math.floor((1 - (now % t.span) / t.span) * before)
    end
    t.left, t.reset = t.limit - count, 0
  end
end

for i = 1, #KEYS / 2 do
  local f = 2 + (i - 1) * 8
  local t = { key = KEYS[2 * i - 1], before = KEYS[2 * i], kind = ARGV[f + 1], cost = tonumber(ARGV[f + 2]),
    limit = tonumber(ARGV[f + 4]), span = tonumber(ARGV[f + 5]), refill = tonumber(ARGV[f + 6]), ttl = tonumber(ARGV[f + 7]),
    lease = ARGV[f + 8] }
  look(t)
  local earlier = pending[t.key] or 0
  t.allowed = t.left >= math.max(1, t.cost) + earlier
  if t.allowed then pending[t.key] = earlier + t.cost
  elseif ARGV[f + 3] == "1" then whole = false end
  takes[i] = t
end

local result = { whole and 1 or 0 }
for _, t in ipairs(takes) do
  if whole and ARGV[2] == "take" then
    local charged = pending[t.key] or 0
    t.left = t.left - charged
    if t.kind == "concurrency" and charged > 0 and (t.reset == now or t.reset > now + t.span) then t.reset = now + t.span end
    if t.allowed and t.cost > 0 then
      if t.kind == "token-bucket" then
        redis.call("HSET", t.key, "refilledAt", t.at, "tokens", t.left)
        redis.call("PEXPIRE", t.key, math.max(1, math.ceil((t.limit - t.left) / t.refill)) * t.span)
      elseif t.kind == "concurrency" then
        redis.call("ZADD", t.key, now + t.span, t.lease)
        redis.call("PEXPIRE", t.key, t.ttl)
      elseif redis.call("INCRBY", t.key, t.cost) == t.cost then
        redis.call("PEXPIRE", t.key, t.ttl)
      end
    end
  end
  result[#result + 1] = t.allowed and 1 or 0
  result[#result + 1] = math.max(0, t.left)
  result[#result + 1] = t.reset
end
return result
`);

/** KEYS: the key. ARGV: now, kind, delta, limit, span, refill, ttl. */
export const settleScript = script(`#!lua flags=allow-key-locking
local key, now, kind, delta = KEYS[1], tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local limit, span, refill = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if kind == "token-bucket" then
  local bucket = redis.call("HMGET", key, "refilledAt", "tokens")
  local at, tokens = now, limit
  if bucket[1] then at, tokens = tonumber(bucket[1]), tonumber(bucket[2]) end
  if now >= at + span then
    local refills = math.floor((now - at) / span)
    tokens = tokens + refills * refill
    at = at + refills * span
  end
  tokens = math.min(limit, math.min(limit, tokens) - delta)
  redis.call("HSET", key, "refilledAt", at, "tokens", tokens)
  redis.call("PEXPIRE", key, math.max(1, math.ceil((limit - tokens) / refill)) * span)
  return 1
end
local count = redis.call("INCRBY", key, delta)
if count < 0 then redis.call("SET", key, 0, "KEEPTTL") end
if redis.call("PTTL", key) < 0 then redis.call("PEXPIRE", key, ARGV[7]) end
return 1
`);

/** KEYS: the key. ARGV: now, lease, the lease's length. */
export const renewScript = script(`#!lua flags=allow-key-locking
local ends = redis.call("ZSCORE", KEYS[1], ARGV[2])
if not ends or tonumber(ends) <= tonumber(ARGV[1]) then return 0 end
redis.call("ZADD", KEYS[1], tonumber(ARGV[1]) + tonumber(ARGV[3]), ARGV[2])
redis.call("PEXPIRE", KEYS[1], ARGV[3])
return 1
`);
