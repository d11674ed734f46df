// The Redis store against the contract of its port, over several processes too.
import { randomBytes } from 'node:crypto'
import { after, before, describe } from 'node:test'
import type { TaskStore } from '../../../src/core/store.ts'
import { auditProcessesSuite, auditSuite } from '../../suites/audit.ts'
import { documentsSuite } from '../../suites/documents.ts'
import { documentsProcessesSuite } from '../../suites/documents-processes.ts'
import { storeSuite } from '../../suites/store.ts'
import { loseAt, type ProcessStoreFactory, storeProcessesSuite } from '../../suites/store-processes.ts'
import { uploadsProcessesSuite, uploadsSuite } from '../../suites/upload-bytes.ts'
import { type PrivateRedis, startRedis } from '../../support/redis.ts'
import { assertOrder } from '../../support/redis-order.ts'
import { requireService } from '../../support/services.ts'
import { openPlace, type StorePlace } from '../../support/store-place.ts'

const skip = requireService('redis')
let redis: PrivateRedis

/** Each world has a prefix of its own on the one server. */
const openWorld: ProcessStoreFactory = async () => {
  const prefix = `t${randomBytes(4).toString('hex')}`
  const place: StorePlace = { adapter: 'redis', url: redis.url, prefix }
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
      // whatever a test did, killed processes and all: what is left fits together
      await assertOrder(redis.url, prefix)
      await redis.cli('FLUSHALL')
    },
  }
}

describe('on a private Redis', { skip }, () => {
  before(async () => {
    redis = await startRedis({ settings: { appendonly: 'yes', appendfsync: 'everysec' } })
  })
  after(() => redis?.remove())
  storeSuite('redis', openWorld)
  documentsSuite('redis', openWorld)
  documentsProcessesSuite('redis', openWorld)
  auditSuite('redis', openWorld)
  auditProcessesSuite('redis', openWorld)
  uploadsSuite('redis', openWorld)
  uploadsProcessesSuite('redis', openWorld)
  storeProcessesSuite('redis', openWorld)
})
