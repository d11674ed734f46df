// The checkpoints of a task on a store that notes what is asked of it: what counts as one, and when which call is made.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { BLOBS } from '../../src/core/content.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { decodeLog, logText } from '../../src/core/task-log.ts'
import { createCheckpoints } from '../../src/worker/checkpoints.ts'
import { createTaskLog } from '../../src/worker/task-log.ts'
import { until } from '../support/until.ts'

const open = (kept: Buffer | null = null) => {
  const calls: string[] = []
  const errors: unknown[] = []
  const going: { end: (error?: Error) => void }[] = []
  const state = { kept }
  const store: Partial<TaskStore> = {
    getBlob: async () =>
      state.kept && {
        bytes: state.kept.length,
        size: state.kept.length,
        stream: Readable.from([state.kept]),
      },
    putBlob: (_id, name, bytes) =>
      new Promise((resolve, reject) => {
        calls.push(`writes ${name}`)
        going.push({
          end(error) {
            if (error) return reject(error)
            state.kept = Buffer.from(bytes as Uint8Array)
            calls.push('has written')
            resolve(undefined as never)
          },
        })
      }),
    async removeBlob(_id, name) {
      calls.push(`removes ${name}`)
      state.kept = null
    },
  }
  const deps = { store: store as TaskStore, id: 'x', failed: (error: unknown) => errors.push(error) }
  return { calls, errors, going, state, deps, checkpoints: createCheckpoints(deps) }
}
const whole = (bytes: Buffer): Buffer => Buffer.concat([createHash('sha256').update(bytes).digest(), bytes])
const { checkpoint } = BLOBS

describe('a checkpoint', () => {
  it('is what was kept with its hash, and nothing that is damaged, empty or cut', async () => {
    const bytes = Buffer.from('state')
    assert.deepEqual(await open(whole(bytes)).checkpoints.read(), new Uint8Array(bytes))
    assert.equal((await open(whole(Buffer.from('s'))).checkpoints.read())?.length, 1)
    const turned = whole(bytes)
    turned[turned.length - 1] = 0
    for (const [what, kept] of Object.entries({
      none: null,
      'no bytes': Buffer.alloc(0),
      'a hash alone': whole(Buffer.alloc(0)),
      'a hash that is cut': whole(bytes).subarray(0, 31),
      'one bit': turned,
      'a byte too many': Buffer.concat([whole(bytes), Buffer.alloc(1)]),
    }))
      assert.equal(await open(kept).checkpoints.read(), null, what)
  })

  it('is taken away after the write that is under way, and what waits is never written', async () => {
    const { calls, going, checkpoints } = open()
    checkpoints.save(Buffer.from('one'))
    checkpoints.save(Buffer.from('two'))
    const removed = checkpoints.remove()
    await turn()
    assert.deepEqual(calls, [`writes ${checkpoint}`])
    going[0]?.end()
    await removed
    await checkpoints.flush()
    assert.deepEqual(calls, [`writes ${checkpoint}`, 'has written', `removes ${checkpoint}`])
  })

  it('that may have been written is taken away, also where the write failed; none is no reason to ask', async () => {
    const { calls, going, checkpoints, errors } = open()
    await checkpoints.remove()
    assert.deepEqual(calls, [])
    const failing = open()
    failing.checkpoints.save(Buffer.from('one'))
    failing.going[0]?.end(new MadhavaError('STORE_UNAVAILABLE'))
    await failing.checkpoints.remove()
    assert.deepEqual(failing.calls, [`writes ${checkpoint}`, `removes ${checkpoint}`])
    assert.deepEqual([failing.errors.length, errors.length, going.length], [1, 0, 0])
    // one that an earlier attempt has left
    const earlier = open(Buffer.from('damaged'))
    await earlier.checkpoints.read()
    await earlier.checkpoints.remove()
    assert.deepEqual(earlier.calls, [`removes ${checkpoint}`])
  })

  it('is the last of those that were saved, when all is written', async () => {
    const { going, state, checkpoints } = open()
    for (const words of ['one', 'two', 'three']) checkpoints.save(Buffer.from(words))
    const flushed = checkpoints.flush()
    going[0]?.end()
    await until('it writes', () => going.length >= 2)
    going[1]?.end()
    await flushed
    assert.deepEqual([going.length, state.kept], [2, whole(Buffer.from('three'))])
  })
})

describe('the log of a task', () => {
  const clock = () => new Date(0)
  const T = '1970-01-01T00:00:00.000Z'
  const kept = (bytes: Buffer | null): string => logText(decodeLog(String(bytes)))

  it('is written again by a flush when it could not be written, and not when it could', async () => {
    const { going, state, deps, errors } = open()
    const log = createTaskLog({ ...deps, attempt: 1, earlier: false, clock })
    log.add('one')
    await turn()
    going[0]?.end(new MadhavaError('STORE_FULL'))
    await turn()
    const flushed = log.flush()
    await until('it writes', () => going.length >= 2)
    going[1]?.end()
    await flushed
    assert.deepEqual([kept(state.kept), errors.length], [`${T} one\n`, 1])
    await log.flush()
    assert.equal(going.length, 2)
  })

  it('keeps the lines of earlier attempts before its own, and one line is one line', async () => {
    const { going, state, deps } = open(Buffer.from('of before\n'))
    const log = createTaskLog({ ...deps, attempt: 1, earlier: true, clock })
    log.add('two\nlines')
    await until('it writes', () => going.length >= 1)
    going[0]?.end()
    await turn()
    await log.flush()
    assert.equal(kept(state.kept), `of before\n${T} two lines\n`)
  })
})
