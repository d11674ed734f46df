// Entity tags of tasks: which version of a record a client has seen.
import { isFinal, type TaskRecord } from '../core/task.ts'

/**
 * `"<claim>-<rev>"`. A wish to cancel that waits for the holder shows in the record before its rev moves, so it
 * has a mark of its own.
 */
export const etagOf = (task: Pick<TaskRecord, 'claim' | 'rev' | 'status' | 'revokeRequestedAt'>): string => {
  const waiting = task.revokeRequestedAt !== null && !isFinal(task.status)
  return `"${task.claim}-${task.rev}${waiting ? '-revoking' : ''}"`
}

/** Whether an If-None-Match header names the tag: a list or `*`, compared weakly as RFC 9110 has it. */
export const matchesEtag = (header: string | undefined, etag: string): boolean => {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag)
}
