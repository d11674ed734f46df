// Worlds for suites that run on every store: in memory, in a folder of their own, on a private Redis.
import { randomBytes } from 'node:crypto'
import { promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TaskStore } from '../../src/core/store.ts'
import { createMemory } from '../../src/stores/memory/open.ts'
import type { PrivateRedis } from '../support/redis.ts'
import { openPlace, type StorePlace } from '../support/store-place.ts'
import type { StoreWorld } from './store/world.ts'
import { loseAt, type ProcessWorld } from './store-processes.ts'

const worldAt = (place: StorePlace, end: () => Promise<unknown>): ProcessWorld => {
  const stores: TaskStore[] = []
  return {
    place,
    async open() {
      const store = await openPlace(place)
      stores.push(store)
      return store
    },
    lose: ids => loseAt(place, ids),
    async end() {
      await Promise.all(stores.map(store => store.close()))
      await end()
    },
  }
}

export const inFiles = async (): Promise<ProcessWorld> => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'madhava-world-'))
  return worldAt({ adapter: 'files', dir }, () => fs.rm(dir, { recursive: true, force: true }))
}

export const inMemory = async (): Promise<StoreWorld> => {
  const memory = createMemory()
  const stores: TaskStore[] = []
  return {
    async open() {
      const store = memory.open({ clock: () => new Date() })
      stores.push(store)
      return store
    },
    lose: () => Promise.reject(new Error('no process is lost here')),
    async end() {
      await Promise.all(stores.map(store => store.close()))
    },
  }
}

/** Each under a prefix of its own; its end empties the whole server. */
export const inRedis = async (redis: PrivateRedis): Promise<ProcessWorld> => {
  const prefix = `t${randomBytes(4).toString('hex')}`
  return worldAt({ adapter: 'redis', url: redis.url, prefix }, () => redis.cli('FLUSHALL'))
}
