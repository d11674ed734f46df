// How late a change of something shared can be noticed that only a thorough look finds, whatever such a look takes.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createReuseCheck } from '../../src/worker/thread/reuse-check.ts'

/** Of what is not looked at after every run. */
const patch = (): (() => void) => {
  const { deref } = WeakRef.prototype
  WeakRef.prototype.deref = () => undefined
  return () => {
    WeakRef.prototype.deref = deref
  }
}

describe('a thorough look', () => {
  it('is due 50 ms after the last one, though that took long on a busy machine and the runs are tiny', t => {
    let [now, step] = [1_000, 0]
    t.mock.method(performance, 'now', () => {
      now += step
      return now
    })
    const reuseCheck = createReuseCheck()
    reuseCheck.noteChanges()
    const isClean = (): boolean => reuseCheck.isClean(reuseCheck.before())
    // this one takes 10 ms by every look at the clock
    step = 10
    assert.equal(isClean(), true)
    step = 0
    const restore = patch()
    try {
      now += 51
      assert.equal(isClean(), false)
    } finally {
      restore()
    }
    now += 51
    assert.equal(isClean(), true)
  })

  it('is taken after a run that was long against it, at once', t => {
    let [now, step] = [1_000, 0]
    t.mock.method(performance, 'now', () => {
      now += step
      return now
    })
    const reuseCheck = createReuseCheck()
    reuseCheck.noteChanges()
    step = 1
    assert.equal(reuseCheck.isClean(reuseCheck.before()), true)
    step = 0
    const before = reuseCheck.before()
    const restore = patch()
    try {
      now += 20
      assert.equal(reuseCheck.isClean(before), false)
    } finally {
      restore()
    }
  })
})
