// Checks a Redis before a store is opened on it: its version, its memory policy, what its user may do. Each refusal
// says what to change. It waits for a Redis that is not up yet.
import { setTimeout as wait } from 'node:timers/promises'
import { MadhavaError } from '../../core/errors.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { redisError } from './errors.ts'

const MIN_VERSION = 7

/** Lines of INFO, by name. */
export const readInfo = async (redis: RedisConnection, section: string): Promise<Record<string, string>> =>
  Object.fromEntries(
    String(await redis.call('INFO', section))
      .split('\r\n')
      .flatMap(line => {
        const [, name, value] = /^([^:#]+):(.*)$/.exec(line) ?? []
        return name === undefined ? [] : [[name, value ?? '']]
      }),
  )

const refuse = (reason: string, cause?: unknown): never => {
  throw new MadhavaError('STORE_UNAVAILABLE', reason, { cause })
}

/** Why tasks could be lost under this policy, or null. */
export const policyTrouble = (memory: Record<string, string>): string | null => {
  const policy = memory.maxmemory_policy ?? 'noeviction'
  if (policy === 'noeviction') return null
  return `Redis would throw tasks away when its memory is full: its maxmemory-policy is ${policy} and must be noeviction`
}

/** Commands outside of scripts, with arguments under which they change nothing. */
const PLAIN = (prefix: string): [string, ...string[]][] => [
  ['GET', `${prefix}probe`],
  ['HGET', `${prefix}probe`, 'x'],
  ['HGETALL', `${prefix}probe`],
  ['SMEMBERS', `${prefix}probe`],
  ['ZREM', `${prefix}probe`, 'x'],
  ['UNLINK', `${prefix}probe`],
  ['XRANGE', `${prefix}probe`, '-', '+', 'COUNT', '1'],
  ['XREVRANGE', `${prefix}probe`, '+', '-', 'COUNT', '1'],
  ['XREAD', 'COUNT', '1', 'STREAMS', `${prefix}probe`, '$'],
  ['SCAN', '0', 'MATCH', `${prefix}probe`, 'COUNT', '1'],
  ['SCRIPT', 'EXISTS', 'x'],
  ['INFO', 'server'],
]

/** The commands of the scripts, each tried on a key that is gone afterwards. What is refused comes back by name. */
const INSIDE = `#!lua flags=allow-oom
local key, refused = KEYS[1] .. 'probe:' .. ARGV[1], {}
local tries = {
  { 'TIME' }, { 'SET', key, '1', 'PX', '1000' }, { 'GET', key }, { 'EXISTS', key }, { 'PTTL', key }, { 'PERSIST', key },
  { 'PEXPIRE', key, '1000' }, { 'INCRBY', key, '1' }, { 'DEL', key }, { 'HSET', key, 'x', '1' }, { 'HGET', key, 'x' },
  { 'HLEN', key }, { 'HKEYS', key }, { 'HVALS', key }, { 'HGETALL', key }, { 'HDEL', key, 'x' }, { 'UNLINK', key },
  { 'SADD', key, 'x' }, { 'SCARD', key }, { 'SMEMBERS', key }, { 'SREM', key, 'x' }, { 'ZADD', key, '1', 'x' },
  { 'ZCARD', key }, { 'ZSCORE', key, 'x' }, { 'ZRANGE', key, '0', '0' }, { 'ZREVRANGE', key, '0', '0' },
  { 'ZRANGEBYSCORE', key, '0', '1' }, { 'ZREVRANGEBYSCORE', key, '1', '0' }, { 'ZREMRANGEBYSCORE', key, '5', '6' },
  { 'ZRANGEBYLEX', key, '-', '+' }, { 'ZCOUNT', key, '0', '1' }, { 'ZRANK', key, 'x' }, { 'ZREM', key, 'x' },
  { 'XADD', key, 'MAXLEN', '~', '10', '*', 'a', 'b' }, { 'UNLINK', key },
}
for _, try in ipairs(tries) do
  local answer = redis.pcall(unpack(try))
  if type(answer) == 'table' and answer.err then refused[#refused + 1] = try[1] .. ' ' .. answer.err end
end
return refused
`

const checkCommands = async (redis: RedisConnection, prefix: string, word: string): Promise<void> => {
  const missing = new Set<string>()
  const note = (command: string, error: unknown): void => {
    const text = error instanceof Error ? error.message : String(error)
    if (/NOPERM|ACL failure|permission|user executing the script can't run/i.test(text))
      missing.add(command.toLowerCase())
    else if (/^READONLY/.test(text)) throw redisError(error)
  }
  const refusedKey = (error: unknown): boolean => /key/i.test(error instanceof Error ? error.message : '')
  const tryOne = ([command, ...args]: [string, ...string[]]): Promise<unknown> =>
    redis.call(command, ...args).catch((error: unknown) => {
      if (refusedKey(error) && /NOPERM/.test((error as Error).message))
        refuse(
          `The Redis user of STORE_URL may not use the keys that begin with ${prefix}: grant it ~${prefix}*`,
          error,
        )
      note(command, error)
    })
  await Promise.all(PLAIN(prefix).map(tryOne))
  try {
    const hash = await redis.call('SCRIPT', 'LOAD', INSIDE)
    const refused = (await redis.call('EVALSHA', String(hash), 1, prefix, word)) as string[]
    for (const line of refused) note(line.slice(0, line.indexOf(' ')), line)
  } catch (error) {
    if (!/NOPERM/.test(error instanceof Error ? error.message : '')) throw redisError(error)
    for (const command of ['evalsha', 'script']) missing.add(command)
  }
  if (missing.size > 0)
    refuse(
      `The Redis user of STORE_URL may not run ${[...missing].sort().join(', ')}: grant the commands that docs/redis.md lists`,
    )
}

/** Waits for Redis and checks it. @throws STORE_UNAVAILABLE with the reason */
export const checkRedis = async (deps: {
  redis: RedisConnection
  prefix: string
  /** Makes the probe's key this process's own. */
  word: string
  /** Milliseconds that Redis may take to come up. */
  patienceMs: number
}): Promise<void> => {
  const { redis, prefix, word, patienceMs } = deps
  const deadline = performance.now() + patienceMs
  while (!redis.isReady()) {
    const error = redis.lastError()
    // waiting would not help here
    if (error && /WRONGPASS|NOAUTH|NOPERM|DB index/.test(error.message)) throw redisError(error)
    if (performance.now() > deadline) throw redisError(new Error('no connection within the time'), error)
    await wait(20)
  }
  const denied = (error: unknown): never => {
    throw redisError(error)
  }
  const server = await readInfo(redis, 'server').catch(denied)
  const version = server.redis_version ?? ''
  if (Number.parseInt(version, 10) < MIN_VERSION)
    refuse(`Redis ${version} is too old: the store needs version ${MIN_VERSION} or later`)
  if (server.redis_mode === 'cluster')
    refuse(
      'STORE_URL names a Redis Cluster: the store needs one server, or a master with replicas and Sentinels',
    )
  const trouble = policyTrouble(await readInfo(redis, 'memory').catch(denied))
  if (trouble !== null) refuse(trouble)
  await checkCommands(redis, prefix, word)
}
