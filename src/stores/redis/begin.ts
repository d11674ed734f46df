// The begin of a store on a Redis: waits for it, checks it, and makes the sets anew where they are not whole.
import { randomBytes } from 'node:crypto'
import { MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { describePlace, type RedisPlace } from '../../platform/redis-url.ts'
import { VERSION } from '../../platform/version.ts'
import { redisError, withOurErrors } from './errors.ts'
import { FORMAT, formatTrouble, INDEXED } from './format.ts'
import { rebuildIndexes } from './rebuild.ts'
import type { Scripts } from './scripts.ts'
import { checkRedis } from './startup.ts'

interface BeginDeps {
  /** Closed when the store cannot begin. */
  connection: RedisConnection
  scripts: Scripts
  place: RedisPlace
  /** Begins every key, with a colon after it. */
  word: string
  instance: string
  /** How long a Redis that does not answer yet is waited for, milliseconds. */
  patienceMs: number
  log: Log
}

export interface Begun {
  /** The id of this database, for cursors. */
  epoch: string
  /** Whether the sets and counts by owner are whole. */
  byOwner: boolean
}

/** @throws STORE_UNAVAILABLE with the reason and the place */
export const beginStore = async (deps: BeginDeps): Promise<Begun> => {
  const { connection, scripts, place, word, instance, patienceMs, log } = deps
  const prefix = `${word}:`
  const begin = async (): Promise<Begun> => {
    await checkRedis({ redis: connection, prefix, word: instance, patienceMs })
    await scripts.load()
    const fresh = randomBytes(6).toString('hex')
    type Answer = ['begun', epoch: string, indexed: string] | ['other', format: string, writtenBy: string]
    const [found, value, more] = await scripts.run<Answer>('begin', FORMAT, fresh, VERSION, INDEXED)
    if (found === 'begun') {
      if (more === INDEXED) return { epoch: value, byOwner: true }
      const tasks = await rebuildIndexes({ redis: withOurErrors(connection), scripts, prefix, instance })
      if (tasks === null)
        log.warn(
          'the sets in Redis are of an earlier version, and other processes use them; searching all tasks',
        )
      else if (tasks > 0) log.info({ tasks }, 'the sets in Redis are made anew')
      return { epoch: value, byOwner: tasks !== null }
    }
    throw new MadhavaError('STORE_UNAVAILABLE', formatTrouble(word, value, more))
  }
  return begin().catch((error: unknown) => {
    const trouble = redisError(error, connection.lastError())
    connection.close()
    throw trouble.code === 'STORE_UNAVAILABLE'
      ? new MadhavaError('STORE_UNAVAILABLE', `${trouble.message} (${describePlace(place)})`, {
          cause: error,
        })
      : trouble
  })
}
