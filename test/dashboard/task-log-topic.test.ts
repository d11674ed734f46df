// The topic of a task's log: what comes after a line, resumed without a lost or doubled one, also after a retry by hand.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { BLOBS } from '../../src/core/content.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { start, succeed } from '../../src/core/moves.ts'
import { encodeLog, isGap } from '../../src/core/task-log.ts'
import { type LogNews, taskLogTopic } from '../../src/dashboard/stream/task-log-topic.ts'
import type { TopicEvent } from '../../src/dashboard/stream/topic.ts'
import { createFixture, type Fixture } from '../api/fixture.ts'
import { person } from '../support/actors.ts'

const ACTOR = person('operator', 'admin', 'dashboard')
const now = (): string => new Date().toISOString()

describe('the topic of a log', { timeout: 300_000 }, () => {
  let fixture: Fixture
  let leaving: AbortController
  beforeEach(() => {
    fixture = createFixture()
    leaving = new AbortController()
  })
  afterEach(async () => {
    leaving.abort()
    await fixture.close()
  })

  /** Writes the log as a worker does: whole, each time. */
  const write = (id: string, last: number, attempt = 1) =>
    fixture.store.putBlob(
      id,
      BLOBS.log,
      Buffer.from(
        encodeLog({
          last,
          lines: Array.from({ length: last }, (_, at) => ({
            n: at + 1,
            at: now(),
            attempt,
            level: 'info' as const,
            text: `line ${at + 1}`,
          })),
        }),
      ),
    )
  const claim = async (id: string) => {
    const claimed = await fixture.store.claim(id, start('worker', now()))
    assert.ok(claimed)
    return claimed
  }
  const open = (argument: string, since: string | null = null) => {
    const topic = taskLogTopic(fixture.service)({ argument, since, actor: ACTOR, signal: leaving.signal })
    let place = since
    return {
      topic,
      place: () => place,
      /** The numbers of lines up to so many, or up to the end of the task. */
      async read(until: number | 'end'): Promise<number[]> {
        const numbers: number[] = []
        for (;;) {
          const { value, done } = await topic.next()
          assert.ok(!done)
          for (const event of value as TopicEvent[]) {
            place = event.place ?? place
            const { entries, ended } = event.data as LogNews
            for (const entry of entries) if (!isGap(entry)) numbers.push(entry.n)
            if (until === 'end' ? ended : numbers.at(-1) === until) return numbers
          }
        }
      },
    }
  }

  it('tells what comes after the line that the page has, up to the end and through a retry', async () => {
    const { id } = await fixture.submit('echo', 1)
    const claimed = await claim(id)
    await write(id, 3)
    const stream = open(`${id}:2`)
    assert.deepEqual(await stream.read(3), [3])
    await write(id, 5)
    assert.deepEqual(await stream.read(5), [4, 5])
    await fixture.store.move(id, claimed.claim, succeed(1, null, now()))
    assert.deepEqual(await stream.read('end'), [])
    await fixture.service.retry(ACTOR, id)
    await claim(id)
    await write(id, 6)
    assert.deepEqual(await stream.read(6), [6])
  })

  it('goes on where it was, with no line lost or doubled, also after the end', async () => {
    const { id } = await fixture.submit('echo', 1)
    const claimed = await claim(id)
    await write(id, 4)
    const first = open(id)
    assert.deepEqual(await first.read(4), [1, 2, 3, 4])
    await first.topic.return()
    await write(id, 500)
    const second = open(id, first.place())
    const more = await second.read(500)
    assert.deepEqual([more[0], more.length], [5, 496])
    await fixture.store.move(id, claimed.claim, succeed(1, null, now()))
    await second.read('end')
    const third = open(id, second.place())
    assert.deepEqual(await third.read('end'), [])
  })

  it('ends with the error of a task that is not there', async () => {
    const stream = open('0190a2b8-7b3c-7def-8123-456789abcdef')
    await assert.rejects(
      stream.topic.next(),
      (error: unknown) => error instanceof MadhavaError && error.code === 'TASK_NOT_FOUND',
    )
  })
})
