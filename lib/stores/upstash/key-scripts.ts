/** Changes to API keys, each in one piece. Records are kept as text: Lua's JSON would turn an empty list into an object. */
import { script } from "./script.ts";

const FORGET = `
local p = ARGV[1]
local function forget(digest)
  local key = p .. "key:" .. digest
  local old = redis.call("HMGET", key, "id", "consumer", "place")
  if not old[1] then return end
  redis.call("DEL", key, p .. "key-id:" .. old[1])
  redis.call("ZREM", p .. "keys", old[3] .. " " .. digest)
  redis.call("ZREM", p .. "keys-of:" .. old[2], old[3] .. " " .. digest)
  redis.call("ZREM", p .. "revoked", digest)
end
`;

/** ARGV: prefix, digest, id, consumer, place, record, revokedMs or "". A revocation that stands is kept. */
export const putKeyScript = script(`${FORGET}
local digest, id, consumer, place = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local key = p .. "key:" .. digest
local revoked = redis.call("HGET", key, "revokedMs") or ARGV[7]
local elsewhere = redis.call("GET", p .. "key-id:" .. id)
if elsewhere and elsewhere ~= digest then forget(elsewhere) end
forget(digest)
redis.call("HSET", key, "id", id, "consumer", consumer, "place", place, "record", ARGV[6])
redis.call("SET", p .. "key-id:" .. id, digest)
redis.call("ZADD", p .. "keys", 0, place .. " " .. digest)
redis.call("ZADD", p .. "keys-of:" .. consumer, 0, place .. " " .. digest)
if revoked ~= "" then
  redis.call("HSET", key, "revokedMs", revoked)
  redis.call("ZADD", p .. "revoked", revoked, digest)
end
return 1
`);

/** ARGV: prefix, id. */
export const removeKeyScript = script(`${FORGET}
local digest = redis.call("GET", p .. "key-id:" .. ARGV[2])
if digest then forget(digest) end
return 1
`);

/** ARGV: prefix, id, now. */
export const revokeKeyScript = script(`
local digest = redis.call("GET", ARGV[1] .. "key-id:" .. ARGV[2])
if not digest then return 0 end
if redis.call("HSETNX", ARGV[1] .. "key:" .. digest, "revokedMs", ARGV[3]) == 1 then
  redis.call("ZADD", ARGV[1] .. "revoked", ARGV[3], digest)
end
return 1
`);
