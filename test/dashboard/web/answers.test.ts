// What the pages expect of the dashboard's JSON routes is what these send: types hold the one to the other, since a page
// may not import the server's.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SORT_NAMES, SORTS, USUAL_SORT } from '../../../src/core/sort.ts'
import { LEVELS } from '../../../src/dashboard/logs/lines.ts'
import { type LogPage, readLogPage } from '../../../src/dashboard/logs/pages.ts'
import type { ProcessRow } from '../../../src/dashboard/processes/processes.ts'
import { ACTIONS } from '../../../src/dashboard/processes/processes.ts'
import { showRow } from '../../../src/dashboard/processes/row.ts'
import * as shown from '../../../src/dashboard/web/pages/process/log-types.ts'
import * as order from '../../../src/dashboard/web/pages/tasks/order.ts'
import * as page from '../../../src/dashboard/web/state/answers.ts'
import { KIND_FIGURES, OVERVIEW } from '../fixture.ts'

const ROW: ProcessRow = {
  name: 'worker',
  pmId: 1,
  state: 'online',
  pid: 7,
  uptimeMs: 61_000,
  restarts: 2,
  cpuPercent: 0.4,
  memoryBytes: 1024,
  isDashboard: false,
  ready: true,
  troubles: {},
  running: ['a'],
  restartCause: { how: 'exit', code: 1, signal: null, by: null, at: '2030-01-01T00:00:00.000Z', words: 'oh' },
  lastRestartAt: null,
  crashLoop: false,
}

describe('what the pages expect of the server', () => {
  it('is what /processes.json, /overview.json and /kinds.json send', () => {
    const row: page.ProcessRow = showRow(ROW)
    assert.deepEqual([row.tone, row.can], ['good', { start: false, stop: true, restart: true }])
    const overview: page.Overview = OVERVIEW
    assert.equal(overview.troubles[0]?.code, 'STORE_AWAY')
    const kinds: page.KindFigures = KIND_FIGURES
    assert.ok(kinds.kinds.length > 0)
    assert.deepEqual(page.ACTIONS, ACTIONS)
  })

  it('is what the pages of logs send', async () => {
    const sent: LogPage = await readLogPage(null, { limit: 1 }, false)
    const log: shown.LogPage = sent
    assert.equal(log.bytes, null)
    assert.deepEqual(shown.LEVELS, LEVELS)
  })

  it('is that lists have these orders, and mean by them what the page shows', () => {
    assert.deepEqual(order.SORTS, SORT_NAMES)
    assert.equal(order.USUAL_SORT, USUAL_SORT)
    for (const sort of SORT_NAMES) assert.deepEqual(order.readSort(sort), SORTS[sort])
  })
})
