// The scripts that find tasks, in Lua: what comes next, what there is to do, pages and counts.
import { ALWAYS, PRELUDE } from './prelude.ts'

/** How long a task that was named to one taker is named to no other, by Redis's clock. A hint: the write decides. */
const TAKING_MS = 1_000

/**
 * ARGV: now (ms), JSON of the kinds, JSON of the limits by kind, the taker's instance, 1 where it may take a suspect.
 * The record of the best due task, or false; then the kinds that are full and those whose rate is spent; then 1 where
 * the taker holds the task from now on: of a kind without limits, which needs no further look when it is written;
 * then the kinds with a limit of which others are just taking all that may begin. With 2 instead of 1 the id of a
 * suspect whose turn it is comes first, and the taker may not take it.
 */
export const PICK = `${ALWAYS}${PRELUDE}
local now, kinds, limits, me = tonumber(ARGV[1]), cjson.decode(ARGV[2]), cjson.decode(ARGV[3]), ARGV[4]
tick(now)
local at = clock()
call('ZREMRANGEBYSCORE', P .. 'taking', '-inf', at)
local full, spent, contested = {}, {}, {}

local function better(a, b) return not b or a.score < b.score or (a.score == b.score and a.id < b.id) end
-- the first one that no process is taking now, else the first one; and how many come before it, up to 'enough'
local function best_of(set, kind, enough)
  local first, from, many, passed = nil, 0, 1, 0
  while true do
    local found = call('ZRANGE', P .. 'ready:' .. set, from, from + many - 1, 'WITHSCORES')
    if #found == 0 then return first, passed end
    for n = 1, #found, 2 do
      local candidate = { id = found[n], score = tonumber(found[n + 1]), free = true, kind = kind, set = set }
      if not call('ZSCORE', P .. 'taking', candidate.id) then return candidate, passed end
      candidate.free = false
      first = first or candidate
      passed = passed + 1
      if enough and passed >= enough then return first, passed end
    end
    from, many = from + many, 20
  end
end
-- how many of a kind may begin now; without a limit math.huge
local function may_begin(kind, limit)
  local places = math.huge
  if limit.max then places = limit.max - crowd(kind, limit.max) end
  if places <= 0 then return 0, full end
  if limit.newest then places = math.min(places, permits(kind, limit, places)) end
  return places, spent
end

while true do
  local free, taken = nil, nil
  full, spent, contested = {}, {}, {}
  for _, kind in ipairs(kinds) do
    local limit = limits[kind]
    local sets = {}
    for _, set in ipairs({ kind, suspects_of(kind) }) do
      if call('EXISTS', P .. 'ready:' .. set) == 1 then sets[#sets + 1] = set end
    end
    if #sets > 0 then
      local places, why, all_passed, found = nil, nil, 0, {}
      if limit then places, why = may_begin(kind, limit) end
      if places and places <= 0 then why[#why + 1] = kind
      else
        for _, set in ipairs(sets) do
          local candidate, passed = best_of(set, kind, places)
          all_passed = all_passed + passed
          found[#found + 1] = candidate
        end
        -- tasks of a kind with a limit begin in order: no later one gets the place of one that is being taken
        if places and all_passed >= places then contested[#contested + 1] = kind
        else
          for _, candidate in ipairs(found) do
            if candidate.free and better(candidate, free) then free = candidate end
            if not candidate.free and better(candidate, taken) then taken = candidate end
          end
        end
      end
    end
  end
  local best = free or taken
  if not best then return { false, full, spent, 0, contested } end
  local json = call('GET', P .. 'task:' .. best.id)
  local _, _, status = head(json or '')
  if waits(status) and not call('HGET', P .. 'holders', best.id) then
    if best.set ~= best.kind and ARGV[5] ~= '1' then return { best.id, full, spent, 2, contested } end
    if limits[best.kind] then
      call('ZADD', P .. 'taking', at + ${TAKING_MS}, best.id)
      return { json, full, spent, 0, contested }
    end
    unwait(best.id, best.set)
    hold(best.id, me)
    return { json, full, spent, 1, contested }
  end
  -- the set names a task that does not wait: its record was changed or deleted by hand, or it was begun and the sets
  -- were rebuilt since
  unwait(best.id, best.set)
  for _, kind in ipairs(kinds) do unwait(best.id, kind) end
end
`

/**
 * ARGV: now (ms), how many ids, JSON of the kinds that count as due or '' for all. Due count, due ids, expired ids,
 * orphans, next time or '', processes.
 */
