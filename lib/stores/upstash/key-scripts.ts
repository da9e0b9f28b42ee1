/** Changes to API keys, each in one piece. Records are kept as text: Lua's JSON would turn an empty list into an object. */
import { KEPT_CHANGES } from "../../contract/stores/keys.ts";
import { script } from "./script.ts";

/**
 * Every change is listed under a mark that rises also after a failover has lost the latest ones: Redis's clock, or one more than the
 * last. A Lua number as text would be rounded ("1.8e+12").
 */
const COMMON = `
local p = ARGV[1]
local function changed(digest)
  local time = redis.call("TIME")
  local last = redis.call("ZRANGE", p .. "key-changes", -1, -1, "WITHSCORES")
  local mark = math.max(time[1] * 1000 + math.floor(time[2] / 1000), (tonumber(last[2]) or 0) + 1)
  redis.call("ZADD", p .. "key-changes", string.format("%.0f", mark), digest)
  redis.call("ZREMRANGEBYRANK", p .. "key-changes", 0, -${KEPT_CHANGES + 1})
end
local function forget(digest)
  local key = p .. "key:" .. digest
  local old = redis.call("HMGET", key, "id", "consumer", "place")
  if not old[1] then return end
  redis.call("DEL", key, p .. "key-id:" .. old[1])
  redis.call("ZREM", p .. "keys", old[3] .. " " .. digest)
  redis.call("ZREM", p .. "keys-of:" .. old[2], old[3] .. " " .. digest)
  redis.call("ZREM", p .. "keys-until", digest)
end
`;

/** ARGV: prefix, digest, id, consumer, place, record, revokedMs or "", version before or "" for any, expiresMs or "". What stands beside a record is kept. */
export const putKeyScript = script(`${COMMON}
local digest, id, consumer, place = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local key = p .. "key:" .. digest
local old = redis.call("HMGET", key, "id", "record", "revokedMs", "lastUsedMs")
if ARGV[8] ~= "" and (old[1] ~= id or tostring(cjson.decode(old[2]).version) ~= ARGV[8]) then return 0 end
local revoked = old[3] or ARGV[7]
local elsewhere = redis.call("GET", p .. "key-id:" .. id)
if elsewhere and elsewhere ~= digest then
  forget(elsewhere)
  changed(elsewhere)
end
forget(digest)
redis.call("HSET", key, "id", id, "consumer", consumer, "place", place, "record", ARGV[6])
if revoked ~= "" then redis.call("HSET", key, "revokedMs", revoked) end
if old[4] then redis.call("HSET", key, "lastUsedMs", old[4]) end
redis.call("SET", p .. "key-id:" .. id, digest)
redis.call("ZADD", p .. "keys", 0, place .. " " .. digest)
redis.call("ZADD", p .. "keys-of:" .. consumer, 0, place .. " " .. digest)
if ARGV[9] ~= "" then redis.call("ZADD", p .. "keys-until", ARGV[9], digest) end
changed(digest)
return 1
`);

/** ARGV: prefix, id. */
export const removeKeyScript = script(`${COMMON}
local digest = redis.call("GET", p .. "key-id:" .. ARGV[2])
if digest then
  forget(digest)
  changed(digest)
end
return 1
`);

/** ARGV: prefix, now. A call does a part of much, so that no script holds Redis up. */
export const removeExpiredScript = script(`${COMMON}
for _, digest in ipairs(redis.call("ZRANGE", p .. "keys-until", "-inf", ARGV[2], "BYSCORE", "LIMIT", 0, 1000)) do forget(digest) end
return 1
`);

/** ARGV: prefix, id, now. */
export const revokeKeyScript = script(`${COMMON}
local digest = redis.call("GET", p .. "key-id:" .. ARGV[2])
if not digest then return 0 end
if redis.call("HSETNX", p .. "key:" .. digest, "revokedMs", ARGV[3]) == 1 then changed(digest) end
return 1
`);

/** ARGV: prefix, digest, now. A key that is gone must not leave a hash behind. */
export const usedKeyScript = script(`
local key = ARGV[1] .. "key:" .. ARGV[2]
local used = redis.call("HMGET", key, "id", "lastUsedMs")
if used[1] and (tonumber(used[2]) or 0) < tonumber(ARGV[3]) then redis.call("HSET", key, "lastUsedMs", ARGV[3]) end
return 1
`);
