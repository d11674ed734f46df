// The tasks of deleted accounts, on every store.
import { after, before, describe } from 'node:test'
import { accountTasksKillsSuite, accountTasksSuite } from '../suites/account-tasks.ts'
import { inFiles, inMemory, inRedis } from '../suites/store-worlds.ts'
import { type PrivateRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/services.ts'

accountTasksSuite('memory', inMemory)
accountTasksSuite('files', inFiles)
accountTasksKillsSuite('files', inFiles)

describe('on a private Redis', { skip: requireService('redis') }, () => {
  let redis: PrivateRedis
  before(async () => {
    redis = await startRedis({ settings: { appendonly: 'yes', appendfsync: 'everysec' } })
  })
  after(() => redis?.remove())
  accountTasksSuite('redis', () => inRedis(redis))
  accountTasksKillsSuite('redis', () => inRedis(redis))
})
