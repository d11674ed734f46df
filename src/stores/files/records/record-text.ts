// Changes as lines of the write-ahead log and of the feed. Each record is made text once for both.
import type { TaskRecord } from '../../../core/task.ts'

const texts = new WeakMap<TaskRecord, string>()

/** The JSON of a record in one line. */
export const textOf = (task: TaskRecord): string => {
  const known = texts.get(task)
  if (known !== undefined) return known
  const text = JSON.stringify(task)
  texts.set(task, text)
  return text
}

/** One line of NDJSON, with its end. Records are not changed after they have been given here. */
export const toLine = (entry: { type: string; task?: TaskRecord }): string => {
  const { task, ...rest } = entry
  if (!task) return `${JSON.stringify(entry)}\n`
  return `${JSON.stringify(rest).slice(0, -1)},"task":${textOf(task)}}\n`
}
