// Makes sure that the queue is there. It decides nothing about messages.
import type { AmqpSession } from '../../platform/amqp.ts'
import type { Log } from '../../platform/log.ts'

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : null

/**
 * Declares a durable quorum queue without a delivery limit (the store counts attempts). RabbitMQ 4 has a limit of 20
 * unless told otherwise; 3.x has none, and some of its versions refuse the argument. `bounds` are further arguments.
 * A queue that exists with other arguments, or that this user may not declare, is used as it is. @throws what the
 * broker answers, for example when the queue is not there and may not be made
 */
export const declareQueue = async (
  session: AmqpSession,
  queue: string,
  log: Log,
  bounds: Record<string, unknown> = {},
): Promise<void> => {
  const unlimited = Number.parseInt(session.brokerVersion, 10) >= 4 ? { 'x-delivery-limit': -1 } : {}
  const channel = await session.spareChannel()
  try {
    await channel.assertQueue(queue, {
      durable: true,
      arguments: { 'x-queue-type': 'quorum', ...unlimited, ...bounds },
    })
    await channel.close()
  } catch (error) {
    const code = codeOf(error)
    if (code !== 406 && code !== 403) throw error
    // the broker has closed the channel along with its refusal
    const second = await session.spareChannel()
    await second.checkQueue(queue)
    await second.close()
    log.warn(
      { queue, reason: error instanceof Error ? error.message : String(error) },
      'the queue exists with other arguments and is used as it is; delete it while it is empty to have it made anew',
    )
  }
}
