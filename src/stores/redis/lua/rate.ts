// The script that counts by the minute, in Lua.
import { ALWAYS } from './prelude.ts'

/**
 * ARGV: name, points, seconds of a window, limit. Answers how many there are, with the points, and until when,
 * milliseconds. What would be beyond the limit is not counted. Points below 0 take back what this window has.
 */
export const RATE = `${ALWAYS}
local key, points, seconds, limit = KEYS[1] .. 'quota:' .. ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local count = tonumber(redis.call('GET', key) or 0)
local ttl = redis.call('PTTL', key)
-- 0: it ends in this very millisecond, which is no time that SET takes
if ttl <= 0 then count, ttl = 0, seconds * 1000 end
if points < 0 then
  if count > 0 then redis.call('SET', key, math.max(count + points, 0), 'KEEPTTL') end
elseif count + points <= limit then
  redis.call('SET', key, count + points, 'PX', ttl)
end
return { count + points, ttl }
`
