// Asks all processes to read the folders of kinds again, waits for their answers, and decides: all use what they have
// read, or none does. The decision is one write, which fails if anybody has dropped the trial meanwhile.
import { setTimeout as wait } from 'node:timers/promises'
import { isMadhavaError, MadhavaError } from '../errors.ts'
import { describeTroubles } from '../kind-trouble.ts'
import type { SeenPresence } from '../presence.ts'
import type { Answer, Trial } from './forms.ts'
import type { Current, Trials } from './trials.ts'

export interface ReloadedProcess {
  role: string
  instance: string
  host: string
  pid: number
  /** False: it has not said so yet. It does when it sees the decision. */
  isUsed: boolean
}

/** What all processes use now, by the names of kinds. */
export interface KindsReloaded {
  id: string
  added: string[]
  changed: string[]
  removed: string[]
  /** How many kinds are as they were. */
  unchanged: number
  processes: ReloadedProcess[]
}

export interface AskerDeps {
  trials: Trials
  presences(): Promise<readonly SeenPresence[]>
  /** This process, where it has kinds itself; null: it only asks. */
  instance: string | null
  /** The store's time. */
  clock: () => Date
  newId: () => string
  /** Milliseconds; does not jump. */
  steady?: () => number
  /** How long the processes may take, milliseconds. */
  waitMs?: number
  /** Called when this process has written something that it should see itself. */
  onWritten?: () => void
}

/** Others may drop the trial so much later, milliseconds: whoever asked tells the reasons first. */
const MARGIN_MS = 5_000
const WAIT_MS = 60_000
/** How often it looks for answers, milliseconds. */
const LOOK_MS = 50
/** So much longer it waits for the other processes when one has refused, and for what they use when all have agreed. */
const REST_MS = { refused: 2_000, used: 10_000 }
const ROLES = ['api', 'worker', 'rpc', 'dashboard']
const AGAIN = 'the files changed while they were read; try again'

type Problem = { path: string; problem: string }

interface Told {
  presence: SeenPresence
  answer: Answer | null
}

/** Where something was said, unless all say it. */
const placeOf = (told: readonly Told[], all: readonly Told[]): string => {
  if (told.length === all.length) return ''
  const hosts = new Set(all.map(({ presence }) => presence.host))
  const places = told.map(({ presence: { role, host } }) => (hosts.size > 1 ? `${role} on ${host}` : role))
  return ` (${[...new Set(places)].sort().join(', ')})`
}

const troublesIn = (all: readonly Told[]): Problem[] => {
  const found = new Map<string, { file: string; reason: string; told: Told[] }>()
  for (const one of all)
    for (const { file, reason } of one.answer?.troubles ?? []) {
      const seen = found.get(`${file}\n${reason}`) ?? { file, reason, told: [] }
      found.set(`${file}\n${reason}`, seen)
      seen.told.push(one)
    }
  return [...found.values()].map(({ file, reason, told }) => ({
    path: file,
    problem: `${reason}${placeOf(told, all)}`,
  }))
}

const silentIn = (all: readonly Told[], waitMs: number): Problem[] =>
  all
    .filter(({ answer }) => answer === null)
    .map(({ presence: { role, pid, host } }) => ({
      path: role,
      problem: `process ${pid} on ${host} has not answered within ${Math.round(waitMs / 1000)} s`,
    }))

/** Processes of one bundle have one folder, and must have read the same there. */
const mixedIn = (all: readonly Told[]): Problem[] => {
  const byBundle = new Map<string, Set<string | null>>()
  for (const { presence, answer } of all) {
    const bundle = presence.details.bundle ?? ''
    byBundle.set(bundle, (byBundle.get(bundle) ?? new Set()).add(answer?.code ?? null))
  }
  return [...byBundle.values()].some(codes => codes.size > 1) ? [{ path: 'KINDS_DIR', problem: AGAIN }] : []
}

const foldersIn = (all: readonly Told[]): Problem[] =>
  all.some(({ answer }) => answer?.hasFolder)
    ? []
    : [
        {
          path: 'KINDS_DIR',
          problem:
            'it is not set, so there is nothing to read again; set it to a folder of kinds, and restart',
        },
      ]

/** Why it cannot be used by all; empty: it can. Pure. */
export const problemsOf = (all: readonly Told[], waitMs: number): Problem[] => {
  if (all.length === 0) return [{ path: 'processes', problem: 'none runs that has kinds' }]
  const first = [...troublesIn(all), ...silentIn(all, waitMs)]
  if (first.length > 0) return first
  const folders = foldersIn(all)
  return folders.length > 0 ? folders : mixedIn(all)
}

const failed = (problems: readonly Problem[]): MadhavaError => {
  const told = problems.map(({ path, problem }) => ({ name: path, file: path, reason: problem }))
  return new MadhavaError('KINDS_NOT_LOADED', `The kinds stay as they are: ${describeTroubles(told)}`, {
    detail: { problems },
  })
}

const namesIn = (all: readonly Told[], key: 'added' | 'changed' | 'removed'): string[] =>
  [...new Set(all.flatMap(({ answer }) => answer?.[key] ?? []))].sort()

const outcomeOf = (id: string, all: readonly Told[]): KindsReloaded => ({
  id,
  added: namesIn(all, 'added'),
  changed: namesIn(all, 'changed'),
  removed: namesIn(all, 'removed'),
  unchanged: Math.max(0, ...all.map(({ answer }) => answer?.unchanged ?? 0)),
  processes: all
    .map(({ presence: { role, instance, host, pid }, answer }) => ({
      ...{ role, instance, host, pid },
      isUsed: answer?.isUsed ?? false,
    }))
    .sort((a, b) => (`${a.role} ${a.host} ${a.pid}` < `${b.role} ${b.host} ${b.pid}` ? -1 : 1)),
})

