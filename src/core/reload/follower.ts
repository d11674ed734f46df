// A process's part in a reload of the kinds: it reads when that is tried, answers, and uses what it has read when all
// have agreed. It decides nothing, but that a trial whose time is over is dropped: whoever asked may be dead.
//
// It looks at one document again and again, and does not follow the feed: that would have every process read every
// change of every task.
import { isMadhavaError, toMadhavaError } from '../errors.ts'
import { codeOfSet, type KindSet, type KindSets } from '../kind-sets.ts'
import { publicReason } from '../kind-trouble.ts'
import { differenceOf, type KindDifference } from './difference.ts'
import { type Answer, NAMES_TOLD, TROUBLES_TOLD, type Trial } from './forms.ts'
import type { Current, Trials } from './trials.ts'

/** Milliseconds between two looks: while nothing is tried, and while something is. */
const PACE = { idle: 500, trying: 50 }

export interface FollowerDeps {
  trials: Trials
  kindSets: Pick<KindSets, 'current' | 'read' | 'use' | 'drop'>
  /** This process. */
  instance: string
  /** Whether it has a folder of kinds. */
  hasFolder: boolean
  /**
   * `Trial.used` as it was before the set in use was read: that reading has what was agreed on then. Undefined: it is
   * not known, and what was agreed on last is read again.
   */
  before: string | null | undefined
  /** The store's time. */
  clock: () => Date
  onUsed(difference: KindDifference & { id: string }): void
  /** It could not use what the others use. */
  onLeftBehind(reason: string): void
  /** It cannot answer now; it tries again. */
  onUnanswered(error: unknown): void
  pace?: { idle: number; trying: number }
}

export interface ReloadFollower {
  /** Looks at once: this process has changed something. */
  look(): void
  /** Why it uses older kinds than the others; null: it does not. */
  trouble(): string | null
  /** When the set in use was put in use, in the store's time. */
  usedAt(): Date
  counters(): { kindsReloaded: number; kindsReloadsDropped: number }
  /** Idempotent. */
  close(): Promise<void>
}

type Reading = { set: KindSet } | { error: unknown }

/** What this process has read for a trial. */
interface Held {
  id: string
  reading: Promise<Reading>
  read: Reading | null
  isAnswered: boolean
}

const reasonOf = (error: unknown): string => publicReason(toMadhavaError(error).message)

const troublesOf = (set: KindSet): { file: string; reason: string }[] =>
  set.kinds.troubles().map(({ file, reason }) => ({ file, reason }))

/** Why a reading cannot be used as a whole; null: it can. */
const flawOf = (read: Reading): string | null => {
  if ('error' in read) return reasonOf(read.error)
  const [first] = troublesOf(read.set)
  return first ? `${first.file}: ${first.reason}` : null
}

const answerOf = (id: string, read: Reading, before: KindSet, hasFolder: boolean): Answer => {
  const base = { type: 'answer' as const, id, hasFolder, isUsed: false }
  if ('error' in read)
    return {
      ...base,
      ...{ code: null, added: [], changed: [], removed: [], unchanged: 0 },
      troubles: [{ file: 'KINDS_DIR', reason: reasonOf(read.error) }],
    }
  const { added, changed, removed, unchanged } = differenceOf(before, read.set)
  return {
    ...base,
    code: codeOfSet(read.set),
    troubles: troublesOf(read.set).slice(0, TROUBLES_TOLD),
    added: added.slice(0, NAMES_TOLD),
    changed: changed.slice(0, NAMES_TOLD),
    removed: removed.slice(0, NAMES_TOLD),
    unchanged,
  }
}

export const followReloads = (deps: FollowerDeps): ReloadFollower => {
  const { trials, kindSets, instance, hasFolder, clock, onUsed, onLeftBehind, onUnanswered } = deps
  const { pace = PACE } = deps
  let applied = deps.before
  let held: Held | null = null
  let trouble: string | null = null
  let usedAt = clock()
  const counters = { kindsReloaded: 0, kindsReloadsDropped: 0 }

  /** Whatever comes of the reading is not used. */
  const free = (): void => {
    const before = held
    held = null
    void before?.reading.then(read => {
      if ('set' in read) kindSets.drop(read.set)
    })
  }

  const answer = async (mine: Held, isUsed = false, set = kindSets.current()): Promise<void> => {
    if (mine.read === null) return
    try {
      await trials.answer({ ...answerOf(mine.id, mine.read, set, hasFolder), isUsed }, instance)
      mine.isAnswered = true
    } catch (error) {
      onUnanswered(error)
    }
  }

  /** Reads without waiting for it: a file may take for ever, and must not keep this process from the next trial. */
  const begin = (id: string): Held => {
    const mine: Held = {
      id,
      reading: kindSets.read().then(
        set => ({ set }),
        (error: unknown) => ({ error }),
      ),
      read: null,
      isAnswered: false,
    }
    void mine.reading.then(read => {
      mine.read = read
      look()
    })
    return mine
  }

  /** Uses what was agreed on, or goes on with the old kinds if that cannot be read here. */
  const use = async (mine: Held): Promise<void> => {
    const { id, read } = mine
    if (read === null) return
    const flaw = flawOf(read)
    if (flaw !== null && mine.isAnswered) {
      // a process that nobody waited for read it before the others agreed: the files may be whole by now
      free()
      held = begin(id)
      return
    }
    trouble = flaw
    applied = id
    if ('error' in read || flaw !== null) {
      free()
      onLeftBehind(flaw ?? '')
      return
    }
    held = null
    const before = kindSets.current()
    kindSets.use(read.set)
    usedAt = clock()
    counters.kindsReloaded += 1
    onUsed({ id, ...differenceOf(before, read.set) })
    await answer(mine, true, before)
  }

  const dropIfLate = async (trial: Trial, rev: Current['rev']): Promise<void> => {
    if (clock().getTime() < Date.parse(trial.deadline)) return
    await trials.write({ ...trial, state: 'dropped' }, rev).catch((error: unknown) => {
      // somebody else has, or it was decided just now
      if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
    })
  }

  /** One look; answers whether another one should follow soon. */
  const act = async (): Promise<boolean> => {
    const { trial, rev } = await trials.current()
    if (trial === null) {
      free()
      applied ??= null
      return false
    }
    const { id, state, used } = trial
    if (state === 'trying') {
      // what is tried now is newer than whatever was missed
      if (held !== null && held.id !== id) free()
      held ??= begin(id)
      if (!held.isAnswered) await answer(held)
      await dropIfLate(trial, rev)
      return true
    }
    if (held !== null && (used === applied || held.id !== used)) {
      if (held.id === id) counters.kindsReloadsDropped += 1
      free()
    }
    if (used === null || used === applied) applied = used
    else {
      held ??= begin(used)
      await use(held)
    }
    return held !== null
  }

  let isEnding = false
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> | null = null
  let isWanted = false

  const run = async (): Promise<void> => {
    let wait = pace.idle
    do {
      isWanted = false
      // a store that is away says nothing; the next look asks again
      wait = (await act().catch(() => false)) ? pace.trying : pace.idle
    } while (isWanted && !isEnding)
    running = null
    if (!isEnding) timer = setTimeout(look, wait).unref()
  }
  const look = (): void => {
    isWanted = true
    if (timer) clearTimeout(timer)
    timer = null
    if (running === null && !isEnding) running = run()
  }
  look()

  return {
    look,
    trouble: () => trouble,
    usedAt: () => usedAt,
    counters: () => ({ ...counters }),
    async close() {
      isEnding = true
      if (timer) clearTimeout(timer)
      free()
      await running
    },
  }
}
