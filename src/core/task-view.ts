// A task as clients see it: its record without what only the server needs. As lists show it: with long params and a long
// result cut to previews, and without its attempts and artifacts.
import { showArtifact } from './artifacts.ts'
import { cutText } from './cut-text.ts'
import type { Artifact } from './kind.ts'
import type { Json, TaskRecord } from './task.ts'

export const PREVIEW_CHARACTERS = 256

/** `Omit` would forget the names of a record that keeps unknown fields. */
type Without<Names extends string> = {
  [Name in keyof TaskRecord as Name extends Names ? never : Name]: TaskRecord[Name]
}
/** A record as clients get it. */
export type ShownTask = Without<'submittedBy' | 'artifacts'> & { artifacts?: Artifact[] | undefined }
type Listed = Without<'attempts' | 'artifacts' | 'submittedBy'>
export type TaskView = Listed & { paramsTruncated: boolean; resultTruncated: boolean }

/**
 * The record for clients: without the address and the key that quotas count by, which may be somebody else's, and
 * without the places where the bytes of artifacts stand.
 */
export const showTask = (task: TaskRecord): ShownTask => {
  if (task.submittedBy === undefined && task.artifacts === undefined) return task
  const { submittedBy: _, artifacts, ...shown } = task
  return artifacts === undefined ? shown : { ...shown, artifacts: artifacts.map(showArtifact) }
}

/** The beginning of a long text, or of long JSON; null if it is short. */
const previewOf = (value: Json): string | null => {
  const json = JSON.stringify(value)
  if (json.length <= PREVIEW_CHARACTERS) return null
  return cutText(typeof value === 'string' ? value : json, PREVIEW_CHARACTERS)
}

/**
 * A value longer than 256 characters of JSON becomes a text: the beginning of the string, or of the JSON.
 * `paramsTruncated` says so of params. `resultTruncated` is also true if the result is kept in a blob.
 */
export const viewTask = (task: TaskRecord): TaskView => {
  const { attempts: _, submittedBy: __, artifacts: ___, ...listed } = task
  const [params, result] = [previewOf(task.params), previewOf(task.result)]
  return {
    ...listed,
    params: params ?? task.params,
    result: result ?? task.result,
    paramsTruncated: params !== null,
    resultTruncated: result !== null || task.resultBytes !== null,
  }
}
