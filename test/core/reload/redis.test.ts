// Reloads over a Redis.

import { reloadSuite } from '../../suites/reload.ts'
import { startRedis } from '../../support/redis.ts'
import { requireService } from '../../support/services.ts'
import { undo } from '../../support/undo.ts'

reloadSuite('Redis', {
  skip: requireService('redis'),
  async place(t) {
    const redis = await startRedis()
    undo(t, () => redis.remove())
    return { adapter: 'redis', url: `redis://127.0.0.1:${redis.port}`, prefix: 'reload' }
  },
})
