// Which task a free slot gets: the best one that is due, of a kind that may begin, and that no other slot is taking.
import { setTimeout as wait } from 'node:timers/promises'
import { isReady } from '../../../core/due.ts'
import { MadhavaError } from '../../../core/errors.ts'
import type { KindLimits } from '../../../core/kind-limits.ts'
import type { Move } from '../../../core/moves.ts'
import { countIn } from '../../../core/status.ts'
import type { ClaimOptions } from '../../../core/store.ts'
import { isRunning, isSuspect, type TaskRecord } from '../../../core/task.ts'
import type { LiveIndex } from '../index/live-index.ts'
import type { TaskIndex } from '../index/task-index.ts'
import type { SafeId } from '../layout.ts'
import type { KindLimiter, Permit } from './kind-limits.ts'
import type { Check, TaskMover } from './task-mover.ts'

interface PickerDeps {
  liveIndex: LiveIndex
  mover: TaskMover
  limiter: KindLimiter
}

export interface Picker {
  claimNext(wanted: ClaimOptions, move: Move): Promise<TaskRecord | null>
}

/** It ended, was removed or runs already: the feed tells the index soon. */
const MOVED_ON: readonly string[] = ['ILLEGAL_MOVE', 'TASK_NOT_FOUND']

/** Thrown by a move, so that nothing is written and the claim is released. The index may not know of a death yet. */
class Suspected extends Error {}

/** Thrown by a check, so that nothing is written and the claim is released. */
class HeldBack extends Error {
  readonly contested: boolean
  constructor(contested: boolean) {
    super('the kind is at its limit')
    this.contested = contested
  }
}
/**
 * Takers that see each other all release their claims and begin again with the oldest task. These pauses, with jitter,
 * let one of them be first. After the last pause the kind is left for a while.
 */
const CONTESTS = 12
const CONTEST_MS = 4
const CONTEST_AGAIN_MS = 50

/** How long a task that could not be had is put off, unless it is the only one: its holder writes it soon. */
const ELSEWHERE_MS = 20

/** Ids that were added within the last so many milliseconds. */
const createLately = (forMs: number) => {
  const until = new Map<string, number>()
  return {
    has: (id: string): boolean => (until.get(id) ?? 0) > performance.now(),
    add(id: string): void {
      const now = performance.now()
      for (const [old, at] of until) {
        if (at > now) break
        until.delete(old)
      }
      until.delete(id)
      until.set(id, now + forMs)
    },
  }
}

interface Candidate {
  id: SafeId
  kind: string
  suspect: boolean
}

const runningOf = (index: TaskIndex, kind: string): number =>
  countIn('running', index.counts().byKind[kind] ?? {})

