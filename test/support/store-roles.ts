// What a child process can do with a store, for the multi-process suite: hold, read, move, work.
import { setTimeout as delay } from 'node:timers/promises'
import { report, start, succeed } from '../../src/core/moves.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { compareVersions, type TaskRecord, taskSchema } from '../../src/core/task.ts'
import { at, details } from '../suites/store/world.ts'

export interface RoleContext {
  store: TaskStore
  tell: (line: unknown) => void
  /** Fires when the parent wants the end. */
  signal: AbortSignal
}

export type Version = [id: string, claim: number, rev: number, status: string]
export const version = ({ id, claim, rev, status }: TaskRecord): Version => [id, claim, rev, status]

/** Claims the tasks and keeps them until it is killed. */
export const hold = async ({ store, tell, signal }: RoleContext, input: { ids: string[] }): Promise<void> => {
  await store.announce({ role: 'worker', details: () => details() })
  for (const id of input.ids)
    if (!(await store.claim(id, start(store.instance, at(1))))) throw new Error('the task is not free')
  tell({ held: input.ids.length })
  while (!signal.aborted) await delay(20)
}

/** Takes the next task, and is killed. */
export const beginRole = async ({ store, tell }: RoleContext): Promise<void> => {
  await store.announce({ role: 'worker', details: () => details() })
  const task = await store.claimNext({ kinds: ['adding'], now: at(5) }, start(store.instance, at(5)))
  tell({ begun: task?.id })
  await delay(60_000)
}

/** The text that move number `n` leaves in the record: long, and of one letter, so that a mixture shows. */
export const padding = (n: number): string =>
  String.fromCharCode(97 + (n % 26)).repeat(200 + ((n * 7919) % 9000))

/** What is wrong with a record that `move` writes, or null. */
export const flaw = (task: TaskRecord): string | null => {
  const parsed = taskSchema.safeParse(task)
  if (!parsed.success) return `not a record: ${parsed.error.message}`
  if (task.status !== 'PROGRESS') return null
  const n = Number(task.progress?.note)
  return task.result === padding(n) ? null : `torn: move ${n} with another text`
}

/** Reads the tasks as fast as it can, and tells of every record that is torn or older than the one before. */
export const readRole = async (
  { store, tell, signal }: RoleContext,
  input: { ids: string[] },
): Promise<void> => {
  const last = new Map<string, TaskRecord>()
  let reads = 0
  tell({ reading: true })
  while (!signal.aborted)
    for (const id of input.ids) {
      const task = await store.get(id)
      if (!task) {
        tell({ problem: `${id} is not there` })
        continue
      }
      const before = last.get(id)
      const wrong = flaw(task)
      if (wrong) tell({ problem: wrong })
      if (before && compareVersions(before, task) > 0)
        tell({ problem: `back from ${version(before)} to ${version(task)}` })
      last.set(id, task)
      reads += 1
      if (reads % 20 === 0) await delay(1)
    }
  tell({ reads, last: [...last.values()].map(version) })
}

/** Claims a task and moves it many times; tells each version once it is written. */
export const moveRole = async (
  { store, tell }: RoleContext,
  input: { id: string; moves: number },
): Promise<void> => {
  const started = await store.claim(input.id, start(store.instance, at(1)))
  if (!started) throw new Error('the task is not free')
  const lanes = 4
  for (let n = 0; n < input.moves; n += lanes)
    await Promise.all(
      Array.from({ length: lanes }, async (_, lane) => {
        const progress = { percent: 0, note: String(n + lane), etaSeconds: null }
        const task = await store.move(input.id, started.claim, report(progress, padding(n + lane), at(2)))
        tell({ wrote: version(task) })
      }),
    )
  const task = await store.move(input.id, started.claim, succeed('done', null, at(3)))
  tell({ wrote: version(task), end: true })
}

/** Runs every task it can get; tells each run, and each version it writes. */
export const workRole = async (
  { store, tell, signal }: RoleContext,
  input: { kinds: string[]; slots: number },
): Promise<void> => {
  await store.announce({ role: 'worker', details: () => details() })
  tell({ working: true })
  const slot = async (): Promise<void> => {
    while (!signal.aborted) {
      const task = await store.claimNext({ kinds: input.kinds, now: at(5) }, start(store.instance, at(5)))
      if (!task) {
        await delay(20)
        continue
      }
      tell({ run: task.id, wrote: version(task) })
      const progress = { percent: 50, note: null, etaSeconds: null }
      tell({ wrote: version(await store.move(task.id, task.claim, report(progress, null, at(6)))) })
      tell({ wrote: version(await store.move(task.id, task.claim, succeed(store.instance, null, at(7)))) })
    }
  }
  await Promise.all(Array.from({ length: input.slots }, slot))
}
