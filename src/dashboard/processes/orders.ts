// An order to processes, from asking to what became of it: PM2's answer alone would call a crash loop a success.
import { setTimeout as pause } from 'node:timers/promises'
import { type AuditOutcome, type AuditRecorder, auditedBy } from '../../core/audit-recorder.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import { demandRight, type Who } from '../access/rights.ts'
import type { Action, ActionOutcome, Processes, ProcessRow } from './processes.ts'
import type { RestartCause } from './restart-cause.ts'

export interface Order {
  action: Action
  /** Null: all of them. */
  name: string | null
  who: Who
  /** Longest wait until the processes are ready, or have ended, milliseconds. */
  waitMs: number
}

/** `failed`: it ended again, or could not be stopped. */
export type Fate = 'done' | 'underway' | 'unchanged' | 'failed'

export interface OrderedProcess extends ProcessRow {
  outcome: Fate
  /** Why it failed, or why nothing was done; for people. */
  reason: string | null
  /** Ids of the tasks that it ran when it was stopped: what it did not end in its drain time is given back. */
  interrupted: string[]
}

export interface OrderResult {
  action: Action
  /** The worst of the processes. `deferred`: answer first, then call `act`. */
  outcome: Fate | 'deferred'
  processes: OrderedProcess[]
  act?: () => Promise<void>
}

export interface ProcessOrders {
  /** @throws FORBIDDEN, and as `Processes.act` */
  give(order: Order): Promise<OrderResult>
}

const LOOK_MS = 200
const WORST_FIRST: readonly Fate[] = ['failed', 'underway', 'done', 'unchanged']

/** How a process ended, for people. */
export const describeCause = ({ how, code, signal, words }: RestartCause): string => {
  const end =
    how === 'memory'
      ? 'it ran out of memory'
      : signal === null
        ? `it ended with exit code ${code ?? 'unknown'}`
        : `it was ended by ${signal}`
  return words === null ? end : `${end}. It said: ${words}`
}

/** Of a process of ours; anything else may be a secret in the wrong place. */
const NAME = /^[a-z][a-z0-9-]{0,30}$/

const toldOf = (result: OrderResult): AuditOutcome => {
  if (result.outcome === 'unchanged') return null
  return result.outcome === 'failed' ? { outcome: 'PROCESS_FAILED' } : {}
}

/**
 * How often a process is stopped again that runs, or is to run, after PM2 said that it was stopped: an order that comes while PM2 brings
 * up a process that has ended by itself is lost.
 */
const STOPS_AGAIN = 5

const ifBusy = (error: unknown): void => {
  if (!isMadhavaError(error, 'PROCESS_BUSY')) throw error
}

const isRunning = ({ state }: ProcessRow): boolean => state === 'online' || state === 'launching'

const isToRun = ({ state }: ProcessRow): boolean => state === 'waiting restart'

interface Expected {
  action: Action
  /** As the process was before. */
  before: ProcessRow
  /** Milliseconds since 1970. */
  orderedAt: number
  /** What PM2 said. */
  said: ActionOutcome['outcome']
  steadyMs: number
}

/** What has become of one process by now. */
const judge = (
  row: ProcessRow,
  { action, before, orderedAt, said, steadyMs }: Expected,
): [Fate, string | null] => {
  if (action === 'stop') {
    if (row.state === 'errored') return ['failed', 'it could not be stopped']
    if (row.state === 'stopped') return [before.state === 'stopped' ? 'unchanged' : 'done', null]
    return ['underway', null]
  }
  const cause = row.restartCause ?? null
  const ended = cause !== null && cause.how !== 'asked' && Date.parse(cause.at) >= orderedAt
  if (ended) return ['failed', describeCause(cause)]
  const more = row.restarts - before.restarts
  const expected = action === 'restart' && isRunning(before) ? 1 : 0
  // PM2 also shows an ordered end as `waiting restart` for a moment, before it counts the restart
  const waitsAgain = row.state === 'waiting restart' && more >= expected
  if (more > expected || waitsAgain || row.state === 'errored') return ['failed', 'it ended again by itself']
  if (action === 'start' && isRunning(before) && row.pid === before.pid) return ['unchanged', null]
  // before PM2 has answered, the old process may still be the one that is seen
  const isNew = said === 'done' || row.pid !== before.pid
  const isReady = row.ready ?? (row.uptimeMs ?? 0) >= steadyMs
  return [isNew && row.state === 'online' && isReady ? 'done' : 'underway', null]
}

