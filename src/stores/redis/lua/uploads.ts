// The scripts for the bytes of uploads, in Lua. An upload is a hash of chunks, all of one size but the last. How many
// bytes it has is changed in the same step as its chunks, so that it is true at any moment. Ids stand in a sorted set
// too, for pages in their order.
import { ALWAYS, PRELUDE, WITH_ROOM } from './prelude.ts'

/** Chunks that one call removes: Redis does nothing else meanwhile. */
const CUT_MAX = 64

const UPLOADS = `${PRELUDE}
local id = ARGV[1]
local key = P .. 'upload:' .. id
local function number(n) return string.format('%.0f', n) end
local function size_is(bytes) call('HSET', P .. 'uploads', id, number(bytes)) end
`

/**
 * ARGV: id, offset, size of a chunk. Cuts off what stands from the offset on: a part of it at each call. `behind` and
 * the size, when that is less; `more`; `broken` when a chunk is missing; `ready` and the bytes of the last chunk, when
 * that is not full.
 */
export const CUT_UPLOAD = `${WITH_ROOM}${UPLOADS}
local offset, chunk = tonumber(ARGV[2]), tonumber(ARGV[3])
local size = tonumber(call('HGET', P .. 'uploads', id) or 0)
if offset > size then return { 'behind', number(size) } end
call('ZADD', P .. 'uploadIds', 0, id)
if offset == 0 then
  call('UNLINK', key)
  size_is(0)
  return { 'ready', '' }
end
local keep, there = math.ceil(offset / chunk), math.ceil(size / chunk)
local last = math.max(keep, there - ${CUT_MAX})
for n = last, there - 1 do call('HDEL', key, number(n)) end
if last > keep then
  size_is(last * chunk)
  return { 'more', '' }
end
local rest = offset % chunk
if rest == 0 then
  size_is(offset)
  return { 'ready', '' }
end
local bytes = call('HGET', key, number(keep - 1))
if not bytes or #bytes < rest then return { 'broken', '' } end
bytes = string.sub(bytes, 1, rest)
call('HSET', key, number(keep - 1), bytes)
size_is(offset)
return { 'ready', bytes }
`

/** ARGV: id, number of the chunk, its bytes, bytes of all before this call, and after it. 0: it was removed meanwhile. */
export const APPEND_UPLOAD = `${WITH_ROOM}${UPLOADS}
if call('HGET', P .. 'uploads', id) ~= ARGV[4] then return 0 end
call('HSET', key, ARGV[2], ARGV[3])
call('HSET', P .. 'uploads', id, ARGV[5])
return 1
`

/** ARGV: id. The chunks go in the background. */
export const REMOVE_UPLOAD = `${ALWAYS}${UPLOADS}
call('UNLINK', key)
call('HDEL', P .. 'uploads', id)
call('ZREM', P .. 'uploadIds', id)
return 1
`

/** ARGV: the id that the page comes after or '', the most. Ids, and the bytes of each. */
export const PAGE_UPLOADS = `${ALWAYS}${PRELUDE}
local after = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local ids = call('ZRANGEBYLEX', P .. 'uploadIds', after, '+', 'LIMIT', 0, ARGV[2])
local sizes = {}
for n, id in ipairs(ids) do sizes[n] = call('HGET', P .. 'uploads', id) or '0' end
return { ids, sizes }
`
