// The room access on every store, over several processes.
import { after, before, describe } from 'node:test'
import { accessSuite } from '../suites/access.ts'
import { accessKillsSuite } from '../suites/access-kills.ts'
import { signInKillsSuite, signInSuite } from '../suites/sign-in.ts'
import { inFiles, inMemory, inRedis } from '../suites/store-worlds.ts'
import { type PrivateRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/services.ts'

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
  accessSuite('redis', () => inRedis(redis))
  accessKillsSuite('redis', () => inRedis(redis))
  signInSuite('redis', () => inRedis(redis))
  signInKillsSuite('redis', () => inRedis(redis))
})
