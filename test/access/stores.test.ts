// The room access on every store, over several processes.
import { randomBytes } from 'node:crypto'
import { promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe } from 'node:test'
import type { TaskStore } from '../../src/core/store.ts'
import { createMemory } from '../../src/stores/memory/open.ts'
import { accessSuite } from '../suites/access.ts'
import { accessKillsSuite } from '../suites/access-kills.ts'
import { signInKillsSuite, signInSuite } from '../suites/sign-in.ts'
import type { StoreWorld } from '../suites/store/world.ts'
import { loseAt, type ProcessWorld } from '../suites/store-processes.ts'
import { type PrivateRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/services.ts'
import { openPlace, type StorePlace } from '../support/store-place.ts'

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

const inFiles = async (): Promise<ProcessWorld> => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'madhava-access-'))
  return worldAt({ adapter: 'files', dir }, () => fs.rm(dir, { recursive: true, force: true }))
}

const inMemory = async (): Promise<StoreWorld> => {
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
accessSuite('memory', inMemory)
signInSuite('memory', inMemory)
accessSuite('files', inFiles)
signInSuite('files', inFiles)
signInKillsSuite('files', inFiles)
accessKillsSuite('files', inFiles)

describe('on a private Redis', { skip: requireService('redis') }, () => {
  let redis: PrivateRedis
  before(async () => {
    redis = await startRedis({ settings: { appendonly: 'yes', appendfsync: 'everysec' } })
  })
  after(() => redis?.remove())
  const inRedis = async (): Promise<ProcessWorld> => {
    const prefix = `t${randomBytes(4).toString('hex')}`
    return worldAt({ adapter: 'redis', url: redis.url, prefix }, () => redis.cli('FLUSHALL'))
  }
  accessSuite('redis', inRedis)
  accessKillsSuite('redis', inRedis)
  signInSuite('redis', inRedis)
  signInKillsSuite('redis', inRedis)
})
