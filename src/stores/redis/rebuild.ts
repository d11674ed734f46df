// Rebuilds the sets from the records. The sets can be deleted while nothing runs; if `indexed` is removed from
// `about`, or names sets of an earlier version, the next start rebuilds them. One process does it, the others wait.
import { setTimeout as wait } from 'node:timers/promises'
import { MadhavaError } from '../../core/errors.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { decodeDocument, expiryScore } from './documents.ts'
import { INDEXED } from './format.ts'
import { decodeIfSound, planOf } from './records.ts'
import type { Scripts } from './scripts.ts'

/** What follows from the records and the documents. Who holds a task does not, and stays. */
const DERIVED =
  /^(in:.*|owner:.*|ends:.*|tally:.*|waitingOf:.*|children:.*|ready:.*|created|ended|failed|endedBytes|kinds|later|ripe|expiring|expired|timed|taking)$/
const DERIVED_OF_DOCUMENTS = /^(documentNames:.*|documentsExpiring)$/
const LOCK_MS = 30_000
const LOOK_MS = 100
const BATCH = 200

interface RebuildDeps {
  redis: RedisConnection
  scripts: Scripts
  prefix: string
  /** Of this process alone. */
  instance: string
}

/**
 * Resolves with the number of tasks when the sets are whole. Null: other processes use the sets, which are whole but
 * those of an earlier version. @throws STORE_UNAVAILABLE when they are not, while other processes use them
 */
export const rebuildIndexes = async ({
  redis,
  scripts,
  prefix,
  instance,
}: RebuildDeps): Promise<number | null> => {
  const lock = `${prefix}rebuilding`
  const scan = async (match: string, each: (keys: string[]) => Promise<unknown>): Promise<void> => {
    let cursor = '0'
    do {
      const [next, keys] = (await redis.call('SCAN', cursor, 'MATCH', match, 'COUNT', 1_000)) as [
        string,
        string[],
      ]
      if (keys.length > 0) await each(keys)
      // a process that dies meanwhile is replaced after a while
      await redis.call('SET', lock, instance, 'PX', LOCK_MS)
      cursor = next
    } while (cursor !== '0')
  }

  const indexCollection = async (key: string): Promise<void> => {
    const collection = key.slice(`${prefix}documents:`.length)
    const flat = (await redis.call('HGETALL', key)) as string[]
    for (let from = 0; from < flat.length; from += 2 * BATCH)
      await Promise.all(
        Array.from({ length: Math.min(BATCH, (flat.length - from) / 2) }, async (_, n) => {
          const [name = '', value = ''] = flat.slice(from + 2 * n)
          const document = decodeDocument(name, value)
          await scripts.run('indexDocument', collection, name, document ? expiryScore(document) : '')
        }),
      )
  }

  while ((await redis.call('SET', lock, instance, 'NX', 'PX', LOCK_MS)) === null) await wait(LOOK_MS)
  try {
    const indexed = await redis.call('HGET', `${prefix}about`, 'indexed')
    if (indexed === INDEXED) return 0
    if ((await scripts.run<number>('living')) > 0) {
      if (indexed !== null) return null
      throw new MadhavaError(
        'STORE_UNAVAILABLE',
        'The sets in Redis are to be made anew, which cannot be done while other processes use them: stop all of them first',
      )
    }
    // if this process dies now, nobody takes what is left of them for whole
    await redis.call('HDEL', `${prefix}about`, 'indexed')
    await scan(`${prefix}*`, async keys => {
      const derived = keys.filter(key => {
        const name = key.slice(prefix.length)
        return DERIVED.test(name) || DERIVED_OF_DOCUMENTS.test(name)
      })
      if (derived.length > 0) await redis.call('UNLINK', ...derived)
    })
    let found = 0
    await scan(`${prefix}task:*`, async keys => {
      for (let from = 0; from < keys.length; from += BATCH)
        await Promise.all(
          keys.slice(from, from + BATCH).map(async key => {
            const json = (await redis.call('GET', key)) as string | null
            const task = decodeIfSound(json ?? '')
            if (!task) return
            await scripts.run('index', task.id, JSON.stringify(planOf(null, task)))
            found += 1
          }),
        )
    })
    await scan(`${prefix}documents:*`, async keys => {
      for (const key of keys) await indexCollection(key)
    })
    await redis.call('HSET', `${prefix}about`, 'indexed', INDEXED)
    return found
  } finally {
    await redis.call('UNLINK', lock)
  }
}
