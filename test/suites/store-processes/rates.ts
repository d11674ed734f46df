// What is counted by the minute, over processes that all want more than there is.
import assert from 'node:assert/strict'
import { startChild } from '../../support/child.ts'
import type { RateInput, RateTaken } from '../../support/store-rates.ts'
import type { Check } from '../store/world.ts'
import type { ProcessWorld } from '../store-processes.ts'

const LIMIT = 50
const PROCESSES = 3

export const rates = (check: Check<ProcessWorld>): void => {
  check('exactly as many points fit as may, whoever takes them at the same time', async world => {
    const input: RateInput = { name: 'address:192.0.2.1', takes: LIMIT, limit: LIMIT }
    const children = Array.from({ length: PROCESSES }, () =>
      startChild<{ ready: true } | { taken: RateTaken[] }>('store-child.ts', {
        place: world.place,
        role: 'rates',
        ...input,
      }),
    )
    try {
      const answers = await Promise.all(
        children.map(child => child.line(line => 'taken' in line) as Promise<{ taken: RateTaken[] }>),
      )
      const all = answers.flatMap(({ taken }) => taken)
      assert.equal(all.length, PROCESSES * LIMIT)
      // a minute may have ended meanwhile: then each window has its own
      const windows = new Map<number, number>()
      for (const { endsAtMs, allowed } of all) {
        const end = Math.round(endsAtMs / 10_000)
        const known = [end - 1, end, end + 1].find(near => windows.has(near)) ?? end
        windows.set(known, (windows.get(known) ?? 0) + Number(allowed))
      }
      for (const allowed of windows.values()) assert.ok(allowed <= LIMIT, `${allowed} of ${LIMIT}`)
      if (windows.size === 1) assert.deepEqual([...windows.values()], [LIMIT])
    } finally {
      await Promise.all(children.map(child => child.stop()))
    }
  })
}
