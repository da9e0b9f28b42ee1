/**
 * Counting in Redis, in one round trip, all or nothing. Sliding windows and token buckets lie under the keys of
 * @upstash/ratelimit 2.2 and count as its scripts do, so that a limit that is taken both ways counts once.
 */
import { script } from "./script.ts";

/** Fields of one take in ARGV, in this order. */
export const TAKE_FIELDS = ["kind", "cost", "enforce", "limit", "span", "refill", "ttl", "lease", "upTo"] as const;

/**
 * KEYS: two for each take (its own; the previous window's, or its own again). ARGV: now, "take" or "peek", then the fields.
 * Returns the whole's verdict, then for each take: what it charges (-1: refused), units left, and a time: when a bucket or a
 * lease resets, or from when on a sliding window may allow what it refuses; 0 where the caller knows.
 * Each command is billed, so all windows are read by one MGET, and a new one is written by one SET.
 * The flag lets Upstash lock these keys instead of the whole database.
 */
export const takeScript = script(`#!lua flags=allow-key-locking
local now = tonumber(ARGV[1])
local takes, windows, pending, written, whole = {}, {}, {}, {}, true

for i = 1, #KEYS / 2 do
  local f = 2 + (i - 1) * ${TAKE_FIELDS.length}
  local t = { key = KEYS[2 * i - 1], kind = ARGV[f + 1], cost = tonumber(ARGV[f + 2]), enforce = ARGV[f + 3] == "1",
    limit = tonumber(ARGV[f + 4]), span = tonumber(ARGV[f + 5]), refill = tonumber(ARGV[f + 6]), ttl = tonumber(ARGV[f + 7]),
    lease = ARGV[f + 8], upTo = tonumber(ARGV[f + 9]), at = 0 }
  if t.kind ~= "token-bucket" and t.kind ~= "concurrency" then
    windows[#windows + 1] = t.key
    t.place = #windows
    if t.kind == "sliding-window" then windows[#windows + 1] = KEYS[2 * i] end
  end
  takes[i] = t
end
local counted = #windows > 0 and redis.call("MGET", unpack(windows)) or {}

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
    t.refilled, t.at, t.left = at, at + t.span, math.min(t.limit, tokens)
  elseif t.kind == "concurrency" then
    local first = redis.call("ZRANGE", t.key, 0, 0, "WITHSCORES")
    if first[2] and tonumber(first[2]) <= now then
      redis.call("ZREMRANGEBYSCORE", t.key, "-inf", now)
      first = redis.call("ZRANGE", t.key, 0, 0, "WITHSCORES")
    end
    t.left = t.limit - (first[2] and redis.call("ZCARD", t.key) or 0)
    t.at = first[2] and tonumber(first[2]) or now
  else
    t.fresh = not counted[t.place]
    local count = tonumber(counted[t.place] or 0)
    t.left = t.limit - count
    if t.kind == "sliding-window" then
      local before, passed = tonumber(counted[t.place + 1] or 0), now % t.span
      t.left = t.left - math.floor((1 - passed / t.span) * before)
      -- What is left grows as the last window fades. Rounded down: to ask a moment early costs a trip, late would be wrong.
      local room = t.limit - count - math.max(1, t.cost)
      if room >= 0 and before > 0 then t.fades = now - passed + math.floor(t.span * (1 - (room + 1) / before)) end
    end
  end
end

for _, t in ipairs(takes) do
  look(t)
  local earlier = pending[t.key] or 0
  local left = t.left - earlier
  if left >= math.max(1, t.cost) then
    t.charge = math.max(t.cost, math.min(t.upTo, math.floor(left / 8)))
    pending[t.key] = earlier + t.charge
  else
    t.at = t.fades or t.at
    if t.enforce then whole = false end
  end
end

local result = { whole and 1 or 0 }
for _, t in ipairs(takes) do
  if whole and ARGV[2] == "take" then
    local charged = pending[t.key] or 0
    t.left = t.left - charged
    if t.kind == "concurrency" and charged > 0 and (t.at == now or t.at > now + t.span) then t.at = now + t.span end
    if t.charge and t.charge > 0 then
      if t.kind == "token-bucket" then
        redis.call("HSET", t.key, "refilledAt", t.refilled, "tokens", t.left)
        redis.call("PEXPIRE", t.key, math.max(1, math.ceil((t.limit - t.left) / t.refill)) * t.span)
      elseif t.kind == "concurrency" then
        redis.call("ZADD", t.key, now + t.span, t.lease)
        redis.call("PEXPIRE", t.key, t.ttl)
      elseif t.fresh and not written[t.key] then
        redis.call("SET", t.key, t.charge, "PX", t.ttl)
      else
        redis.call("INCRBY", t.key, t.charge)
      end
      written[t.key] = true
    end
  end
  result[#result + 1] = t.charge or -1
  result[#result + 1] = math.max(0, t.left)
  result[#result + 1] = t.at
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
-- It was not there, or stood at 0: it needs an end.
if count == delta then redis.call("PEXPIRE", key, ARGV[7]) end
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
