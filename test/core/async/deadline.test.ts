// A promise with a time limit.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { within } from '../../../src/core/async/deadline.ts'

const never = new Promise<never>(() => {})
const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

describe('the time limit of a promise', () => {
  it('gives what the work gives, or throws what it throws, and leaves no timer behind', async () => {
    const before = timers()
    assert.equal(await within(3_600_000, Promise.resolve(7), () => 'late'), 7)
    await assert.rejects(
      within(3_600_000, Promise.reject(new Error('broken')), () => 'late'),
      /broken/,
    )
    assert.equal(timers(), before)
  })

  it('gives or throws what it is told to when the time is over', async () => {
    assert.equal(await within(1, never, cause => cause), 'time')
    await assert.rejects(
      within(1, never, () => {
        throw new RangeError('late')
      }),
      RangeError,
    )
  })

  it('ends at the signal, also at one that has fired before, and leaves no timer behind', async () => {
    const before = timers()
    const ending = new AbortController()
    const waiting = within(3_600_000, never, cause => cause, ending.signal)
    ending.abort()
    assert.equal(await waiting, 'signal')
    assert.equal(await within(3_600_000, never, cause => cause, ending.signal), 'signal')
    assert.equal(timers(), before)
  })

  it('ignores what becomes of work that was too late', async () => {
    let fail = (_error: Error): void => {}
    const work = new Promise<never>((_resolve, reject) => {
      fail = reject
    })
    assert.equal(await within(1, work, () => 'late'), 'late')
    // an unhandled rejection would fail this file
    fail(new Error('after all'))
    await new Promise(resolve => setImmediate(resolve))
  })
})
