// A look from outside at who uses the store.
import type { SeenPresence } from '../../core/store.ts'
import { connectRedis } from '../../platform/redis.ts'
import type { RedisPlace } from '../../platform/redis-url.ts'
import { redisError } from './errors.ts'
import { readPresences } from './leases.ts'
import { createScripts } from './scripts.ts'

const PATIENCE_MS = 10_000

/** The presences of all processes: this one is not announced, nothing stays open. @throws STORE_UNAVAILABLE */
export const seeRedisPresences = async ({
  place,
  prefix,
}: {
  place: RedisPlace
  prefix: string
}): Promise<SeenPresence[]> => {
  const connection = connectRedis(place, 'madhava-look')
  try {
    await connection.ready(PATIENCE_MS)
    return await readPresences(createScripts(connection, `${prefix}:`))
  } catch (error) {
    throw redisError(error, connection.lastError())
  } finally {
    connection.close()
  }
}