export const createProcessOrders = ({
  processes,
  audit,
  log,
  steadyMs = 1_000,
  clock = Date.now,
}: {
  processes: Processes
  audit: Pick<AuditRecorder, 'run'>
  log: Log
  /** A process that does not say whether it is ready counts as started when it has lived so long, milliseconds. */
  steadyMs?: number
  /** Milliseconds since 1970. */
  clock?: () => number
}): ProcessOrders => {
  const follow = async (
    order: Order,
    before: readonly ProcessRow[],
    orderedAt: number,
    said: ActionOutcome['outcome'],
  ): Promise<OrderedProcess[]> => {
    const { action, waitMs } = order
    const until = performance.now() + waitMs
    let stopsAgain = 0
    for (;;) {
      const rows = await processes.list()
      const judged = before.flatMap(old => {
        const row = rows.find(({ pmId }) => pmId === old.pmId)
        if (!row) return []
        const left = action === 'stop' && row.isDashboard
        const [outcome, reason] = left
          ? (['unchanged', 'the dashboard does not stop itself'] as const)
          : judge(row, { action, before: old, orderedAt, said, steadyMs })
        const interrupted = action === 'start' || outcome === 'unchanged' ? [] : (old.running ?? [])
        return [{ ...row, outcome, reason, interrupted }]
      })
      if (judged.every(({ outcome }) => outcome !== 'underway') || performance.now() >= until) return judged
      // one that is just stopping is seen again
      const lost = judged.filter(row => row.outcome === 'underway' && (isRunning(row) || isToRun(row)))
      if (action === 'stop' && said === 'done' && lost.length > 0 && stopsAgain < STOPS_AGAIN) {
        stopsAgain += 1
        for (const row of lost) await processes.act('stop', row.name, order.who.name).catch(ifBusy)
      }
      await pause(LOOK_MS)
    }
  }

  const carryOut = async (order: Order): Promise<OrderResult> => {
    const { action, name, who } = order
    const all = await processes.list()
    const before = name === null ? all : all.filter(row => row.name === name)
    const orderedAt = clock()
    const said = await (name === null
      ? processes.actAll(action, who.name)
      : processes.act(action, name, who.name))
    if (said.outcome === 'deferred') {
      const waiting = before.map(row => ({
        ...row,
        outcome: 'underway' as const,
        reason: null,
        interrupted: row.running ?? [],
      }))
      return { action, outcome: 'deferred', processes: waiting, act: said.act }
    }
    const judged = await follow(order, before, orderedAt, said.outcome)
    const outcome = WORST_FIRST.find(fate => judged.some(one => one.outcome === fate)) ?? said.outcome
    return { action, outcome, processes: judged }
  }

  return {
    async give(order) {
      const { action, name, who } = order
      const told = { action, process: name ?? 'all', who: who.name }
      try {
        const deed = {
          action: `process.${action}` as const,
          target: name === null ? 'all' : NAME.test(name) ? name : null,
          told: toldOf,
        }
        const result = await audit.run(auditedBy(who.actor), deed, async () => {
          demandRight(who, 'processes.change')
          return carryOut(order)
        })
        log.info({ ...told, outcome: result.outcome }, 'an order to processes')
        return result
      } catch (error) {
        log.info(
          { ...told, outcome: 'refused', code: isMadhavaError(error) ? error.code : 'INTERNAL' },
          'an order to processes',
        )
        throw error
      }
    },
  }
}

/** The error for an order that failed; null for any other. */
export const failureOf = ({ action, processes }: OrderResult): MadhavaError | null => {
  const failed = processes.filter(({ outcome }) => outcome === 'failed')
  if (failed.length === 0) return null
  const reasons = failed.map(({ name, reason }) => `${name}: ${reason ?? 'unknown'}`)
  return new MadhavaError('PROCESS_FAILED', `The ${action} failed. ${reasons.join('; ')}`)
}
