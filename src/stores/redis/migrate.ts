// What this version would change in a store in Redis, and the change itself.
import { MadhavaError } from '../../core/errors.ts'
import { silentLog } from '../../platform/log.ts'
import { connectRedis } from '../../platform/redis.ts'
import { type MigrateOptions, upgradeDocuments } from '../shared/upgrade-documents.ts'
import { createDocuments } from './documents.ts'
import { redisError } from './errors.ts'
import { FORMAT, formatTrouble, INDEXED } from './format.ts'
import { openRedisStore } from './open.ts'
import { createScripts } from './scripts.ts'
import type { RedisTarget } from './transfer.ts'

const PATIENCE_MS = 10_000

/** The format of the store, the version that wrote it and the sets that are whole; null where there is no store yet. */
const readAbout = async (
  call: (...args: [string, ...string[]]) => Promise<unknown>,
  prefix: string,
): Promise<{ format: string; writtenBy: string; indexed: string } | null> => {
  const flat = (await call('HGETALL', `${prefix}:about`)) as string[]
  const about = new Map(flat.flatMap((name, n) => (n % 2 === 0 ? [[name, flat[n + 1] ?? ''] as const] : [])))
  const format = about.get('format')
  if (format === undefined) return null
  return { format, writtenBy: about.get('writtenBy') ?? '', indexed: about.get('indexed') ?? '' }
}

/** Without `apply` it writes nothing at all. @throws STORE_UNAVAILABLE */
export const migrateRedis = async (target: RedisTarget, options: MigrateOptions): Promise<void> => {
  const { place, prefix } = target
  const connection = connectRedis(place, 'madhava-migrate')
  try {
    await connection.ready(PATIENCE_MS)
    const about = await readAbout(connection.call, prefix)
    if (!about) return
    const { format, writtenBy, indexed } = about
    if (!(Number(format) >= 1 && Number(format) <= FORMAT))
      throw new MadhavaError('STORE_UNAVAILABLE', formatTrouble(prefix, format, writtenBy))
    if (Number(format) < FORMAT)
      options.onChange({
        place: `${prefix}:about`,
        text: `a store of format ${format} becomes one of format ${FORMAT}`,
      })
    if (indexed !== INDEXED)
      options.onChange({ place: `${prefix}:about`, text: 'the sets are made anew from the records' })
    if (options.apply) {
      const store = await openRedisStore({ ...target, log: silentLog() })
      try {
        await upgradeDocuments(store.documents, store.documents.put, options)
      } finally {
        await store.close()
      }
    } else {
      const scripts = createScripts(connection, `${prefix}:`)
      const documents = createDocuments({ scripts, readValue: async () => null })
      await upgradeDocuments(documents, null, options)
    }
  } catch (error) {
    throw redisError(error, connection.lastError())
  } finally {
    connection.close()
  }
}
