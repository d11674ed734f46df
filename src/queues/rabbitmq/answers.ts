// The answers to the messages of one channel. Acknowledgements that come together go as one: the broker's numbers rise
// by one with each message, and one frame can acknowledge all up to a number.
import type { Channel, ConsumeMessage } from 'amqplib'

export interface ChannelAnswers {
  /** Done with for good. Told to the broker at the end of this turn of the event loop. */
  acknowledge(message: ConsumeMessage): void
  /** Another consumer may have it. */
  giveBack(message: ConsumeMessage): void
  /** Tells now what was not told yet. */
  flush(): void
}

/** `on` runs what may throw on a dead channel. */
export const createAnswers = (channel: Channel, on: (give: () => void) => void): ChannelAnswers => {
  /** All messages up to this number are answered, and of those above it these. */
  let upTo = 0
  const above = new Set<number>()
  /** Answered and not told yet, in the order of answering. */
  let untold: number[] = []

  const tell = (tag: number, all: boolean): void =>
    channel.ack({ fields: { deliveryTag: tag } } as ConsumeMessage, all)

  const flush = (): void => {
    const tags = untold
    untold = []
    if (tags.length === 0) return
    while (above.delete(upTo + 1)) upTo += 1
    const below = tags.filter(tag => tag <= upTo)
    on(() => {
      // the highest of them and not `upTo`: the broker must not have heard of that one before
      if (below.length > 0) tell(Math.max(...below), true)
      for (const tag of tags) if (tag > upTo) tell(tag, false)
    })
  }

  return {
    acknowledge({ fields: { deliveryTag } }) {
      above.add(deliveryTag)
      if (untold.push(deliveryTag) === 1) setImmediate(flush)
    },
    giveBack(message) {
      above.add(message.fields.deliveryTag)
      on(() => channel.nack(message, false, true))
    },
    flush,
  }
}
