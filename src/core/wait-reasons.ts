// Why a task waits, in the words of all APIs: the reasons, and what an answer says beside its reason.

/**
 * In order of precedence: of all that hold, the first is the answer. What is about the task alone comes first, then
 * what keeps its kind from any worker, then what keeps workers from taking, then the limits of its kind. BEHIND holds
 * always. A new reason takes its place here and a rule in core/why.ts.
 *
 * FOR_PEOPLE    people do it: it waits until somebody completes it
 * NOT_DUE       its time (`notBefore`) has not come
 * RETRY_WAIT    an attempt failed; the next comes after a wait
 * NO_WORKER     no worker is alive and beats
 * KIND_UNKNOWN  no such worker has the kind
 * NO_ROOM       no worker that has the kind takes any task
 * KIND_FULL     as many of the kind run as its `maxConcurrency` allows
 * RATE          as many of the kind began as its `rate` allows for now
 * BEHIND        others come before it, or it is next and no slot is free yet
 */
export const WAIT_REASONS = [
  'FOR_PEOPLE',
  'NOT_DUE',
  'RETRY_WAIT',
  'NO_WORKER',
  'KIND_UNKNOWN',
  'NO_ROOM',
  'KIND_FULL',
  'RATE',
  'BEHIND',
] as const
export type WaitReason = (typeof WAIT_REASONS)[number]

/** What `detail` says, for programs and for other languages. Each reason has those that it needs. */
export interface WaitFacts {
  /** When its time comes. */
  dueAt?: string
  /** How many of its kind run, of how many that may. */
  running?: number
  maxConcurrency?: number
  /** As in the kind's file. */
  rate?: string
  /** Slots of the workers that take its kind, and how many of them are busy. */
  slots?: number
  busy?: number
  /** What a worker or a file says is wrong, for people. */
  trouble?: string
}

/** Seconds: half of such starts come sooner than `p50`, nine of ten sooner than `p90`. */
export interface StartEstimate {
  p50: number
  p90: number
}

export interface Waiting {
  reason: WaitReason
  /** FOR_PEOPLE, NOT_DUE and RETRY_WAIT: its last move. Any other reason: when it became due. */
  since: string
  /** One or two sentences for people. */
  detail: string
  facts: WaitFacts
  /**
   * How many due tasks come before it, of the kinds that workers have and of its own. Null: it is not due, or more than
   * POSITION_MAX come before it.
   */
  position: number | null
  /** When it is likely to start. Null: nothing to estimate from, or somebody has to do something first. */
  startsIn: StartEstimate | null
}

/** Positions up to this are exact. */
export const POSITION_MAX = 10_000
