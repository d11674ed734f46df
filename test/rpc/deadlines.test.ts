// Many waits behind one timer: each that is not ended expires once, in its order, and no other does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createDeadlines } from '../../src/rpc/deadlines.ts'
import { until } from './fixture.ts'

test('a wait that is not ended expires once, not before its time; one that is ended never does', async () => {
  const MS = 40
  const deadlines = createDeadlines(MS)
  const begun = performance.now()
  const expired: { which: number; after: number }[] = []
  const ends = Array.from({ length: 100 }, (_, which) =>
    deadlines.begin(() => expired.push({ which, after: performance.now() - begun })),
  )
  for (const [which, end] of ends.entries()) if (which % 2 === 0) end()
  await until('the others have expired', () => expired.length === 50)
  assert.deepEqual(
    expired.map(({ which }) => which),
    Array.from({ length: 50 }, (_, i) => 2 * i + 1),
  )
  assert.ok(expired.every(({ after }) => after >= MS - 1))
  for (const end of ends) end()
})

test('waits that begin later expire later, also when the earlier ones have ended', async () => {
  const deadlines = createDeadlines(30)
  const endFirst = deadlines.begin(() => assert.fail('was ended'))
  await new Promise(resolve => setTimeout(resolve, 15))
  endFirst()
  for (let i = 0; i < 2; i += 1) {
    const begun = performance.now()
    let after = 0
    deadlines.begin(() => {
      after = performance.now() - begun
    })
    await until('it has expired', () => after > 0)
    assert.ok(after >= 29, `${after} ms`)
  }
})

test('a wait that has ended is forgotten at once, however many there are, and not when its time is over', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const deadlines = createDeadlines(3_600_000)
  const begin = (): WeakRef<object> => {
    const call = { reply: Buffer.alloc(1) }
    deadlines.begin(() => void call.reply)()
    return new WeakRef(call)
  }
  // one before it is open all the time
  deadlines.begin(() => assert.fail('an hour has not passed'))
  const calls = Array.from({ length: 100 }, begin)
  await until('they are gone', () => {
    collect()
    return calls.every(call => call.deref() === undefined)
  })
})
