// The scripts of the audit, in Lua. One sorted set has the entries as JSON by their time; a hash has what processes are
// about to do, by id: `<instance> <ms> <json>`.
import { ALWAYS, PRELUDE, WITH_ROOM } from './prelude.ts'

/** ARGV: id, instance, ms, JSON. Refused when Redis has no memory left: then nothing is begun. */
export const BEGIN_AUDIT = `${WITH_ROOM}${PRELUDE}
call('HSET', P .. 'auditBegun', ARGV[1], ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])
return 1
`

/** ARGV: the id of what was begun or '', then ms and JSON of each entry. */
export const ADD_AUDIT = `${ALWAYS}${PRELUDE}
for n = 2, #ARGV, 2 do call('ZADD', P .. 'audit', ARGV[n], ARGV[n + 1]) end
if ARGV[1] ~= '' then call('HDEL', P .. 'auditBegun', ARGV[1]) end
return 1
`

/** What processes have begun that are dead becomes entries; how many. */
export const SETTLE_AUDIT = `${ALWAYS}${PRELUDE}
local begun, settled = call('HGETALL', P .. 'auditBegun'), 0
for n = 1, #begun, 2 do
  local instance, ms, json = string.match(begun[n + 1], '^(%S+) (%d+) (.*)$')
  if not instance then call('HDEL', P .. 'auditBegun', begun[n])
  elseif not alive(instance) then
    call('ZADD', P .. 'audit', ms, json)
    call('HDEL', P .. 'auditBegun', begun[n])
    settled = settled + 1
  end
end
return settled
`
