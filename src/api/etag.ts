// Entity tags of tasks: which version of a record a client has seen.
import { type TaskRecord, versionOf } from '../core/task.ts'

/** The version, quoted: strong, since a record changes with every move. */
export const etagOf = (task: Pick<TaskRecord, 'claim' | 'rev' | 'status' | 'revokeRequestedAt'>): string =>
  `"${versionOf(task)}"`

/** Whether an If-None-Match header names the tag: a list or `*`, compared weakly as RFC 9110 has it. */
export const matchesEtag = (header: string | undefined, etag: string): boolean => {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag)
}
