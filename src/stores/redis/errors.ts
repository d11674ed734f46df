// What Redis says -> our errors, with a reason that lets an operator mend it. The words of Redis itself go to the log.
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import { reasonOf } from '../../core/thrown.ts'
import type { RedisConnection } from '../../platform/redis.ts'

const REASONS: readonly [RegExp, string][] = [
  [/READONLY/, 'Redis is a read-only replica here: its master is elsewhere, or a failover is under way'],
  [/WRONGPASS|NOAUTH|invalid password|AUTH failed/i, 'Redis refuses the user name or password of STORE_URL'],
  [
    /NOPERM|ACL failure|user executing the script/,
    'The Redis user of STORE_URL may not run a command or use a key: see docs/redis.md',
  ],
  [/LOADING/, 'Redis is reading its data from the disk'],
  [/MISCONF/, 'Redis cannot write to its own disk and takes no changes'],
  [/NOREPLICAS|MASTERDOWN/, 'Redis has too few replicas to take changes'],
  [/All sentinels are unreachable/, 'No Sentinel of STORE_URL can be reached, or none knows the master'],
  [/BUSY /, 'Redis is held up by a script of another program'],
  [/DB index is out of range/, 'Redis has no database of the number in STORE_URL'],
  [
    /certificate|CERT_|SSL|TLS|self-signed/i,
    'The certificate of Redis is not trusted, or it does not speak TLS',
  ],
  [/timed out|timeout|ETIMEDOUT|no connection within/i, 'Redis does not answer'],
  [/ECONNREFUSED/, 'Redis cannot be reached: nothing listens at the address of STORE_URL'],
  [/ENOTFOUND|EAI_AGAIN/, 'The host name of STORE_URL is not known'],
]

/** Whether a command that failed may have taken effect all the same, because its reply was lost. */
export const isInDoubt = (error: unknown): boolean =>
  isMadhavaError(error, 'STORE_UNAVAILABLE') &&
  error.cause instanceof Error &&
  !/^[A-Z]+ |enableOfflineQueue/.test(error.cause.message)

/**
 * Ours stay as they are. STORE_FULL: no memory; STORE_UNAVAILABLE: passes by itself, or an operator must act; a
 * mistake in a script of ours is INTERNAL. `last`: what was wrong with the connection before.
 */
export const redisError = (error: unknown, last: Error | null = null): MadhavaError => {
  if (error instanceof MadhavaError) return error
  // a host with several addresses gives an error whose words are those of its causes
  const text = reasonOf(error)
  if (/\bOOM\b/.test(text))
    return new MadhavaError('STORE_FULL', 'Redis has no memory left for this: maxmemory is reached', {
      cause: error,
    })
  if (/^ERR /.test(text) && !/DB index|user executing the script/.test(text))
    return new MadhavaError('INTERNAL', undefined, { cause: error })
  const reasonFor = (words: string): string | undefined =>
    REASONS.find(([pattern]) => pattern.test(words))?.[1]
  // what was wrong with the connection says more than that there is none
  const reason = (last && reasonFor(reasonOf(last))) ?? reasonFor(text)
  return new MadhavaError(
    'STORE_UNAVAILABLE',
    reason ?? 'The connection to Redis is lost; it is tried again',
    {
      cause: error,
    },
  )
}

/** The same connection, whose calls fail with our errors. */
export const withOurErrors = (redis: RedisConnection): RedisConnection => {
  const ours =
    (call: RedisConnection['call']): RedisConnection['call'] =>
    (...args) =>
      call(...args).catch((error: unknown) => {
        throw redisError(error, redis.lastError())
      })
  return { ...redis, call: ours(redis.call), callBuffer: ours(redis.callBuffer) }
}
