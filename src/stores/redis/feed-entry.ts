// What an entry of the feed says of a task, by its fields in the stream. Pure: reading and cursors are the feed's business.
import { decode } from './records.ts'

/** The task that an entry tells of; null where it tells of none. */
export const idIn = ([name, value = '']: readonly string[]): string | null => {
  if (name === 'begin' || name === 'document') return null
  return name === 'task' ? decode(value).id : value
}

/**
 * Whose task a removal took away, null for nobody's; undefined where the entry does not say it, as those of an earlier
 * version, and where it is no removal.
 */
export const removedOwnerIn = ([name, , field, json = '']: readonly string[]): string | null | undefined => {
  if (name !== 'removed' || field !== 'owner') return undefined
  try {
    const owner: unknown = JSON.parse(json)
    return owner === null || typeof owner === 'string' ? owner : undefined
  } catch {
    return undefined
  }
}
