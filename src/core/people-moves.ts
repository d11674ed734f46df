// Moves of tasks that people do: edit and complete. As in core/moves.ts: pure, and a move that throws changes nothing.
import { MadhavaError } from './errors.ts'
import { enter, type Move } from './moves.ts'
import type { Done } from './people.ts'
import { isFinal, type Json, type TaskRecord, versionOf } from './task.ts'

/** Who has completed it, as far as its result says so. */
const endedBy = ({ status, result, finishedAt }: TaskRecord): string => {
  if (status !== 'SUCCESS') return `It is ${status} since ${finishedAt}`
  const by = typeof result === 'object' && result !== null && !Array.isArray(result) ? result.by : null
  return typeof by === 'string' ? `${by} completed it at ${finishedAt}` : `It was completed at ${finishedAt}`
}

/**
 * @param known versions that the change is meant for, as `versionOf` writes them; null: any
 * @throws NOT_FOR_PEOPLE, TASK_ENDED (who did it), VERSION_CHANGED (`detail.version` is the present one)
 */
export const demandOpen = (task: TaskRecord, known: readonly string[] | null): void => {
  if (task.doneBy !== 'people')
    throw new MadhavaError('NOT_FOR_PEOPLE', `Workers do tasks of the kind ${task.kind}`)
  if (isFinal(task.status)) throw new MadhavaError('TASK_ENDED', endedBy(task))
  const version = versionOf(task)
  if (known !== null && !known.includes(version))
    throw new MadhavaError(
      'VERSION_CHANGED',
      `The task has changed since it was read: its version is "${version}" now`,
      { detail: { version } },
    )
}

export type EditedFields = Partial<Pick<TaskRecord, 'title' | 'description' | 'params'>>

/** An open one stays PENDING, with other texts. @throws as `demandOpen` */
export const edit =
  (change: EditedFields, known: readonly string[] | null, at: string): Move =>
  task => {
    demandOpen(task, known)
    return enter(task, task.status, at, change)
  }

/** An open one -> SUCCESS. @throws as `demandOpen` */
export const complete =
  (done: Done, known: readonly string[] | null, at: string): Move =>
  task => {
    demandOpen(task, known)
    return enter(task, 'SUCCESS', at, { result: { ...done } satisfies Json, finishedAt: at })
  }
