// Orders to processes whose supervisor loses one: nothing is called done that is not so.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MadhavaError } from '../../../src/core/errors.ts'
import { createProcessOrders } from '../../../src/dashboard/processes/orders.ts'
import type { Processes, ProcessRow } from '../../../src/dashboard/processes/processes.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { NO_AUDIT } from '../../support/audit-entries.ts'
import { whoNamed } from '../fixture.ts'

const ROW: ProcessRow = {
  name: 'looper',
  pmId: 3,
  state: 'online',
  pid: 10,
  uptimeMs: 5,
  restarts: 4,
  cpuPercent: 0,
  memoryBytes: 1,
  isDashboard: false,
}

/**
 * A supervisor that says of every stop that it is done, and does the one with this number.
 * @param states of the process until then, look by look; the last one stays
 */
const supervisor = (
  works: number,
  fails: (stop: number) => boolean = () => false,
  states: readonly ProcessRow['state'][] = ['online'],
) => {
  let stops = 0
  let looks = 0
  const stateNow = () => states[Math.min(looks++, states.length - 1)] ?? 'online'
  const processes: Pick<Processes, 'list' | 'act'> = {
    list: async () => [{ ...ROW, pid: 10 + stops, state: stops >= works ? 'stopped' : stateNow() }],
    act: async (_action, _name) => {
      stops += 1
      if (fails(stops)) throw new MadhavaError('PROCESS_BUSY')
      return { outcome: 'done' } as Awaited<ReturnType<Processes['act']>>
    },
  }
  return { processes: processes as Processes, stops: () => stops }
}
const stop = (processes: Processes, waitMs: number) =>
  createProcessOrders({ processes, audit: NO_AUDIT, log: silentLog() }).give({
    action: 'stop',
    name: 'looper',
    who: whoNamed('operator', 'admin'),
    waitMs,
  })

describe('a stop', { timeout: 300_000 }, () => {
  it('that the supervisor has lost is ordered again until the process has stopped', async () => {
    const { processes, stops } = supervisor(3, stops => stops === 2)
    const { outcome, processes: rows } = await stop(processes, 50_000)
    assert.deepEqual([outcome, rows[0]?.state, stops()], ['done', 'stopped', 3])
  })

  it('that the supervisor has lost is ordered again also when the process waits for its restart, whenever that shows', async () => {
    const stopping = Array.from({ length: 12 }, () => 'stopping' as const)
    const { processes, stops } = supervisor(2, () => false, [...stopping, 'waiting restart'])
    const { outcome, processes: rows } = await stop(processes, 50_000)
    assert.deepEqual([outcome, rows[0]?.state, stops()], ['done', 'stopped', 2])
  })

  it('of a process that goes on running is not called done, and is not ordered without end', async () => {
    const { processes, stops } = supervisor(1_000)
    const { outcome, processes: rows } = await stop(processes, 2_000)
    assert.deepEqual([outcome, rows[0]?.state], ['underway', 'online'])
    assert.ok(stops() <= 6, `${stops()}`)
  })
})
