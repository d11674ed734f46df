// Says which of the tasks that wait at a server would no longer fit the kinds of a folder. It reads them one after the
// other and keeps counts: there may be a million.
import path from 'node:path'
import type { Json } from '../core/task.ts'
import type { FolderReport } from './check-folder.ts'
import type { KindChecker } from './checker.ts'

/** A task as a list has it. */
export interface WaitingTask {
  id: string
  kind: string
  status: string
  params: Json
}

export interface Misfit {
  id: string
  kind: string
  status: string
  reason: string
}

export interface WaitingReport {
  /** How many tasks were read. */
  tasks: number
  /** How many of them do not fit. */
  unfit: number
  /** The first of those, at most `MISFITS_KEPT`. */
  misfits: Misfit[]
  /** Kinds with tasks that no server with this folder could run. */
  vanished: { kind: string; tasks: number; reason: string }[]
}

export const MISFITS_KEPT = 1_000
const AT_ONCE = { tasks: 100, bytes: 4 * 1024 * 1024 }

/**
 * @param tasks those that a worker may still run; whole, with all of their params
 * @param onMisfit called for every task that does not fit, also for those that the report does not keep
 */
export const checkWaiting = async (
  tasks: AsyncIterable<WaitingTask>,
  {
    report,
    checker,
    onMisfit,
  }: { report: FolderReport; checker: KindChecker; onMisfit?: (misfit: Misfit) => Promise<void> | void },
): Promise<WaitingReport> => {
  const kinds = new Map(report.kinds.map(kind => [kind.name, kind]))
  const troubled = new Set(report.troubles.map(({ name }) => name))
  const vanished = new Map<string, { kind: string; tasks: number; reason: string }>()
  const result: WaitingReport = { tasks: 0, unfit: 0, misfits: [], vanished: [] }

  const batches = new Map<string, { tasks: WaitingTask[]; bytes: number }>()
  const settle = async (name: string): Promise<void> => {
    const batch = batches.get(name)
    const kind = kinds.get(name)
    batches.delete(name)
    if (!batch || !kind) return
    const file = path.join(report.folder, kind.file)
    const reasons = await checker.fits(
      file,
      batch.tasks.map(({ params }) => params),
    )
    for (const [at, { id, kind: of, status }] of batch.tasks.entries()) {
      const reason = reasons[at] ?? null
      if (reason === null) continue
      const misfit = { id, kind: of, status, reason }
      result.unfit += 1
      if (result.misfits.length < MISFITS_KEPT) result.misfits.push(misfit)
      await onMisfit?.(misfit)
    }
  }

  for await (const task of tasks) {
    result.tasks += 1
    const kind = kinds.get(task.kind)
    // people do not mind a schema, and Madhava's own kinds are not the folder's
    if (kind?.isForPeople || (report.builtIn.includes(task.kind) && !kind)) continue
    if (!kind) {
      const reason = troubled.has(task.kind)
        ? 'its file cannot be used'
        : 'no file of the folder is this kind'
      const known = vanished.get(task.kind) ?? { kind: task.kind, tasks: 0, reason }
      known.tasks += 1
      vanished.set(task.kind, known)
      continue
    }
    const batch = batches.get(task.kind) ?? { tasks: [], bytes: 0 }
    batch.tasks.push(task)
    batch.bytes += JSON.stringify(task.params).length
    batches.set(task.kind, batch)
    const held = [...batches.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    if (batch.tasks.length >= AT_ONCE.tasks) await settle(task.kind)
    else if (held >= AT_ONCE.bytes) for (const name of [...batches.keys()]) await settle(name)
  }
  for (const name of [...batches.keys()]) await settle(name)
  result.vanished = [...vanished.values()].sort((a, b) => (a.kind < b.kind ? -1 : 1))
  return result
}
