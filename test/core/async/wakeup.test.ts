// What wakes a reader.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createWakeup } from '../../../src/core/async/wakeup.ts'

/** Whether a promise has settled after everything that was under way. */
const hasSettled = async (promise: Promise<void>): Promise<boolean> => {
  let settled = false
  void promise.then(() => {
    settled = true
  })
  await new Promise(resolve => setImmediate(resolve))
  return settled
}

describe('the wakeup of a reader', () => {
  it('ends the wait that is under way, and not the one after it', async () => {
    const { wake, wait } = createWakeup()
    const first = wait()
    assert.equal(await hasSettled(first), false)
    wake()
    assert.equal(await hasSettled(first), true)
    const second = wait()
    assert.equal(await hasSettled(second), false)
    wake()
    await second
  })

  it('keeps a call that comes while nobody waits, and several of them as one', async () => {
    const { wake, wait } = createWakeup()
    wake()
    wake()
    await wait()
    assert.equal(await hasSettled(wait()), false)
  })

  it('serves the later of two waits', async () => {
    const { wake, wait } = createWakeup()
    const left = wait()
    const later = wait()
    wake()
    await later
    assert.equal(await hasSettled(left), false)
  })
})
