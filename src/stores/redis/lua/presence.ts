// The scripts of presences, in Lua. All times are Redis's own: the clocks of the hosts need not agree.
import { ALWAYS, LEASE_MS, PRELUDE } from './prelude.ts'

/**
 * ARGV: instance, what is known of its process, its presence or ''. Redis's time in ms, and how many tasks it holds.
 */
export const BEAT = `${ALWAYS}${PRELUDE}
local me = ARGV[1]
alive(me)
local now = clock()
call('ZADD', P .. 'beats', now, me)
call('HSET', P .. 'processes', me, ARGV[2])
if ARGV[3] ~= '' then call('HSET', P .. 'presences', me, ARGV[3]) end
return { now, call('SCARD', P .. 'held:' .. me) }
`

/** Redis's time; then of each presence its details, its last beat in ms, 1 when alive, its process. */
export const PRESENCES = `${ALWAYS}${PRELUDE}
local all = call('HGETALL', P .. 'presences')
local found = { clock() }
for n = 1, #all, 2 do
  found[#found + 1] = {
    all[n], all[n + 1], call('ZSCORE', P .. 'beats', all[n]) or '0', alive(all[n]) and 1 or 0,
    call('HGET', P .. 'processes', all[n]) or '',
  }
end
return found
`

/** ARGV: instance. It has left, or another process has proof that its process is gone. What it held is free at once. */
export const LEAVE = `${ALWAYS}${PRELUDE}
call('ZREM', P .. 'beats', ARGV[1])
if ARGV[2] == 'left' then
  call('HDEL', P .. 'presences', ARGV[1])
  call('HDEL', P .. 'processes', ARGV[1])
end
return 1
`

/**
 * ARGV: format, a fresh word, this version, which sets it keeps. An earlier format is raised. Begins the feed where
 * there is none; the word of this database's beginning, and which sets are whole, '' for none. Or the format that is
 * there, and who wrote it.
 */
export const BEGIN = `${ALWAYS}${PRELUDE}
local about = P .. 'about'
local format = call('HGET', about, 'format')
if format and (not string.match(format, '^[1-9]%d*$') or tonumber(format) > tonumber(ARGV[1])) then
  return { 'other', format, call('HGET', about, 'writtenBy') or '' }
end
if not format then call('HSET', about, 'epoch', ARGV[2], 'indexed', ARGV[4]) end
if format ~= ARGV[1] then call('HSET', about, 'format', ARGV[1], 'writtenBy', ARGV[3]) end
-- an earlier version stored here what was taken ahead of a free slot
call('DEL', P .. 'ahead')
-- the first entry: a cursor holds as long as its entry, or an earlier one, exists
if call('EXISTS', P .. 'feed') == 0 then call('XADD', P .. 'feed', '*', 'begin', ARGV[1]) end
return { 'begun', call('HGET', about, 'epoch'), call('HGET', about, 'indexed') or '' }
`

/** How many processes are alive. */
export const LIVING = `${ALWAYS}${PRELUDE}
local found = 0
for _, who in ipairs(call('ZRANGE', P .. 'beats', 0, -1)) do
  if clock() - call('ZSCORE', P .. 'beats', who) < ${LEASE_MS} then found = found + 1 end
end
return found
`
