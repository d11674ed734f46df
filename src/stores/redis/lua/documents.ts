// The scripts of documents, in Lua. The hash of a collection has `<rev> <json>` by name. Names stand in a sorted set
// too, for pages in their order; those that expire stand in one for all collections.
import { ALWAYS, PRELUDE, WITH_ROOM } from './prelude.ts'

const DOCUMENTS = `${PRELUDE}
local function tell_document(collection, name) tell('document', collection, 'name', name) end
local function expires(collection, name, at)
  local member = collection .. '/' .. name
  if at == '' then call('ZREM', P .. 'documentsExpiring', member)
  else call('ZADD', P .. 'documentsExpiring', at, member) end
end
-- '' where nothing is there, '?' where it cannot be read
local function rev_of(value)
  if not value then return '' end
  local rev = string.match(value, '^([1-9]%d*) ')
  return rev and #rev <= 15 and rev or '?'
end
-- what cannot be read has no rev that a writer could expect
local function is_expected(rev, expected)
  return expected == 'any' or (rev ~= '?' and rev == expected)
end
local function drop(collection, name)
  expires(collection, name, '')
  call('ZREM', P .. 'documentNames:' .. collection, name)
  if call('HDEL', P .. 'documents:' .. collection, name) == 0 then return false end
  tell_document(collection, name)
  return true
end
`

/** ARGV: collection, name, `any` or the rev that is expected ('' for none), JSON, end in ms or ''. */
export const PUT_DOCUMENT = `${WITH_ROOM}${DOCUMENTS}
local collection, name, expected, json, at = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local before = rev_of(call('HGET', P .. 'documents:' .. collection, name))
if not is_expected(before, expected) then return { 'changed', before } end
local rev = string.format('%.0f', math.max((tonumber(before) or 0) + 1, clock()))
call('HSET', P .. 'documents:' .. collection, name, rev .. ' ' .. json)
call('ZADD', P .. 'documentNames:' .. collection, 0, name)
expires(collection, name, at)
tell_document(collection, name)
return { 'done', rev }
`

/** ARGV: collection, name, `any` or the rev that is expected. */
export const REMOVE_DOCUMENT = `${ALWAYS}${DOCUMENTS}
local collection, name, expected = ARGV[1], ARGV[2], ARGV[3]
local before = rev_of(call('HGET', P .. 'documents:' .. collection, name))
if not is_expected(before, expected) then return { 'changed', before } end
drop(collection, name)
return { 'done' }
`

/** ARGV: now (ms), the most. How many were found, and how many of them were removed. */
export const EXPIRE_DOCUMENTS = `${ALWAYS}${DOCUMENTS}
local found = call('ZRANGEBYSCORE', P .. 'documentsExpiring', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local removed = 0
for _, member in ipairs(found) do
  local collection, name = string.match(member, '^([^/]*)/(.*)$')
  if not collection then call('ZREM', P .. 'documentsExpiring', member)
  elseif drop(collection, name) then removed = removed + 1 end
end
return { #found, removed }
`

/** ARGV: collection, the name that the page comes after or '', the most. Names, and what stands under each. */
export const PAGE_DOCUMENTS = `${ALWAYS}${DOCUMENTS}
local after = ARGV[2] == '' and '-' or '(' .. ARGV[2]
local names = call('ZRANGEBYLEX', P .. 'documentNames:' .. ARGV[1], after, '+', 'LIMIT', 0, ARGV[3])
local values = {}
for n, name in ipairs(names) do values[n] = call('HGET', P .. 'documents:' .. ARGV[1], name) end
return { names, values }
`

/** ARGV: collection, name, end in ms or ''. Puts a document into the sets that it stands in. */
export const INDEX_DOCUMENT = `${ALWAYS}${DOCUMENTS}
call('ZADD', P .. 'documentNames:' .. ARGV[1], 0, ARGV[2])
expires(ARGV[1], ARGV[2], ARGV[3])
return 1
`
