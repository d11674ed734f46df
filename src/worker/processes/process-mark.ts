// The mark of every process that an attempt starts: a variable of its environment, which its descendants inherit. It names
// the worker process for ever, the store, and the attempt; so a later worker knows whose a process was, and that it is left.
import { createHash } from 'node:crypto'
import { isProvedGone, thisProcess } from '../../platform/process-proof.ts'

export const MARK = 'MADHAVA_ATTEMPT'

/** What processes belong to that a kind's file starts while it is loaded: they end with their thread. */
export const THREAD = 'thread'

export interface Mark {
  /** One space of process ids of one boot, as a hash; '-' where the system does not tell. */
  space: string
  pid: number
  startedTicks: string
  /** A word for the store. */
  store: string
  /** The task's id, or THREAD. */
  task: string
  claim: number
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)

let mySpace: string | null = null
const spaceWord = (): string => {
  const { space } = thisProcess()
  mySpace ??= space === null ? '-' : shortHash(space)
  return mySpace
}

/** A word that is the same for two processes when they use one store. @param place such as a folder's path */
export const storeWordOf = (place: string): string => shortHash(place)

/** What the marks of one store begin with that this process makes. */
export const markPrefix = (store: string): string => {
  const { pid, startedTicks } = thisProcess()
  return `${spaceWord()}:${pid}:${startedTicks ?? '-'}:${store}`
}
export const markOf = (prefix: string, task: string, claim: number): string => `${prefix}:${task}:${claim}`

const SHAPE =
  /^(?<space>[^:]+):(?<pid>\d+):(?<startedTicks>[^:]+):(?<store>[^:]+):(?<task>[^:]+):(?<claim>-?\d+)$/

/** Null for what is no mark. */
export const readMark = (text: string): Mark | null => {
  const parts = SHAPE.exec(text)?.groups
  if (!parts) return null
  const { space = '', startedTicks = '', store = '', task = '' } = parts
  return { space, pid: Number(parts.pid), startedTicks, store, task, claim: Number(parts.claim) }
}

/** Made in this space of process ids: else its pid says nothing here. */
export const isOfThisSpace = ({ space }: Mark): boolean => space !== '-' && space === spaceWord()

/** The worker that made the mark is gone for certain. */
export const isOfTheDead = (mark: Mark): boolean => {
  const mine = thisProcess()
  return (
    isOfThisSpace(mark) &&
    isProvedGone({ space: mine.space, pid: mark.pid, startedTicks: mark.startedTicks }, mine)
  )
}