export const AGENDA = `${ALWAYS}${PRELUDE}
local now, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
tick(now)
local due, heads, sources = 0, {}, 0
local kinds = ARGV[3] == '' and call('SMEMBERS', P .. 'kinds') or cjson.decode(ARGV[3])
local waiting = {}
for _, kind in ipairs(kinds) do
  waiting[#waiting + 1] = kind
  waiting[#waiting + 1] = suspects_of(kind)
end
for _, kind in ipairs(waiting) do
  local count = call('ZCARD', P .. 'ready:' .. kind)
  due = due + count
  if count > 0 and limit > 0 then
    sources = sources + 1
    local found = call('ZRANGE', P .. 'ready:' .. kind, 0, limit - 1, 'WITHSCORES')
    for n = 1, #found, 2 do heads[#heads + 1] = { found[n], tonumber(found[n + 1]) } end
  end
end
if sources > 1 then
  table.sort(heads, function(a, b) return a[2] < b[2] or (a[2] == b[2] and a[1] < b[1]) end)
end
local ids = {}
for n = 1, math.min(limit, #heads) do ids[n] = heads[n][1] end

local orphans = {}
for _, keeper in ipairs(call('SMEMBERS', P .. 'keepers')) do
  if not alive(keeper) then
    local held = call('SMEMBERS', P .. 'held:' .. keeper)
    for _, id in ipairs(held) do orphans[#orphans + 1] = id end
    if #held == 0 then call('SREM', P .. 'keepers', keeper) end
  end
end
-- a dead process that holds nothing is no longer needed
for _, who in ipairs(call('HKEYS', P .. 'processes')) do
  if not alive(who) and call('EXISTS', P .. 'held:' .. who) == 0 then
    call('HDEL', P .. 'processes', who)
    call('HDEL', P .. 'presences', who)
    call('ZREM', P .. 'beats', who)
  end
end

local next_at = call('ZRANGE', P .. 'expiring', 0, 0, 'WITHSCORES')[2]
local from = 0
while true do
  local found = call('ZRANGE', P .. 'later', from, from + 49, 'WITHSCORES')
  local waiting = nil
  for n = 1, #found, 2 do
    if not call('ZSCORE', P .. 'expired', found[n]) then waiting = found[n + 1] break end
  end
  if waiting and (not next_at or tonumber(waiting) < tonumber(next_at)) then next_at = waiting end
  if waiting or #found == 0 then break end
  from = from + 50
end
return { due, ids, call('ZRANGE', P .. 'expired', 0, 999), orphans, next_at or '' }
`

/**
 * ARGV: JSON of the sets, 'down' for the highest score first or 'up', the lowest and highest score, score and id of the
 * place after which to begin or '', how many. Score and id of the last one, and the records in their order; '' for one
 * that is not there.
 */
export const PAGE = `${ALWAYS}${PRELUDE}
local sets, down, low, high, after_score, after_id, limit =
  cjson.decode(ARGV[1]), ARGV[2] == 'down', ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local function comes_after(id, other) if down then return id < other end return id > other end
local function range(key, first, last, from, count)
  if down then return call('ZREVRANGEBYSCORE', key, last, first, 'WITHSCORES', 'LIMIT', from, count) end
  return call('ZRANGEBYSCORE', key, first, last, 'WITHSCORES', 'LIMIT', from, count)
end
-- the rest begins behind the moment of the place
local first, last = low, high
if after_id ~= '' and down then last = '(' .. after_score end
if after_id ~= '' and not down then first = '(' .. after_score end
local rows = {}
local function add(found)
  for n = 1, #found, 2 do rows[#rows + 1] = { found[n], tonumber(found[n + 1]) } end
end
for _, set in ipairs(sets) do
  local key = P .. set
  if after_id ~= '' then
    -- tasks of the same millisecond that come after it
    local from, left = 0, limit
    while left > 0 do
      local found = range(key, after_score, after_score, from, 200)
      local fit = {}
      for n = 1, #found, 2 do
        if comes_after(found[n], after_id) and left > 0 then
          fit[#fit + 1] = found[n]
          fit[#fit + 1] = found[n + 1]
          left = left - 1
        end
      end
      add(fit)
      if #found < 400 then break end
      from = from + 200
    end
  end
  add(range(key, first, last, 0, limit))
end
if #sets > 1 then
  table.sort(rows, function(a, b)
    if a[2] == b[2] then return comes_after(b[1], a[1]) end
    if down then return a[2] > b[2] end
    return a[2] < b[2]
  end)
end
local page, count = {}, math.min(limit, #rows)
for n = 1, count do page[n] = call('GET', P .. 'task:' .. rows[n][1]) or '' end
if count == 0 then return { 0, '', page } end
return { string.format('%.0f', rows[count][2]), rows[count][1], page }
`

/** ARGV: JSON of the keys. `<kind>:<status>` and count, one after another. */
export const TALLIES = `${ALWAYS}${PRELUDE}
local found = {}
for _, key in ipairs(cjson.decode(ARGV[1])) do
  for _, each in ipairs(call('ZRANGE', P .. key, 0, -1, 'WITHSCORES')) do found[#found + 1] = each end
end
return found
`

/** Kind, status and count, one after another. */
export const COUNTS = `${ALWAYS}${PRELUDE}
local found = {}
for _, kind in ipairs(call('SMEMBERS', P .. 'kinds')) do
  for _, status in ipairs(STATUSES) do
    local count = call('ZCARD', P .. 'in:' .. kind .. ':' .. status)
    if count > 0 then
      found[#found + 1] = kind
      found[#found + 1] = status
      found[#found + 1] = count
    end
  end
end
return found
`
