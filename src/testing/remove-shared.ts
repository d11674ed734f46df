// Takes away what a started Madhava has made in a Redis or a RabbitMQ that the test has lent it: its keys, which begin
// with a prefix of its own, and its queues.
import type { Config } from '../config.ts'

/** How many keys one step looks at. */
const STEP = 1_000
const READY_MS = 5_000

/** A prefix in the language of SCAN. */
const asPattern = (prefix: string): string => `${prefix.replace(/[\\*?[\]]/g, '\\$&')}:*`

const removeKeys = async ({ place, prefix }: NonNullable<Config['redis']>): Promise<void> => {
  const { connectRedis } = await import('../platform/redis.ts')
  const connection = connectRedis(place, 'madhava-test-end')
  try {
    await connection.ready(READY_MS)
    let cursor = '0'
    do {
      const answer = await connection.call('SCAN', cursor, 'MATCH', asPattern(prefix), 'COUNT', STEP)
      const [next, keys] = answer as [string, string[]]
      if (keys.length > 0) await connection.call('UNLINK', ...keys)
      cursor = next
    } while (cursor !== '0')
  } finally {
    connection.close()
  }
}

const removeQueues = async ({
  amqpUrls,
  amqpQueue,
}: Pick<Config, 'amqpUrls' | 'amqpQueue'>): Promise<void> => {
  const { connect } = await import('amqplib')
  const [url = ''] = amqpUrls
  const connection = await connect(url, { timeout: READY_MS })
  connection.on('error', () => {})
  try {
    const channel = await connection.createChannel()
    for (const queue of [amqpQueue, `${amqpQueue}.dead`]) await channel.deleteQueue(queue)
  } finally {
    await connection.close()
  }
}

/**
 * @param config whose prefix and queue are this Madhava's own
 * @param removes which of both are
 * Never rejects: a store that is away keeps its keys, and that is no reason to stay.
 */
export const removeShared = async (
  config: Config,
  removes: { keys: boolean; queues: boolean },
): Promise<void> => {
  await Promise.allSettled([
    removes.keys && config.redis ? removeKeys(config.redis) : null,
    removes.queues && config.amqpUrls.length > 0 ? removeQueues(config) : null,
  ])
}
