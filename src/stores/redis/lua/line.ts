// The script that says what comes before waiting tasks, in Lua. It takes nothing.
import { ALWAYS, PRELUDE } from './prelude.ts'

/**
 * ARGV: now (ms), JSON of the kinds or '' for all, JSON of pairs of id and score (a text), JSON of the limits by kind,
 * the most tasks, the most permits. The kinds; for each task pairs of a kind's place among them and a count, or false
 * where there are more; then kind, running and permits of each limit, -1 where there is no such limit.
 */
export const LINE = `${ALWAYS}${PRELUDE}
local now, most, enough = tonumber(ARGV[1]), tonumber(ARGV[5]), tonumber(ARGV[6])
local tasks, limits = cjson.decode(ARGV[3]), cjson.decode(ARGV[4])
tick(now)
local kinds = ARGV[2] == '' and call('SMEMBERS', P .. 'kinds') or cjson.decode(ARGV[2])
local sets = {}
for place, kind in ipairs(kinds) do
  for _, set in ipairs({ kind, suspects_of(kind) }) do
    local key = P .. 'ready:' .. set
    if call('EXISTS', key) == 1 then sets[#sets + 1] = { key = key, place = place } end
  end
end
-- tasks of the same score are ordered by id
local function earlier_twins(key, id, score, bound)
  local count = 0
  while count <= bound do
    local found = call('ZRANGEBYSCORE', key, score, score, 'LIMIT', count, 200)
    for _, other in ipairs(found) do
      if other >= id then return count end
      count = count + 1
    end
    if #found < 200 then return count end
  end
  return count
end
local function before(id, score)
  local counts, total = {}, 0
  for _, set in ipairs(sets) do
    local count = call('ZRANK', set.key, id)
    if not count then
      count = call('ZCOUNT', set.key, '-inf', '(' .. score)
      if total + count <= most then count = count + earlier_twins(set.key, id, score, most) end
    end
    total = total + count
    if total > most then return false end
    if count > 0 then
      counts[#counts + 1] = set.place
      counts[#counts + 1] = count
    end
  end
  return counts
end
local answers, rooms = {}, {}
for n, task in ipairs(tasks) do answers[n] = before(task[1], task[2]) end
for kind, limit in pairs(limits) do
  rooms[#rooms + 1] = kind
  rooms[#rooms + 1] = limit.max and crowd(limit.kind, limit.max) or -1
  rooms[#rooms + 1] = limit.newest and permits(limit.kind, limit, enough) or -1
end
return { kinds, answers, rooms }
`
