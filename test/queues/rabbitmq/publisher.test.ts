// The outbox without a broker: what is announced is sent until its own sending is confirmed.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { silentLog } from '../../../src/platform/log.ts'
import { createPublisher, OUTBOX_CAPACITY } from '../../../src/queues/rabbitmq/publisher.ts'
import { createFakeSession } from '../../support/fake-amqp.ts'
import { undo } from '../../support/undo.ts'
import { until } from '../../support/until.ts'

const OUTER = { timeout: 300_000 }
const WINDOW = 500

const open = async (t: TestContext, over: { confirmTimeoutMs?: number; blocked?: () => boolean } = {}) => {
  const publisher = createPublisher({
    queue: 'tasks',
    log: silentLog(),
    confirmTimeoutMs: 60_000,
    blocked: () => false,
    ...over,
  })
  undo(t, () => publisher.close())
  const first = createFakeSession()
  await publisher.attach(first.session)
  const announce = (id: string): void => publisher.announce({ id, kind: 'k' })
  return { publisher, first, announce }
}
const idsOf = ({ published }: ReturnType<typeof createFakeSession>): unknown[] =>
  published.map(({ options }) => options.messageId)

describe('the outbox', () => {
  it(
    'sends a message that came back once more, and takes no confirm of the first sending for it',
    OUTER,
    async t => {
      const { publisher, first, announce } = await open(t)
      announce('a')
      const [sent] = first.published
      // back, and confirmed as such: it waits
      sent?.giveBack()
      assert.equal(publisher.size(), 1)
      await until('it was sent again', () => first.published.length === 2)
      assert.deepEqual(first.declared, ['tasks', 'tasks'], 'the queue was made anew')
      sent?.confirm()
      assert.equal(publisher.size(), 1, 'an old confirm counted')
      first.published[1]?.confirm()
      assert.equal(publisher.size(), 0)
    },
  )

  it('is flushed when two messages of one task that came back have gone out as one', OUTER, async t => {
    const { publisher, first, announce } = await open(t)
    announce('a')
    announce('a')
    assert.equal(first.published.length, 2, 'announced while it was on its way')
    const flushed = publisher.flush(20_000)
    first.published[0]?.giveBack()
    await until('one was sent again', () => first.published.length === 3)
    assert.equal(publisher.size(), 1)
    first.published[2]?.confirm()
    assert.equal(await flushed, true)
  })

  it(
    'sends what the broker refuses again, and what a session left unconfirmed in the next, in order',
    OUTER,
    async t => {
      const { publisher, first, announce } = await open(t)
      for (const id of ['a', 'b', 'c']) announce(id)
      first.published[0]?.confirm(new Error('no'))
      assert.deepEqual(idsOf(first), ['a', 'b', 'c', 'a'])
      first.published[1]?.confirm()
      let flushed = false
      const flushing = publisher.flush(20_000).then(done => {
        flushed = done
      })
      first.published[3]?.giveBack()
      // the queue is being made anew: these wait
      announce('d')
      announce('d')
      first.end()
      assert.equal(publisher.size(), 3)
      // too late: the message may be lost with the connection
      first.published[2]?.confirm()
      await turn()
      assert.deepEqual([publisher.size(), flushed], [3, false])
      const second = createFakeSession()
      await publisher.attach(second.session)
      assert.deepEqual(idsOf(second), ['c', 'a', 'd'])
      for (const { confirm } of second.published) confirm()
      assert.equal(publisher.size(), 0)
      await flushing
      assert.equal(flushed, true)
    },
  )

  it('has a bounded number of messages on the way, and drops what is too much', OUTER, async t => {
    const { publisher, first, announce } = await open(t)
    for (let n = 0; n <= WINDOW; n += 1) announce(`${n}`)
    assert.equal(first.published.length, WINDOW)
    first.published[0]?.confirm()
    assert.deepEqual([first.published.length, publisher.size()], [WINDOW + 1, WINDOW])
    for (let n = publisher.size(); n < OUTBOX_CAPACITY; n += 1) announce(`more ${n}`)
    assert.equal(publisher.size(), OUTBOX_CAPACITY)
    announce('one too many')
    assert.equal(publisher.size(), OUTBOX_CAPACITY)
    first.published[1]?.confirm()
    announce('there is room again')
    assert.equal(publisher.size(), OUTBOX_CAPACITY)
  })

  it('says when all that was announced so far is confirmed, and when it is not in time', OUTER, async t => {
    const { publisher, first, announce } = await open(t)
    assert.equal(await publisher.flush(0), true)
    announce('a')
    announce('b')
    assert.equal(await publisher.flush(1), false)
    const flushed = publisher.flush(20_000)
    announce('later')
    first.published[1]?.confirm()
    first.published[0]?.confirm()
    assert.equal(await flushed, true)
    assert.equal(publisher.size(), 1)
  })

  it('gives a session up whose broker leaves a message unconfirmed, unless it is blocked', OUTER, async t => {
    let blocked = true
    let looks = 0
    const { publisher, first, announce } = await open(t, {
      confirmTimeoutMs: 5,
      blocked() {
        looks += 1
        return blocked
      },
    })
    announce('a')
    await until('it was looked at', () => looks >= 3)
    assert.deepEqual([first.failures, publisher.trouble()], [[], null])
    blocked = false
    await until('it is given up', () => first.failures.length > 0)
    assert.match(publisher.trouble() ?? '', /no confirm within .* has the queue tasks a leader/)
    const second = createFakeSession()
    await publisher.attach(second.session)
    second.published[0]?.confirm()
    assert.deepEqual([publisher.trouble(), publisher.size()], [null, 0])
  })

  it('takes and sends nothing after its close', OUTER, async t => {
    const { publisher, first, announce } = await open(t)
    announce('a')
    publisher.close()
    announce('b')
    assert.equal(publisher.size(), 1)
    first.published[0]?.confirm(new Error('no'))
    assert.deepEqual(idsOf(first), ['a'])
  })
})
