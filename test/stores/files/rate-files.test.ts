// Counts by the minute in files: how many files there are, which ones go, and what a clock does to them.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createRateFiles } from '../../../src/stores/files/rate-files.ts'
import { createRates } from '../../../src/stores/shared/rates.ts'

const MINUTE = 60_000

describe('rates in files', () => {
  let rates = ''
  let now = 0
  beforeEach(() => {
    rates = mkdtempSync(path.join(os.tmpdir(), 'madhava-rates-'))
    now = 1_000 * MINUTE
  })
  afterEach(() => rmSync(rates, { recursive: true, force: true }))
  const open = (instance: string) => {
    const counter = createRateFiles({ layout: { rates }, instance, clock: () => new Date(now) })
    return createRates(counter, () => now)
  }
  const minutes = (): string[] => readdirSync(rates).sort()

  it('are few files, however many names there are, and each name has its own count', async () => {
    const [one, other] = [open('a'.repeat(12)), open('b'.repeat(12))]
    for (let n = 0; n < 2_000; n += 1)
      assert.equal((await (n % 2 ? one : other).take(`login:${n}`, 1, 1)).allowed, true, `${n}`)
    for (let n = 0; n < 2_000; n += 1)
      assert.equal((await one.take(`login:${n}`, 1, 1)).allowed, false, `${n}`)
    assert.ok(readdirSync(path.join(rates, '1000')).length <= 256)
  })

  it('keep the minute before for who is late, and remove all others', async () => {
    const one = open('a'.repeat(12))
    await one.take('x', 1, 1)
    now += MINUTE
    await one.take('x', 1, 1)
    assert.deepEqual(minutes(), ['1000', '1001'])
    now += MINUTE
    await one.take('x', 1, 1)
    assert.deepEqual(minutes(), ['1001', '1002'])
  })

  it('hold again when the clock goes back to a minute that was counted, and begin anew further back', async () => {
    const one = open('a'.repeat(12))
    assert.equal((await one.take('x', 1, 1)).allowed, true)
    now += MINUTE
    assert.equal((await one.take('x', 1, 1)).allowed, true)
    now -= MINUTE
    assert.equal((await one.take('x', 1, 1)).allowed, false)
    now -= 60 * MINUTE
    assert.equal((await one.take('x', 1, 1)).allowed, true)
    assert.deepEqual(minutes(), ['940'])
  })

  it('go on where somebody has removed the folder', async () => {
    const one = open('a'.repeat(12))
    await one.take('x', 1, 1)
    rmSync(path.join(rates, '1000'), { recursive: true })
    assert.equal((await one.take('y', 1, 1)).allowed, true)
    assert.equal((await one.take('y', 1, 1)).allowed, false)
  })
})
