// The scripts for bytes beside a record, in Lua. Every version of a blob is a hash of chunks of its own, and the list
// of a task names the version that counts: so a reader gets one version whole, whatever is written meanwhile.
import { ALWAYS, PRELUDE, READING_MS, WITH_ROOM } from './prelude.ts'

/** A version that is being written goes so long after its writer has last shown that it lives, milliseconds. */
export const UNFINISHED_MS = 120_000

const FENCE = `
local function fenced(id, json, claim, me)
  if claim == '' then return false end
  return head(json) ~= claim or call('HGET', P .. 'holders', id) ~= me
end
`

/** ARGV: key without the prefix, number of the chunk, bytes. */
export const CHUNK = `${WITH_ROOM}${PRELUDE}
local key = P .. ARGV[1]
call('HSET', key, ARGV[2], ARGV[3])
call('PEXPIRE', key, ${UNFINISHED_MS})
return 1
`

/** ARGV: id, name, version, bytes, chunks, claim of the writer or '', its instance, the one chunk of a small blob. */
export const PUT = `${WITH_ROOM}${PRELUDE}${FENCE}
local id, name, version, bytes, chunks = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local json = call('GET', P .. 'task:' .. id)
if not json then return 'gone' end
if fenced(id, json, ARGV[6], ARGV[7]) then return 'lost' end
local key = P .. 'bytes:' .. id .. ':' .. name .. ':' .. version
if ARGV[8] then call('HSET', key, 0, ARGV[8])
elseif chunks > 0 then
  if call('HLEN', key) ~= chunks then return 'broken' end
  call('PERSIST', key)
end
local _, _, status = head(json)
local before = call('HGET', P .. 'blobs:' .. id, name)
if ended(status) then
  local bytes_before = before and string.match(before, ' (%d+)$') or 0
  weight_changed(bytes - bytes_before)
end
if before then drop_bytes(id, name, before) end
call('HSET', P .. 'blobs:' .. id, name, version .. ' ' .. bytes)
return 'done'
`

/** ARGV: id, name, first and last byte wanted, size of a chunk. False, or version, bytes and the first chunk. */
export const FETCH = `${ALWAYS}${PRELUDE}
local id, name, from, till, size = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local blob = call('HGET', P .. 'blobs:' .. id, name)
if not blob then return false end
local version, bytes = string.match(blob, '^(%S+) (%d+)$')
till = math.min(till, tonumber(bytes))
if from >= till then return { version, bytes, '' } end
local first, last = math.floor(from / size), math.floor((till - 1) / size)
if last > first then call('SET', P .. 'reading:' .. version, 1, 'PX', ${READING_MS}) end
local chunk = call('HGET', P .. 'bytes:' .. id .. ':' .. name .. ':' .. version, string.format('%.0f', first))
return { version, bytes, chunk }
`

/** ARGV: id, name, version, number of the chunk. */
export const NEXT_CHUNK = `${ALWAYS}${PRELUDE}
local key = P .. 'bytes:' .. ARGV[1] .. ':' .. ARGV[2] .. ':' .. ARGV[3]
call('SET', P .. 'reading:' .. ARGV[3], 1, 'PX', ${READING_MS})
if call('PTTL', key) > 0 then call('PEXPIRE', key, ${READING_MS}) end
return call('HGET', key, ARGV[4])
`

/** ARGV: id, name, claim of the asker or '', its instance. */
export const DROP = `${ALWAYS}${PRELUDE}${FENCE}
local id, name = ARGV[1], ARGV[2]
local json = call('GET', P .. 'task:' .. id)
local blob = call('HGET', P .. 'blobs:' .. id, name)
if not json or not blob then return 'done' end
if fenced(id, json, ARGV[3], ARGV[4]) then return 'lost' end
local _, _, status = head(json)
if ended(status) then weight_changed(-tonumber(string.match(blob, ' (%d+)$'))) end
drop_bytes(id, name, blob)
call('HDEL', P .. 'blobs:' .. id, name)
return 'done'
`
