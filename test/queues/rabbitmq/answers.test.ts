// Acknowledgements that go together: the broker hears of every message exactly once, and of none that is still worked on.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Channel, ConsumeMessage } from 'amqplib'
import fc from 'fast-check'
import { createAnswers } from '../../../src/queues/rabbitmq/answers.ts'

/** What a broker makes of the frames of one channel on which `count` messages were delivered. */
const createBroker = (count: number) => {
  const unanswered = new Set(Array.from({ length: count }, (_, place) => place + 1))
  const acknowledged = new Set<number>()
  let frames = 0
  const take = (tag: number): void => {
    assert.ok(unanswered.delete(tag), `${tag} is answered already: a broker would close the channel`)
  }
  const tagOf = ({ fields }: Pick<ConsumeMessage, 'fields'>): number => fields.deliveryTag
  const channel: Pick<Channel, 'ack' | 'nack'> = {
    ack(message, all) {
      frames += 1
      const tag = tagOf(message as ConsumeMessage)
      const tags = all ? [...unanswered].filter(one => one <= tag) : [tag]
      assert.ok(tags.includes(tag), `${tag} is answered already: a broker would close the channel`)
      for (const one of tags) {
        take(one)
        acknowledged.add(one)
      }
    },
    nack: message => take(tagOf(message as ConsumeMessage)),
  }
  return { channel: channel as Channel, unanswered, acknowledged, frames: () => frames }
}
const messageOf = (deliveryTag: number) => ({ fields: { deliveryTag } }) as ConsumeMessage

describe('answers to messages', () => {
  it('tell of each message once, in whatever order they come', async () => {
    const step = fc.record({ pick: fc.nat(), what: fc.constantFrom('ack', 'ack', 'ack', 'nack', 'turn') })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
        const broker = createBroker(40)
        const answers = createAnswers(broker.channel, give => give())
        const open = Array.from({ length: 40 }, (_, place) => place + 1)
        const expected = new Set<number>()
        for (const { pick, what } of steps) {
          if (what === 'turn') await turn()
          // near the oldest, as tasks end
          const [tag] = what === 'turn' ? [] : open.splice(pick % Math.min(8, open.length || 1), 1)
          if (tag === undefined) continue
          if (what === 'ack') expected.add(tag)
          if (what === 'ack') answers.acknowledge(messageOf(tag))
          else answers.giveBack(messageOf(tag))
        }
        await turn()
        assert.deepEqual([...broker.acknowledged].sort(), [...expected].sort())
        assert.deepEqual(
          [...broker.unanswered].sort((a, b) => a - b),
          open,
        )
      }),
    )
  })

  it('take one frame for all that come together, and none when there are none', async () => {
    const broker = createBroker(64)
    const answers = createAnswers(broker.channel, give => give())
    for (let tag = 64; tag >= 1; tag -= 1) answers.acknowledge(messageOf(tag))
    await turn()
    assert.deepEqual([broker.frames(), broker.unanswered.size], [1, 0])
    answers.flush()
    assert.equal(broker.frames(), 1)
  })

  it('go together behind one that was given back', async () => {
    const broker = createBroker(64)
    const answers = createAnswers(broker.channel, give => give())
    answers.giveBack(messageOf(1))
    for (let tag = 2; tag <= 64; tag += 1) answers.acknowledge(messageOf(tag))
    await turn()
    assert.deepEqual([broker.frames(), broker.unanswered.size], [1, 0])
  })
})
