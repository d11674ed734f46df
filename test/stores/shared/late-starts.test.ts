// When the record of an attempt that has begun is written: a moment later, with its end, or when a process leaves.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLateStarts, type LateStarts } from '../../../src/stores/shared/late-starts.ts'

const OUTER = { timeout: 300_000 }

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

  it('that ended or began anew while a write of them failed are not told of, nor tried again for it', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const written: string[] = []
    const starts: LateStarts = createLateStarts({
      async write(id) {
        written.push(id)
        starts.delete(id)
        if (id === 'anew' && written.length < 3) starts.add(id)
        throw new Error('the store is away')
      },
      onFailed: id => assert.fail(`nobody waits for ${id}`),
    })
    for (const id of ['ended', 'anew', 'gone']) starts.add(id)
    starts.delete('gone')
    const pass = async (ms: number): Promise<void> => {
      t.mock.timers.tick(ms)
      await new Promise(setImmediate)
    }
    await pass(50)
    assert.deepEqual([written, starts.has('ended'), starts.has('anew')], [['ended', 'anew'], false, true])
    // the new attempt has its own moment, and not the second that the old one would have waited
    await pass(50)
    assert.deepEqual([written, starts.has('anew')], [['ended', 'anew', 'anew'], false])
    await pass(1_000)
    assert.equal(written.length, 3)
  })
})
