// The index of a process whose journals refuse an entry for a while, or were cut while it slept.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { silentLog } from '../../../src/platform/log.ts'
import { createLiveIndex } from '../../../src/stores/files/index/live-index.ts'
import type { Journals } from '../../../src/stores/files/log/journal.ts'
import type { JournalEntry } from '../../../src/stores/files/log/journal-files.ts'
import { newTask } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'

const MINUTE = 60_000

const setUp = (test: TestContext, over: Partial<Journals>) => {
  const journals: Journals = {
    append() {},
    read() {},
    readSome: () => false,
    begin: () => ({}),
    follow() {},
    end: () => ({}),
    filesOf: () => [],
    holds: () => true,
    cut() {},
    close() {},
    ...over,
  }
  const liveIndex = createLiveIndex({
    layout: { journal: '/nonexistent' },
    scanCache: { read: () => [] } as unknown as Parameters<typeof createLiveIndex>[0]['scanCache'],
    journals,
    clock: () => new Date(),
    log: silentLog(),
  })
  undo(test, () => liveIndex.close())
  return liveIndex
}

describe('the index of a process', () => {
  it('tells the journal later, once and in order, what it would not take', test => {
    const told: JournalEntry[] = []
    let full = true
    const liveIndex = setUp(test, {
      append(entries) {
        if (full) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
        told.push(...entries)
      },
    })
    const entries: JournalEntry[] = [1, 2, 3].map(() => ({ type: 'task', task: newTask() }))
    for (const entry of entries.slice(0, 2)) {
      liveIndex.publish(entry)
      liveIndex.flush()
    }
    assert.deepEqual(told, [])
    full = false
    for (const entry of entries.slice(2)) liveIndex.publish(entry)
    liveIndex.flush()
    liveIndex.flush()
    assert.deepEqual(told, entries)
  })

  it('ends all subscriptions when the journals were cut unread, since what was in them can no longer be told', {
    timeout: 300_000,
  }, async test => {
    let cut = false
    let now = performance.now()
    test.mock.method(performance, 'now', () => now)
    test.mock.timers.enable({ apis: ['setInterval'] })
    const liveIndex = setUp(test, { holds: () => !cut })
    await liveIndex.current()
    const ending = new AbortController()
    undo(test, () => ending.abort())
    const next = liveIndex.changes(liveIndex.cursor(), ending.signal)[Symbol.asyncIterator]().next()
    const outcome = next.then(
      () => 'told',
      (error: { code: string }) => error.code,
    )
    // asleep for a minute, while everything else goes on
    await new Promise(setImmediate)
    cut = true
    now += MINUTE
    test.mock.timers.tick(MINUTE)
    cut = false
    assert.equal(await outcome, 'CURSOR_TOO_OLD')
    // from here on it is as after a start
    await liveIndex.current()
  })
})
