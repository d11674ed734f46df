// Counts by the minute: what is given back, and when.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createRateCounter } from '../../../src/stores/memory/rates.ts'
import { createRates } from '../../../src/stores/shared/rates.ts'

it('what one window has counted is not given back to the next', async () => {
  let now = 1_000
  const counter = createRateCounter({ stored: new Map(), clock: () => new Date(now), open: () => {} })
  const rates = createRates(counter, () => now)
  const first = await rates.take('a', 3, 3)
  now += 59_999
  const late = await rates.take('b', 3, 3)
  now += 1
  const next = await rates.take('a', 3, 3)
  await first.giveBack()
  assert.equal((await rates.take('a', 1, 3)).allowed, false)
  await next.giveBack()
  await late.giveBack()
  assert.equal((await rates.take('a', 3, 3)).allowed, true)
  assert.equal((await rates.take('b', 3, 3)).allowed, true)
})
