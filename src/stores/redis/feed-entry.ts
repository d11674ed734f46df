// What an entry of the feed says of a task, by its fields in the stream. Pure: reading and cursors are the feed's business.
import type { RemovedTask } from '../../core/store.ts'
import { decode } from './records.ts'

/** The task that an entry tells of; null where it tells of none. */
export const idIn = ([name, value = '']: readonly string[]): string | null => {
  if (name === 'begin' || name === 'document') return null
  return name === 'task' ? decode(value).id : value
}

/**
 * What an entry says of a task that was removed: whose it was, and its kind. Entries of earlier versions lack the kind, or
 * both; an entry that is no removal has neither.
 */
export const removedIn = ([name, , field, json = '', next, kind]: readonly string[]): RemovedTask => {
  const unknown: RemovedTask = { owner: undefined, kind: undefined }
  if (name !== 'removed' || field !== 'owner') return unknown
  try {
    const owner: unknown = JSON.parse(json)
    if (owner !== null && typeof owner !== 'string') return unknown
    return { owner, kind: next === 'kind' ? kind : undefined }
  } catch {
    return unknown
  }
}
