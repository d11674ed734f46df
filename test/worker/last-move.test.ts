// The last move of a run: tried until it is durable, and no longer than the worker lives.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MadhavaError } from '../../src/core/errors.ts'
import { silentLog } from '../../src/platform/log.ts'
import { persist } from '../../src/worker/last-move.ts'

describe('persist', () => {
  const run = async (write: (tries: number) => Promise<string>, signal = new AbortController().signal) => {
    let tries = 0
    const value = await persist(
      () => {
        tries += 1
        // a spin would never come to an end by itself
        if (tries > 50) throw new MadhavaError('CLAIM_LOST')
        return write(tries)
      },
      { log: silentLog(), random: () => 0, signal },
    )
    return { value, tries }
  }
  const away = async (): Promise<never> => {
    throw new MadhavaError('STORE_UNAVAILABLE')
  }

  it('tries again while the store is away', async () => {
    assert.deepEqual(await run(tries => (tries < 3 ? away() : Promise.resolve('done'))), {
      value: 'done',
      tries: 3,
    })
  })

  it('gives up at once when the task is no longer held here', async () => {
    const lost = async (): Promise<never> => {
      throw new MadhavaError('CLAIM_LOST')
    }
    assert.deepEqual(await run(lost), { value: null, tries: 1 })
  })

  it('tries once more and no further when the worker has closed, and ends a wait that is under way', async () => {
    assert.deepEqual(await run(away, AbortSignal.abort()), { value: null, tries: 1 })
    const closing = new AbortController()
    const { value, tries } = await run(tries => {
      if (tries === 1) setImmediate(() => closing.abort())
      return away()
    }, closing.signal)
    assert.deepEqual([value, tries], [null, 2])
  })
})
