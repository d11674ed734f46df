// When the record of an attempt that has begun is written: a moment later, with its end, or when a process leaves.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLateStarts, type LateStarts } from '../../../src/stores/shared/late-starts.ts'

const OUTER = { timeout: 10_000 }

describe('late starts', () => {
  it('are written after a moment, and again after a failure', OUTER, async () => {
    const failed: string[] = []
    let tries = 0
    await new Promise<void>(resolve => {
      const starts: LateStarts = createLateStarts({
        async write(id) {
          tries += 1
          if (tries === 1) throw new Error('no room')
          starts.delete(id)
          resolve()
        },
        onFailed: id => void failed.push(id),
      })
      starts.add('a')
      assert.ok(starts.has('a'))
      // timers that keep no process alive
      const alive = setInterval(() => starts.has('a') || clearInterval(alive), 50)
    })
    assert.deepEqual([tries, failed], [2, ['a']])
  })

  it('are not written once they are deleted, and all others when the store is left', OUTER, async () => {
    const written: string[] = []
    const starts = createLateStarts({
      async write(id) {
        written.push(id)
        starts.delete(id)
      },
      onFailed: () => assert.fail('nothing fails'),
    })
    for (const id of ['a', 'b', 'c']) starts.add(id)
    starts.delete('b')
    await starts.flush()
    assert.deepEqual(written, ['a', 'c'])
    assert.deepEqual(
      ['a', 'b', 'c'].filter(id => starts.has(id)),
      [],
    )
  })
})
