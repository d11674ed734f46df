// The tasks in a Redis, for several hosts.
import { describePlace, type RedisPlace } from '../../platform/redis-url.ts'
import type { StoreAdapter } from '../shared/adapter.ts'

/** @param settings `prefix` begins every key, with a colon after it */
export const redisAdapter = (settings: { place: RedisPlace; prefix: string }): StoreAdapter => {
  const target = { ...settings, clock: () => new Date() }
  return {
    place: `${describePlace(settings.place)} ${settings.place.db} ${settings.prefix}`,
    isShared: true,
    async open({ sharedClock, log }) {
      const { openRedisStore } = await import('./open.ts')
      return openRedisStore({ ...settings, clock: sharedClock.now, sharedClock, log })
    },
    async presences() {
      const { seeRedisPresences } = await import('./see-presences.ts')
      return seeRedisPresences(settings)
    },
    async *exportTasks(options) {
      const { exportRedis } = await import('./transfer.ts')
      yield* exportRedis(target, options)
    },
    async importTasks(options) {
      const { importRedis } = await import('./transfer.ts')
      return importRedis(target, options)
    },
    async migrate(options) {
      const { migrateRedis } = await import('./migrate.ts')
      return migrateRedis(target, options)
    },
    async verifyTasks(options) {
      const { verifyRedis } = await import('./transfer.ts')
      return verifyRedis(target, options)
    },
  }
}
