// What the scripts share, in Lua: the record's head, the feed, the sets, what waits for a time, and who is alive.
// Every script runs alone and whole. KEYS[1] is the prefix that all keys begin with. The
// groups of statuses are rendered from core/status.ts.
import {
  isFailed,
  isFinal,
  isRunning,
  isWaiting,
  STATUSES,
  type Status,
  statusesIn,
} from '../../../core/status.ts'

/** Milliseconds without a beat, by Redis's clock, after which a process counts as dead. */
export const LEASE_MS = 15_000
/** If no process has beaten for so long, Redis was away. Then none is judged for a whole lease. */
const SILENCE_MS = 4_000
/** The feed keeps at least so many changes; the port promises 10,000. */
const FEED_LENGTH = 20_000
/**
 * Records up to this many bytes stand whole in the feed; of larger ones it has the version, and readers fetch them.
 */
const FEED_RECORD_BYTES = 4_096
/** One call moves at most so many tasks that become due or expire. */
const TICK_MAX = 1_000
/** A reader of a blob that was replaced may pause so long. */
export const READING_MS = 60_000

/** Works on when Redis has no memory left: for what running tasks write, and what frees memory. */
export const ALWAYS = '#!lua flags=allow-oom\n'
/** Refused when Redis has no memory left. */
export const WITH_ROOM = '#!lua\n'

/** Words as a list of Lua. */
const luaList = (words: readonly string[]): string => `{ ${words.map(word => `'${word}'`).join(', ')} }`
/** Whether a variable of Lua is one of the statuses of which `test` says so. */
const isOneOf = (variable: string, test: (status: Status) => boolean): string =>
  STATUSES.filter(test)
    .map(status => `${variable} == '${status}'`)
    .join(' or ')

