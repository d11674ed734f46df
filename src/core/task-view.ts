// A task as lists show it: the record with a long result cut to a preview.
import { cutText } from './cut-text.ts'
import type { TaskRecord } from './task.ts'

export const PREVIEW_CHARACTERS = 256

export type TaskView = TaskRecord & { resultTruncated: boolean }

/**
 * `resultTruncated` is true when the whole result is elsewhere: cut here because its JSON is longer than 256
 * characters (then `result` is text: the beginning of the string, or of the JSON), or kept beside the record.
 */
export const viewTask = (task: TaskRecord): TaskView => {
  const { result } = task
  const json = JSON.stringify(result)
  if (json.length <= PREVIEW_CHARACTERS) return { ...task, resultTruncated: task.resultBytes !== null }
  const text = typeof result === 'string' ? result : json
  return { ...task, result: cutText(text, PREVIEW_CHARACTERS), resultTruncated: true }
}
