// The scripts that write records, in Lua. A record is written only where its claim and rev are still those that the
// writer had read. Otherwise the writer gets the record that is there now.
import { ALWAYS, PRELUDE, WITH_ROOM } from './prelude.ts'

/** ARGV: id, record, plan, hash of the idempotency key or '', fingerprint. */
export const CREATE = `${WITH_ROOM}${PRELUDE}
local id, json, key, fingerprint = ARGV[1], ARGV[2], ARGV[4], ARGV[5]
local plan = cjson.decode(ARGV[3])
if key ~= '' then
  local known = call('GET', P .. 'key:' .. key)
  if known then
    local first_id, first_print = string.match(known, '^(%S+) (.*)$')
    local first = call('GET', P .. 'task:' .. first_id)
    if first then return { 'known', first, first_print } end
  end
end
if call('EXISTS', P .. 'task:' .. id) == 1 then return { 'exists' } end
call('SET', P .. 'task:' .. id, json)
call('SADD', P .. 'kinds', plan.kind)
place(id, plan)
if key ~= '' then call('SET', P .. 'key:' .. key, id .. ' ' .. fingerprint) end
-- an imported task may have ended already
local _, _, status = head(json)
if ended(status) then weight_changed(weigh(id, json)) end
tell_task(id, json)
return { 'made' }
`

/**
 * ARGV: id. What a claim has to know: the record, and the living holder with what is known of its process. `begun`: a
 * process that is dead had begun to run the task and had not written that.
 */
export const LOOK = `${ALWAYS}${PRELUDE}
local json = call('GET', P .. 'task:' .. ARGV[1])
if not json then return { 'gone' } end
local _, _, status = head(json)
local holder, written = holder_of(ARGV[1])
if holder then return { 'held', json, holder, call('HGET', P .. 'processes', holder) or '' } end
if written and not running(status) then return { 'begun', json, written } end
return { 'free', json }
`

/**
 * ARGV: id, claim and rev as read, the writer's instance, the new record, plan. `plan.as`: `taker` acquires the claim,
 * `holder` has it, `asker` notes a cancel request beside the holder.
 */
export const WRITE = `${ALWAYS}${PRELUDE}
local id, claim, rev, me, json = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local plan = cjson.decode(ARGV[6])
local before = call('GET', P .. 'task:' .. id)
if plan.as == 'taker' then call('ZREM', P .. 'taking', id) end
if not before then return { 'gone' } end
local claim_now, rev_now, status_before = head(before)
local _, _, status = head(json)
if plan.as == 'holder' and (claim_now ~= claim or call('HGET', P .. 'holders', id) ~= me) then return { 'lost' } end
if claim_now ~= claim or rev_now ~= rev then return { 'stale', before } end
if plan.as == 'taker' and holder_of(id) then return { 'stale', before } end
if plan.limit then
  local limit = plan.limit
  if limit.max and crowd(limit.kind, limit.max) >= limit.max then return { 'full' } end
  if limit.newest then
    local number = permit(limit.kind, limit)
    if not number then return { 'spent' } end
    local permits = P .. 'permits:' .. limit.kind
    call('ZADD', permits, number, string.format('%.0f', number))
    call('ZREMRANGEBYSCORE', permits, '-inf', limit.forget)
    call('PEXPIRE', permits, 86400000)
  end
end
if ended(status_before) then weight_changed(-weigh(id, before)) end
call('SET', P .. 'task:' .. id, json)
place(id, plan)
if plan.as ~= 'asker' then
  if plan.as == 'taker' then let_go(id) end
  if not running(status) then let_go(id) elseif plan.as == 'taker' then hold(id, me) end
end
if ended(status) then weight_changed(weigh(id, json)) end
if plan.cancelAt then tell('revoke', id, 'at', plan.cancelAt) end
if not plan.quiet then tell_task(id, json) end
return { 'done' }
`

/** ARGV: id, claim and rev as read, plan, hash of the idempotency key or '', JSON of the owner. */
export const REMOVE = `${ALWAYS}${PRELUDE}
local id, claim, rev, key = ARGV[1], ARGV[2], ARGV[3], ARGV[5]
local plan = cjson.decode(ARGV[4])
local json = call('GET', P .. 'task:' .. id)
if not json then return { 'gone' } end
local claim_now, rev_now, status = head(json)
if claim_now ~= claim or rev_now ~= rev then return { 'stale', json } end
if not ended(status) then return { 'stale', json } end
weight_changed(-weigh(id, json))
local blobs = call('HGETALL', P .. 'blobs:' .. id)
for n = 1, #blobs, 2 do drop_bytes(id, blobs[n], blobs[n + 1]) end
call('UNLINK', P .. 'blobs:' .. id, P .. 'task:' .. id)
place(id, plan)
if key ~= '' then
  local known = call('GET', P .. 'key:' .. key)
  if known and string.match(known, '^(%S+)') == id then call('DEL', P .. 'key:' .. key) end
end
local left = 0
for _, each in ipairs(STATUSES) do
  left = left + call('EXISTS', P .. 'in:' .. plan.kind .. ':' .. each)
end
if left == 0 then call('SREM', P .. 'kinds', plan.kind) end
tell('removed', id, 'owner', ARGV[6], 'kind', plan.kind)
return { 'done' }
`

/**
 * ARGV: how many. The count of ended tasks, their bytes, then record and bytes of those that ended first: so many that
 * failed, and so many others.
 */
export const OLDEST = `${ALWAYS}${PRELUDE}
local count = call('ZCARD', P .. 'ended') + call('ZCARD', P .. 'failed')
local found = { count, call('GET', P .. 'endedBytes') or '0' }
for _, set in ipairs({ 'ended', 'failed' }) do
  for _, id in ipairs(call('ZRANGE', P .. set, 0, ARGV[1] - 1)) do
    local json = call('GET', P .. 'task:' .. id)
    if json then
      found[#found + 1] = json
      found[#found + 1] = tostring(weigh(id, json))
      -- an earlier version stored all ends here
      local _, _, status = head(json)
      if set == 'ended' and failed(status) then
        call('ZADD', P .. 'failed', call('ZSCORE', P .. set, id), id)
        call('ZREM', P .. set, id)
      end
    else call('ZREM', P .. set, id) end
  end
end
return found
`

/** ARGV: id, plan. Puts a record into the sets that it stands in. One that runs for nobody is an orphan. */
export const INDEX = `${ALWAYS}${PRELUDE}
local id, plan = ARGV[1], cjson.decode(ARGV[2])
local json = call('GET', P .. 'task:' .. id)
if not json or call('ZSCORE', P .. 'created', id) then return 0 end
local _, _, status = head(json)
call('SADD', P .. 'kinds', plan.kind)
place(id, plan)
if ended(status) then weight_changed(weigh(id, json)) end
local holder = call('HGET', P .. 'holders', id)
if running(status) and not holder then hold(id, '-') end
-- begun by a process that is dead, or that comes back
if holder and plan.wait then unwait(id, plan.wait.kind) end
return 1
`