const reloading = (): MadhavaError => new MadhavaError('KINDS_RELOADING')

/**
 * Resolves when all use what was read.
 * @throws KINDS_RELOADING while another trial is under way; KINDS_NOT_LOADED (`detail.problems`: the file, and the
 * reason), after which all go on with what they had; STORE_UNAVAILABLE, STORE_FULL
 */
export const createReloadAsker = (deps: AskerDeps): (() => Promise<KindsReloaded>) => {
  const { trials, presences, instance, clock, newId, waitMs = WAIT_MS } = deps
  const { steady = () => performance.now(), onWritten = () => {} } = deps

  const isUnderWay = async ({ state, deadline, by }: Trial): Promise<boolean> => {
    if (state !== 'trying' || clock().getTime() >= Date.parse(deadline)) return false
    // one that only asks has no presence, and nobody knows whether it lives
    return by === '' || (await presences()).some(one => one.instance === by && one.alive)
  }

  /** @throws KINDS_RELOADING */
  const begin = async (): Promise<Trial> => {
    const { trial: before, rev } = await trials.current()
    if (before && (await isUnderWay(before))) throw reloading()
    const now = clock()
    const trial: Trial = {
      type: 'trial',
      id: newId(),
      by: instance ?? '',
      at: now.toISOString(),
      deadline: new Date(now.getTime() + waitMs + MARGIN_MS).toISOString(),
      state: 'trying',
      used: before?.used ?? null,
    }
    await trials.write(trial, rev).catch((error: unknown) => {
      throw isMadhavaError(error, 'DOCUMENT_CHANGED') ? reloading() : error
    })
    onWritten()
    return trial
  }

  /** An answer stays as it is, until the process says that it uses what it has read. */
  const createTable = (id: string) => {
    const answers = new Map<string, Answer>()
    return async (awaited: 'answer' | 'use'): Promise<Told[]> => {
      const alive = (await presences()).filter(one => one.alive && ROLES.includes(one.role))
      return Promise.all(
        alive.map(async presence => {
          const known = answers.get(presence.instance) ?? null
          if (known !== null && (known.isUsed || awaited === 'answer')) return { presence, answer: known }
          const answer = (await trials.answerOf(id, presence.instance)) ?? known
          if (answer) answers.set(presence.instance, answer)
          return { presence, answer }
        }),
      )
    }
  }

  const pause = (): Promise<void> => wait(LOOK_MS)

  /** Looks until `isEnough`, or the time is over. A store that is away for a moment is asked again. */
  const watch = async (
    look: () => Promise<Told[]>,
    ms: number,
    isEnough: (all: readonly Told[], sinceMs: number) => boolean,
  ): Promise<Told[]> => {
    const begunAt = steady()
    for (let last: Told[] = []; ; await pause()) {
      let failure: unknown = null
      try {
        last = await look()
      } catch (error) {
        failure = error
      }
      const sinceMs = steady() - begunAt
      if (failure === null && isEnough(last, sinceMs)) return last
      if (sinceMs < ms) continue
      if (failure !== null) throw failure
      return last
    }
  }

  const hasRefused = ({ answer }: Told): boolean => answer !== null && answer.troubles.length > 0

  /** All have answered; or one has refused, and the others had their time to. */
  const untilAnswered = () => {
    let refusedAt: number | null = null
    return (all: readonly Told[], sinceMs: number): boolean => {
      if (all.length > 0 && all.every(({ answer }) => answer !== null)) return true
      if (refusedAt === null && all.some(hasRefused)) refusedAt = sinceMs
      return refusedAt !== null && sinceMs - refusedAt >= REST_MS.refused
    }
  }

  /** Whether it is decided so; false: somebody has decided otherwise. */
  const decide = async (trial: Trial, state: 'used' | 'dropped'): Promise<boolean> => {
    const decided = { ...trial, state, used: state === 'used' ? trial.id : trial.used }
    const begunAt = steady()
    for (; ; await pause()) {
      let now: Current
      try {
        now = await trials.current()
        if (now.trial?.id !== trial.id) return false
        if (now.trial.state !== 'trying') return now.trial.state === state
        await trials.write(decided, now.rev)
        onWritten()
        return true
      } catch (error) {
        // written or not: the next look tells
        if (!isMadhavaError(error, 'DOCUMENT_CHANGED') && steady() - begunAt >= MARGIN_MS) throw error
      }
    }
  }

  return async () => {
    const trial = await begin()
    const look = createTable(trial.id)
    let all: Told[]
    try {
      all = await watch(() => look('answer'), waitMs, untilAnswered())
    } catch (error) {
      await decide(trial, 'dropped').catch(() => {})
      throw error
    }
    const problems = problemsOf(
      all.some(hasRefused) ? all.filter(({ answer }) => answer !== null) : all,
      waitMs,
    )
    if (problems.length > 0) {
      await decide(trial, 'dropped').catch(() => {})
      throw failed(problems)
    }
    if (!(await decide(trial, 'used')))
      throw failed([{ path: 'processes', problem: 'they have taken too long; try again' }])
    // a process without an answer has started since, and has read what is there
    const isDone = (now: readonly Told[]): boolean =>
      now.every(({ answer }) => answer === null || answer.isUsed)
    const last = await watch(() => look('use'), REST_MS.used, isDone).catch(() => all)
    return outcomeOf(
      trial.id,
      last.filter(({ answer }) => answer !== null),
    )
  }
}
