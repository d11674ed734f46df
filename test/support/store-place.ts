// Where a store lives, said in JSON so that a child process can open the same one.
import type { TaskStore } from '../../src/core/store.ts'
import { silentLog } from '../../src/platform/log.ts'
import { parseRedisUrl, type RedisPlace } from '../../src/platform/redis-url.ts'

export type StorePlace =
  /** `writerThread`: state files are written in a thread of their own, as in a worker. */
  | { adapter: 'files'; dir: string; writerThread?: boolean }
  | { adapter: 'redis'; url: string; prefix: string }

/** @throws Error for what is no URL of a Redis */
export const placeOf = (url: string): RedisPlace => {
  const place = parseRedisUrl(url)
  if (!place) throw new Error(`${url} is not the URL of a Redis`)
  return place
}

const clock = (): Date => new Date()

/** A store of its own instance on this place. */
export const openPlace = async (place: StorePlace): Promise<TaskStore> => {
  const log = silentLog()
  if (place.adapter === 'files') {
    const { openFilesStore } = await import('../../src/stores/files/open.ts')
    return openFilesStore({ dir: place.dir, clock, log, writerThread: place.writerThread ?? false })
  }
  const { openRedisStore } = await import('../../src/stores/redis/open.ts')
  return openRedisStore({ place: placeOf(place.url), prefix: place.prefix, clock, log })
}