export const createPicker = ({ liveIndex, mover, limiter }: PickerDeps): Picker => {
  /** The task, running now; null when another process has it, or the move has ended it. */
  const tryOne = async (
    id: SafeId,
    { now, allowSuspect }: Pick<ClaimOptions, 'now' | 'allowSuspect'>,
    move: Move,
    check?: Check,
  ): Promise<TaskRecord | null> => {
    try {
      const take: Move = found => {
        // the index may be behind: another process may have tried it meanwhile and put it off
        if (!isReady(found, now)) throw new MadhavaError('ILLEGAL_MOVE')
        if (!allowSuspect && isSuspect(found)) throw new Suspected()
        return move(found)
      }
      // the count of what runs of a kind is taken from the records
      const task = await (check ? mover.claim(id, take, check) : mover.begin(id, take))
      return task && isRunning(task.status) ? task : null
    } catch (error) {
      if (error instanceof MadhavaError && MOVED_ON.includes(error.code)) return null
      throw error
    }
  }

  /**
   * As `tryOne`; `full` when as many of the kind run as may. `before`: tasks of the kind that come first and could not
   * be had.
   */
  const tryWithin = async (
    id: SafeId,
    want: ClaimOptions,
    move: Move,
    maxConcurrency: number,
    before: readonly SafeId[],
  ): Promise<TaskRecord | null | 'full' | 'contested'> => {
    const check: Check = async task => {
      const answer = await limiter.mayBegin(id, task.kind, maxConcurrency)
      if (answer !== 'free') throw new HeldBack(answer === 'contested')
      // one of them is free again, and comes first
      for (const each of before) if (await limiter.isFree(each, want.now)) throw new HeldBack(true)
    }
    try {
      return await tryOne(id, want, move, check)
    } catch (error) {
      if (!(error instanceof HeldBack)) throw error
      return error.contested ? 'contested' : 'full'
    }
  }

  const elsewhere = createLately(ELSEWHERE_MS)

  /** `contested` gets the kinds of which other takers are taking the last free places. */
  const pickFrom = async (
    index: TaskIndex,
    want: ClaimOptions,
    move: Move,
    contested: Set<string>,
  ): Promise<TaskRecord | null | 'stop'> => {
    const { kinds, now, limits = {}, allowSuspect = false, onSuspect, onRateLimited, onKindFull } = want
    const wanted = new Set(kinds)
    const limitOf = (kind: string) => (Object.hasOwn(limits, kind) ? limits[kind] : undefined)
    const hasPlaces = (kind: string): boolean => (limitOf(kind)?.maxConcurrency ?? null) !== null
    /** Tasks of kinds with `maxConcurrency` that others are taking at the moment, in order. */
    const passed = new Map<string, SafeId[]>()
    const passedOf = (kind: string): SafeId[] => passed.get(kind) ?? []

    const passOver = (kind: string, why: 'full' | 'contested'): null => {
      wanted.delete(kind)
      if (why === 'full') onKindFull?.(kind)
      else contested.add(kind)
      return null
    }
    const within = async (
      { id, kind, suspect }: Candidate,
      limit: KindLimits,
    ): Promise<TaskRecord | null> => {
      const { maxConcurrency, rate } = limit
      const before = passedOf(kind)
      // the index saves most of the claims that would be released again, but does not know who is dead
      if (maxConcurrency !== null && runningOf(index, kind) + before.length >= maxConcurrency) {
        const answer = await limiter.mayBegin(id, kind, maxConcurrency)
        if (answer === 'full' || (answer === 'contested' && before.length > 0)) return passOver(kind, answer)
      }
      let permit: Permit | null = null
      if (rate) {
        const answer = limiter.permit(kind, rate, Date.parse(now))
        if ('nextAtMs' in answer) {
          wanted.delete(kind)
          onRateLimited?.(kind, answer.nextAtMs)
          return null
        }
        permit = answer
      }
      let task: TaskRecord | null = null
      try {
        if (suspect && !allowSuspect) throw new Suspected()
        const tried =
          maxConcurrency === null
            ? await tryOne(id, want, move)
            : await tryWithin(id, want, move, maxConcurrency, before)
        if (tried === 'full' || tried === 'contested') passOver(kind, tried)
        else task = tried
      } finally {
        if (!task) permit?.giveBack()
      }
      return task
    }
    /** 'stop': a suspect comes next, and may not be taken here now. */
    const take = async (candidate: Candidate): Promise<TaskRecord | null | 'stop'> => {
      const { id, kind, suspect } = candidate
      const limit = limitOf(kind)
      try {
        if (limit) return await within(candidate, limit)
        if (suspect && !allowSuspect) throw new Suspected()
        return await tryOne(id, want, move)
      } catch (error) {
        if (!(error instanceof Suspected)) throw error
        // another process may be taking it
        if (!(await limiter.isFree(id, now))) return null
        onSuspect?.(id)
        return 'stop'
      }
    }

    // a task that another slot or process is taking is passed over at first, since waiting would not help
    const busy: Candidate[] = []
    for (const { id: text, kind, suspect } of index.waiting().due(now, wanted)) {
      const id = text as SafeId
      const candidate = { id, kind, suspect }
      // a taker for one of few places may have to release the task, which then comes before all others
      const few = hasPlaces(kind)
      if (mover.isBusy(id) || (!few && elsewhere.has(id))) {
        busy.push(candidate)
        if (few) passed.set(kind, [...passedOf(kind), id])
        continue
      }
      const task = await take(candidate)
      if (task) return task
      // a task that the limit of its kind holds back may begin at any moment
      if (!wanted.has(kind)) continue
      if (few) passed.set(kind, [...passedOf(kind), id])
      else elsewhere.add(id)
    }
    for (const candidate of busy) {
      const task = wanted.has(candidate.kind) ? await take(candidate) : null
      if (task) return task
    }
    return null
  }

  return {
    async claimNext(want, move) {
      for (let contest = 1; ; contest += 1) {
        const contested = new Set<string>()
        const task = await pickFrom(await liveIndex.current(), want, move, contested)
        if (task) for (const kind of contested) want.onKindFull?.(kind)
        if (task === 'stop') return null
        if (task || contested.size === 0) return task
        if (contest === CONTESTS) {
          for (const kind of contested) want.onRateLimited?.(kind, Date.parse(want.now) + CONTEST_AGAIN_MS)
          return null
        }
        await wait(Math.random() * CONTEST_MS * contest)
      }
    },
  }
}
