// The end of an attempt as it is written: what wins over what, and in which order things are kept.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BLOBS } from '../../src/core/content.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { fail, start } from '../../src/core/moves.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createEndWriter } from '../../src/worker/end-writer.ts'
import { at, newTask } from '../suites/store/world.ts'

const setUp = ({ earlier = false, failures = 0, revoked = false } = {}) => {
  const did: string[] = []
  let left = failures
  let task: TaskRecord = start('w', at(1))(newTask())
  const note = (what: string) => async (): Promise<void> => void did.push(what)
  const ending = createEndWriter({
    id: task.id,
    earlier,
    store: () => ({
      async putBlob(_id, name) {
        did.push(`put ${name}`)
        return { name, bytes: 0 }
      },
      removeBlob: async (_id, name) => void did.push(`remove ${name}`),
    }),
    async move(change) {
      if (left > 0) {
        left -= 1
        throw new MadhavaError('STORE_UNAVAILABLE')
      }
      task = change(task)
      did.push(task.status)
      return task
    },
    now: () => at(9),
    log: silentLog(),
    retryOptions: {
      log: silentLog(),
      random: () => 0,
      closing: new AbortController().signal,
      hurry: () => AbortSignal.abort(),
    },
    isRevoked: () => revoked,
    flushLog: note('log'),
    flushCheckpoint: note('checkpoint'),
    removeCheckpoint: note('no checkpoint'),
    failure: ({ code, message }) => fail({ code, message, detail: null }, null, at(9)),
  })
  return { ending, did }
}
const inline = { form: 'inline', json: '7' } as const
const large = { form: 'text', bytes: Buffer.from('many words') } as const

describe('the end of an attempt', () => {
  it('is its success where that can be written at once, though a cancel was heard', async () => {
    const { ending, did } = setUp({ revoked: true })
    const last = await ending.success(inline, undefined)
    assert.deepEqual([last?.status, last?.result], ['SUCCESS', 7])
    assert.deepEqual(did, ['log', 'no checkpoint', 'SUCCESS'])
  })

  it('is the cancel that was heard once a try has failed', async () => {
    const { ending, did } = setUp({ failures: 1, revoked: true })
    assert.equal((await ending.success(inline, undefined))?.status, 'REVOKED')
    assert.equal(did.at(-1), 'REVOKED')
  })

  it('keeps a large result before its checkpoint goes, and once, however often the move is tried', async () => {
    const { ending, did } = setUp({ failures: 2 })
    const last = await ending.success(large, 'info')
    assert.deepEqual([last?.status, last?.result, last?.resultInfo], ['SUCCESS', null, 'info'])
    assert.deepEqual(did, [
      'log',
      `put ${BLOBS.textResult}`,
      `remove ${BLOBS.jsonResult}`,
      'no checkpoint',
      'log',
      'log',
      'SUCCESS',
    ])
  })

  it('takes the large results of earlier attempts away where it has none', async () => {
    const { ending, did } = setUp({ earlier: true })
    await ending.success(inline, undefined)
    assert.deepEqual(did, [
      'log',
      `remove ${BLOBS.textResult}`,
      `remove ${BLOBS.jsonResult}`,
      'no checkpoint',
      'SUCCESS',
    ])
  })

  it('has its last words and its checkpoint written at every try where it is another one', async () => {
    const { ending, did } = setUp({ failures: 1 })
    await ending.other(fail({ code: 'KIND_FAILED', message: 'no', detail: null }, at(20), at(9)))
    assert.deepEqual(did, ['log', 'checkpoint', 'log', 'checkpoint', 'RETRY'])
  })
})