export const PRELUDE = `
local P = KEYS[1]
local call = redis.call

local function clock()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- every record begins with this head; no text of a user comes before it
local function head(json)
  local claim, rev, status =
    string.match(json, '^{"id":"[^"]*","claim":(%d+),"rev":(%d+),"status":"(%u+)"')
  return claim, rev, status
end
local STATUSES = ${luaList(STATUSES)}
local RUNNING = ${luaList(statusesIn('running'))}
local function running(status) return ${isOneOf('status', isRunning)} end
local function waits(status) return ${isOneOf('status', isWaiting)} end
local function ended(status) return ${isOneOf('status', isFinal)} end
local function failed(status) return ${isOneOf('status', isFailed)} end

local function tell(...) call('XADD', P .. 'feed', 'MAXLEN', '~', ${FEED_LENGTH}, '*', ...) end
local function tell_task(id, json)
  if #json <= ${FEED_RECORD_BYTES} then return tell('task', json) end
  local claim, rev = head(json)
  tell('large', id, 'claim', claim, 'rev', rev)
end

-- the set in which suspects of a kind wait: they run alone or not at all
local function suspects_of(kind) return kind .. '!' end

-- a waiting task is ready, later (notBefore is still to come) or expired; a time that has passed can come again
-- when the clock of the caller goes back
local function wait(id, place)
  if place.from or place.till then
    call('HSET', P .. 'timed', id, string.format('%.0f', place.score) .. ' ' .. place.kind)
  end
  if place.till then call('ZADD', P .. 'expiring', place.till, id) end
  if place.from then call('ZADD', P .. 'later', place.from, id)
  else call('ZADD', P .. 'ready:' .. place.kind, place.score, id) end
end
local function unwait(id, kind)
  call('ZREM', P .. 'ready:' .. kind, id)
  if call('HDEL', P .. 'timed', id) == 0 then return end
  for _, set in ipairs({ 'later', 'ripe', 'expiring', 'expired' }) do call('ZREM', P .. set, id) end
end

local function set_ready(id, is)
  local timed = call('HGET', P .. 'timed', id)
  if not timed then return end
  local score, kind = string.match(timed, '^(%d+) (.*)$')
  if is then call('ZADD', P .. 'ready:' .. kind, score, id) else call('ZREM', P .. 'ready:' .. kind, id) end
end
local function pass(from, to, low, high, after)
  local found = call('ZRANGEBYSCORE', P .. from, low, high, 'WITHSCORES', 'LIMIT', 0, ${TICK_MAX})
  for n = 1, #found, 2 do
    local id = found[n]
    call('ZREM', P .. from, id)
    call('ZADD', P .. to, found[n + 1], id)
    after(id)
  end
end
local function tick(now)
  if call('EXISTS', P .. 'timed') == 0 then return end
  local function let_in(id)
    if not call('ZSCORE', P .. 'later', id) and not call('ZSCORE', P .. 'expired', id) then set_ready(id, true) end
  end
  local function put_out(id) set_ready(id, false) end
  pass('later', 'ripe', '-inf', now, let_in)
  pass('ripe', 'later', '(' .. now, '+inf', put_out)
  pass('expiring', 'expired', '-inf', now, put_out)
  pass('expired', 'expiring', '(' .. now, '+inf', let_in)
end

local function place(id, plan)
  for _, set in ipairs(plan.out) do call('ZREM', P .. set, id) end
  for _, to in ipairs(plan['in']) do call('ZADD', P .. to[1], to[2], id) end
  for _, step in ipairs(plan.tally or {}) do
    local count = call('ZADD', P .. step[1], 'INCR', step[3], step[2])
    if tonumber(count) <= 0 then call('ZREM', P .. step[1], step[2]) end
  end
  if plan.unwait then unwait(id, plan.unwait) end
  if plan.wait then wait(id, plan.wait) end
end

-- a process lives if its last beat is younger than a lease. A score in the future comes from a clock that went back.
-- If no process has beaten for a while, Redis was away or its clock jumped: each process gets a new lease.
local leases
local function alive(instance)
  if not leases then
    local now = clock()
    for _, ahead in ipairs(call('ZRANGEBYSCORE', P .. 'beats', now + 1000, '+inf')) do
      call('ZADD', P .. 'beats', now, ahead)
    end
    local newest = call('ZREVRANGE', P .. 'beats', 0, 0, 'WITHSCORES')[2]
    local grace = tonumber(call('GET', P .. 'grace') or 0)
    if (newest and now - newest > ${SILENCE_MS}) or grace > now + ${LEASE_MS} then
      grace = now + ${LEASE_MS}
      call('SET', P .. 'grace', grace, 'PX', ${2 * LEASE_MS})
    end
    leases = { now = now, grace = grace }
  end
  local beat = call('ZSCORE', P .. 'beats', instance)
  if not beat then return false end
  return leases.now < leases.grace or leases.now - beat < ${LEASE_MS}
end
-- the living process that holds a task, and the process that its record names, alive or dead. A waiting task is held by
-- the process that has begun to run it and has not written that yet
local function holder_of(id)
  local holder = call('HGET', P .. 'holders', id)
  if holder and alive(holder) then return holder, holder end
  return nil, holder
end
local function hold(id, instance)
  call('HSET', P .. 'holders', id, instance)
  call('SADD', P .. 'held:' .. instance, id)
  call('SADD', P .. 'keepers', instance)
end
local function let_go(id)
  local holder = call('HGET', P .. 'holders', id)
  if not holder then return end
  call('HDEL', P .. 'holders', id)
  call('SREM', P .. 'held:' .. holder, id)
end

-- how many tasks of a kind run in living processes; it is exact only near the limit
local function crowd(kind, max)
  local sets, count = {}, 0
  for n, status in ipairs(RUNNING) do
    sets[n] = P .. 'in:' .. kind .. ':' .. status
    count = count + call('ZCARD', sets[n])
  end
  if count < max then return count end
  count = 0
  for _, set in ipairs(sets) do
    for _, id in ipairs(call('ZRANGE', set, 0, -1)) do
      if holder_of(id) then count = count + 1 end
    end
  end
  return count
end
-- permits that were taken before the clock went back
local function forget_beyond(kind, limit)
  call('ZREMRANGEBYSCORE', P .. 'permits:' .. kind, '(' .. string.format('%.0f', limit.beyond), '+inf')
end
-- how many permits are free, counted up to 'enough'
local function permits(kind, limit, enough)
  forget_beyond(kind, limit)
  local count = 0
  for number = limit.oldest, limit.newest do
    if count >= enough then return count end
    if not call('ZSCORE', P .. 'permits:' .. kind, string.format('%.0f', number)) then count = count + 1 end
  end
  return count
end
-- the number of a free permit
local function permit(kind, limit)
  forget_beyond(kind, limit)
  for number = limit.oldest, limit.newest do
    if not call('ZSCORE', P .. 'permits:' .. kind, string.format('%.0f', number)) then return number end
  end
  return nil
end

-- the bytes of an ended task, with its blobs
local function weigh(id, json)
  local sum = #json
  for _, blob in ipairs(call('HVALS', P .. 'blobs:' .. id)) do
    sum = sum + tonumber(string.match(blob, ' (%d+)$'))
  end
  return sum
end
local function weight_changed(by) if by ~= 0 then call('INCRBY', P .. 'endedBytes', string.format('%.0f', by)) end end

-- blobs without a reader are removed; a reader that has begun keeps its version
local function drop_bytes(id, name, blob)
  local version = string.match(blob, '^(%S+)')
  local key = P .. 'bytes:' .. id .. ':' .. name .. ':' .. version
  if call('EXISTS', P .. 'reading:' .. version) == 1 then call('PEXPIRE', key, ${READING_MS})
  else call('UNLINK', key) end
end
`
