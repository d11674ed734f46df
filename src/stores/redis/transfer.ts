// Export from Redis, import into it, and the comparison of the two: others may use it meanwhile.
import { silentLog } from '../../platform/log.ts'
import { connectRedis } from '../../platform/redis.ts'
import { type ExportOptions, exportStore } from '../shared/export.ts'
import { type ImportOptions, type ImportSummary, importAll } from '../shared/import.ts'
import { type VerifyOptions, type VerifySummary, verifyAll } from '../shared/verify.ts'
import { openRedisStore, type RedisStoreOptions } from './open.ts'
import { keyHash } from './records.ts'

export type RedisTarget = Pick<RedisStoreOptions, 'place' | 'prefix' | 'clock'>

/** For the connection that the keys are read over; the store's own has been made by then. */
const PATIENCE_MS = 10_000

/** `<id> <fingerprint as JSON>`, as the scripts keep it. */
const readFingerprint = (id: string, value: string | null): string | null => {
  if (value === null || !value.startsWith(`${id} `)) return null
  const fingerprint: unknown = JSON.parse(value.slice(id.length + 1))
  return typeof fingerprint === 'string' ? fingerprint : null
}

/** The lines of an export. @throws STORE_UNAVAILABLE */
export async function* exportRedis(target: RedisTarget, options: ExportOptions): AsyncGenerator<string> {
  const store = await openRedisStore({ ...target, log: silentLog() })
  const connection = connectRedis(target.place, 'madhava-export')
  try {
    // commands that come before that fail at once
    await connection.ready(PATIENCE_MS)
    yield* exportStore(store, {
      ...options,
      clock: target.clock,
      async fingerprintOf(record) {
        const hash = keyHash(record)
        if (hash === '') return null
        const value = await connection.call('GET', `${target.prefix}:key:${hash}`)
        return readFingerprint(record.id, value as string | null)
      },
    })
  } finally {
    connection.close()
    await store.close()
  }
}

/** @throws STORE_UNAVAILABLE */
export const importRedis = async (target: RedisTarget, options: ImportOptions): Promise<ImportSummary> => {
  const store = await openRedisStore({ ...target, log: silentLog() })
  try {
    return await importAll(store, { ...options, refusal: () => null, clock: target.clock })
  } finally {
    await store.close()
  }
}

/** @throws STORE_UNAVAILABLE */
export const verifyRedis = async (target: RedisTarget, options: VerifyOptions): Promise<VerifySummary> => {
  const store = await openRedisStore({ ...target, log: silentLog() })
  try {
    return await verifyAll(store, options)
  } finally {
    await store.close()
  }
}
