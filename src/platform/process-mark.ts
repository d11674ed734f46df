// The mark of every process that an attempt starts: an environment variable that descendants inherit. It names the
// worker process uniquely, the store and the attempt, so a later worker knows whose process it was and that it was
// left behind.
import { createHash } from 'node:crypto'
import { isProvedGone, thisProcess } from './process-proof.ts'

export const MARK = 'MADHAVA_ATTEMPT'

/** The owner of processes that a kind's file starts while it loads: they end with their thread. */
export const THREAD = 'thread'

export interface ProcessMark {
  /** A hash of the pid namespace and the boot; '-' if the system does not tell. */
  space: string
  pid: number
  startedTicks: string
  /** Identifies the store. */
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

/** Equal for two processes that use the same store. @param place such as a folder's path */
export const storeHash = (place: string): string => shortHash(place)

/** The prefix of the marks that this process makes for one store. */
export const markPrefix = (store: string): string => {
  const { pid, startedTicks } = thisProcess()
  return `${spaceWord()}:${pid}:${startedTicks ?? '-'}:${store}`
}
export const markOf = (prefix: string, task: string, claim: number): string => `${prefix}:${task}:${claim}`

const SHAPE =
  /^(?<space>[^:]+):(?<pid>\d+):(?<startedTicks>[^:]+):(?<store>[^:]+):(?<task>[^:]+):(?<claim>-?\d+)$/

/** Null if it is no mark. */
export const readMark = (text: string): ProcessMark | null => {
  const parts = SHAPE.exec(text)?.groups
  if (!parts) return null
  const { space = '', startedTicks = '', store = '', task = '' } = parts
  return { space, pid: Number(parts.pid), startedTicks, store, task, claim: Number(parts.claim) }
}

/** Made in this pid namespace: otherwise its pid means nothing here. */
export const isOfThisNamespace = ({ space }: ProcessMark): boolean => space !== '-' && space === spaceWord()

/** The worker that made the mark is certainly gone. */
export const isWorkerDead = (mark: ProcessMark): boolean => {
  const mine = thisProcess()
  return (
    isOfThisNamespace(mark) &&
    isProvedGone({ space: mine.space, pid: mark.pid, startedTicks: mark.startedTicks }, mine)
  )
}
