// The line writer behind the log: a reader that stops, or goes, costs lines and never the process's time.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLineWriter } from '../../src/platform/log.ts'

const failing = (code: string): never => {
  throw Object.assign(new Error(code), { code })
}

/** A pipe that takes `room` bytes; what was taken, and how often it was waited for. */
const pipe = (room: number) => {
  const state = { room, text: '', rests: 0 }
  const writer = createLineWriter(
    (bytes, at) => {
      const count = Math.min(state.room, bytes.length - at)
      if (count === 0) failing('EAGAIN')
      state.room -= count
      state.text += bytes.subarray(at, at + count).toString()
      return count
    },
    () => {
      state.rests += 1
    },
  )
  return { state, write: (line: string) => writer.write(`${line}\n`) }
}

describe('the line writer', () => {
  it('waits for a reader that has stopped once, not at every line', () => {
    const { state, write } = pipe(0)
    write('one')
    const waited = state.rests
    assert.ok(waited > 0)
    for (let n = 0; n < 100; n += 1) write('more')
    assert.equal(state.rests, waited)
    state.room = 1000
    write('it reads again')
    assert.equal(state.text, 'it reads again\n')
    state.room = 0
    write('it has stopped again')
    assert.equal(state.rests, 2 * waited)
  })

  it('begins a new line after one that was cut', () => {
    const { state, write } = pipe(3)
    write('abcdef')
    state.room = 100
    write('whole')
    assert.equal(state.text, 'abc\nwhole\n')
  })

  it('loses a line and throws nothing when the reader is gone', () => {
    let tries = 0
    const writer = createLineWriter(
      () => {
        tries += 1
        return failing('EPIPE')
      },
      () => assert.fail('nobody is waited for'),
    )
    writer.write('x\n')
    assert.equal(tries, 1)
  })
})
