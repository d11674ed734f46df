// A task as lists show it: the record with a long result cut to a preview.
import type { TaskRecord } from './task.ts'

export const PREVIEW_CHARACTERS = 256

export type TaskView = TaskRecord & { resultTruncated: boolean }

/** The first characters, without half of a surrogate pair at the end. */
const cut = (text: string): string => text.slice(0, PREVIEW_CHARACTERS).replace(/[\ud800-\udbff]$/, '')

/**
 * `resultTruncated` is true when the whole result is elsewhere: cut here because its JSON is longer than 256
 * characters (then `result` is text: the beginning of the string, or of the JSON), or kept beside the record.
 */
export const viewTask = (task: TaskRecord): TaskView => {
  const { result } = task
  const json = JSON.stringify(result)
  if (json.length <= PREVIEW_CHARACTERS) return { ...task, resultTruncated: task.resultBytes !== null }
  return { ...task, result: cut(typeof result === 'string' ? result : json), resultTruncated: true }
}
