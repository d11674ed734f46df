// Dead messages without a broker: none leaves one queue before it is safe in the other.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Message } from 'amqplib'
import { isMadhavaError } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createDeadLetters } from '../../../src/queues/rabbitmq/dead-letters.ts'
import { createFakeSession, type Published } from '../../support/fake-amqp.ts'
import { until } from '../../support/until.ts'

const OUTER = { timeout: 300_000 }
const [FIRST, SECOND, THIRD] = [1, 2, 3].map(n => `0190f3a1-7c5e-7b3a-9d2f-00000000000${n}`) as [
  string,
  string,
  string,
]

const garbage = () =>
  ({ content: Buffer.from('garbage'), properties: { headers: {} }, fields: {} }) as Message

const open = (names: readonly string[] | null = [FIRST, SECOND, THIRD]) => {
  const broker = createFakeSession({
    queues: names ? { 'tasks.dead': names.map(messageId => [`words of ${messageId}`, { messageId }]) } : {},
  })
  const dead = createDeadLetters({
    queue: 'tasks',
    log: silentLog(),
    session: () => broker.session,
    clock: () => new Date(),
  })
  const ids = async (): Promise<string[]> => (await dead.list(10)).messages.map(({ id }) => id)
  return { broker, dead, ids }
}

describe('a replay', () => {
  it('ends, and its message leaves the dead ones, when the broker has it in the queue', OUTER, async () => {
    const { broker, dead, ids } = open()
    let ended = false
    const replayed = dead.replay(SECOND).finally(() => {
      ended = true
    })
    await until('it is sent', () => broker.published.length === 1)
    for (let n = 0; n < 5; n += 1) await turn()
    assert.deepEqual([ended, broker.answers], [false, []])
    assert.deepEqual([broker.published[0]?.queue, broker.published[0]?.text], ['tasks', `words of ${SECOND}`])
    broker.published[0]?.confirm()
    assert.equal(await replayed, true)
    assert.deepEqual(broker.answers, ['ack 2'])
    assert.deepEqual(await ids(), [FIRST, THIRD])
    assert.equal(await dead.replay(SECOND), false)
  })

  const fates: Record<string, (sent: Published) => void> = {
    'the broker refuses': sent => sent.confirm(new Error('reject-publish')),
    'finds no queue': sent => sent.giveBack(),
  }
  for (const [what, befall] of Object.entries(fates))
    it(`of a message that ${what} is QUEUE_UNAVAILABLE, and the message stays`, OUTER, async () => {
      const { broker, dead, ids } = open()
      const replayed = dead.replay(FIRST)
      replayed.catch(() => {})
      await until('it is sent', () => broker.published.length === 1)
      const [sent] = broker.published
      assert.ok(sent)
      befall(sent)
      await assert.rejects(replayed, error => isMadhavaError(error, 'QUEUE_UNAVAILABLE'))
      assert.deepEqual(broker.answers, [])
      assert.deepEqual(await ids(), [FIRST, SECOND, THIRD])
    })
})

describe('the dead messages', () => {
  it(
    'are kept when the broker has them, and not before; one that it refuses is not kept',
    OUTER,
    async () => {
      const { broker, dead } = open()
      const message = garbage()
      let ended = false
      const kept = dead.bury(message, 'It is not JSON').then(() => {
        ended = true
      })
      await until('it is sent', () => broker.published.length === 1)
      for (let n = 0; n < 5; n += 1) await turn()
      assert.deepEqual([ended, broker.published[0]?.queue], [false, 'tasks.dead'])
      broker.published[0]?.confirm()
      await kept
      const refused = dead.bury(message, 'It is not JSON')
      refused.catch(() => {})
      await until('it is sent', () => broker.published.length === 2)
      broker.published[1]?.confirm(new Error('reject-publish'))
      await assert.rejects(refused, /reject-publish/)
    },
  )

  it('have their queue made again when it was deleted, and the next one is kept', OUTER, async () => {
    const { broker, dead } = open()
    const message = garbage()
    const bury = async (befall: (sent: Published) => void): Promise<void> => {
      const before = broker.published.length
      const kept = dead.bury(message, 'It is not JSON')
      kept.catch(() => {})
      await until('it is sent', () => broker.published.length > before)
      befall(broker.published[before] as Published)
      await kept
    }
    await bury(sent => sent.confirm())
    await bury(sent => sent.confirm())
    assert.deepEqual(broker.declared, ['tasks.dead'])
    await assert.rejects(
      bury(sent => sent.giveBack()),
      /there is no queue/,
    )
    await bury(sent => sent.confirm())
    assert.deepEqual(broker.declared, ['tasks.dead', 'tasks.dead'])
  })

  it('are listed up to the limit, with how many there are, and all stay', OUTER, async () => {
    const { broker, dead } = open()
    for (const [limit, seen] of [
      [1, [FIRST]],
      [2, [FIRST, SECOND]],
      [3, [FIRST, SECOND, THIRD]],
      [4, [FIRST, SECOND, THIRD]],
    ] as const) {
      const { messages, total } = await dead.list(limit)
      assert.deepEqual([messages.map(({ id }) => id), total], [seen, 3], `limit ${limit}`)
    }
    assert.deepEqual(broker.answers, [])
  })

  it('are discarded one by one: the others stay', OUTER, async () => {
    const { dead, ids } = open()
    assert.equal(await dead.discard(THIRD), true)
    assert.equal(await dead.discard(THIRD), false)
    assert.deepEqual(await ids(), [FIRST, SECOND])
  })

  it(
    'are counted from the first one on, though there was no queue for them a moment before',
    OUTER,
    async () => {
      const { broker, dead } = open(null)
      assert.deepEqual([await dead.count(), await dead.list(10)], [0, { messages: [], total: 0 }])
      for (const count of [1, 2]) {
        const kept = dead.bury(garbage(), 'It is not JSON')
        await until('it is sent', () => broker.published.length === count)
        broker.published.at(-1)?.confirm()
        await kept
        assert.equal(await dead.count(), count)
      }
    },
  )

  it('leave no channel behind, however often they are asked for', OUTER, async () => {
    const { broker, dead } = open()
    const ask = async (): Promise<void> => {
      await dead.list(1)
      await dead.count()
      assert.equal(await dead.discard('nobody'), false)
      const replayed = dead.replay(FIRST)
      const before = broker.published.length
      await until('it is sent', () => broker.published.length > before)
      broker.published.at(-1)?.confirm(new Error('reject-publish'))
      await assert.rejects(replayed)
    }
    await ask()
    // those that count and publish stay
    const channels = broker.channels()
    for (let round = 0; round < 3; round += 1) await ask()
    assert.equal(broker.channels(), channels)
  })
})
