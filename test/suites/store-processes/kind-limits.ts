// The limit of a kind, over processes that all want more of it.
import assert from 'node:assert/strict'
import { promises as fs } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startChild } from '../../support/child.ts'
import type { LimitedInput } from '../../support/store-limited.ts'
import { until } from '../../support/until.ts'
import { SAMPLE } from '../store/sample.ts'
import { add, type Check } from '../store/world.ts'
import type { ProcessWorld } from '../store-processes.ts'

const MAX = 3

export const kindLimits = (check: Check<ProcessWorld>): void => {
  check('never more of a kind run at a time than may, and none is left waiting', async world => {
    const shown = await fs.mkdtemp(path.join(tmpdir(), 'madhava-shown-'))
    const store = await world.open()
    const ids: string[] = []
    for (let n = 0; n < SAMPLE.tasks; n += 1) ids.push((await add(store, { kind: 'told' })).id)
    const runs: { run: string; shown: number }[] = []
    const input: LimitedInput = { shown, maxConcurrency: MAX, slots: 3 }
    const children = Array.from({ length: SAMPLE.workers }, () => {
      const child = startChild<{ working: true } | { run: string; shown: number }>('store-child.ts', {
        place: world.place,
        role: 'limited',
        ...input,
      })
      child.onLine(line => {
        if ('run' in line) runs.push(line)
      })
      return child
    })
    try {
      await until('all have run', async () => (await store.counts()).byStatus.SUCCESS === ids.length, 110_000)
    } finally {
      await Promise.all(children.map(child => child.stop()))
      await fs.rm(shown, { recursive: true })
    }
    assert.deepEqual(runs.map(({ run }) => run).sort(), ids.sort())
    const most = Math.max(...runs.map(run => run.shown))
    assert.ok(most <= MAX, `${most} ran at a time`)
    assert.ok(most > 1, 'nothing ran beside anything')
    await store.close()
  })
}
