// Whether this bundle can do its work: the store can be used and every role is alive. Degraded, but still ready: a
// queue that is away (submits are accepted and run later), a full disk (running tasks go on, reads work), and a
// missing worker while another bundle's worker uses the same store. Times are taken from a monotonic clock.
import { within } from './async/deadline.ts'
import { isMadhavaError, MadhavaError, toMadhavaError } from './errors.ts'
import { describeTroubles, type SeenKindTrouble, seenKindTroubles } from './kind-trouble.ts'
import type { TaskQueue } from './queue.ts'
import type { SeenPresence, TaskStore } from './store.ts'

export interface CheckResult {
  status: 'ok' | 'degraded' | 'failed'
  reason?: string
}

/**
 * `ok` when no check failed. The checks are `store`, `queue`, each role by its name, and `kinds` if a kind's file
 * cannot be used.
 */
export interface Readiness {
  ok: boolean
  checks: Record<string, CheckResult>
}

export interface ReadinessDeps {
  /** `presences` may include other bundles on the same store. */
  store: Pick<TaskStore, 'check' | 'presences'>
  /** Whether a presence belongs to this bundle; left out: all do. */
  isOwn?: (presence: SeenPresence) => boolean
  queue: Pick<TaskQueue, 'state'>
  /** The roles that ROLES names. */
  roles: readonly string[]
  clock: () => Date
  /** Milliseconds of a monotonic clock. */
  elapsed?: () => number
  /** Why the last process of a role ended, for people; null if it has said nothing since that time. */
  lastWords?: (role: string, sinceMs: number) => Promise<string | null>
  /** How long the store may take to answer, milliseconds. */
  storeMs?: number
  /** How long a role may be without a presence or a beat before it counts as gone, milliseconds. */
  absentMs?: number
  /** Milliseconds between checks of its own, so that gaps are measured even without requests. */
  everyMs?: number
}

export interface ReadinessProbe {
  /** Never rejects. */
  check(): Promise<Readiness>
  /** Idempotent. */
  close(): void
}

/** Milliseconds without a sign of life after which a process counts as gone. */
const ABSENT_MS = 30_000

const silence = (ageMs: number, absentMs: number): string | null =>
  ageMs >= absentMs ? `No beat for ${Math.floor(ageMs / 1000)} s: frozen or overloaded` : null

/**
 * Why a live process does no work; null while it beats. A stopped or starved process still holds its claims and its
 * socket. A beat in the future counts as fresh: clocks may be set back.
 * @param now milliseconds since 1970
 */
export const whySilent = (
  { beatAt }: Pick<SeenPresence, 'beatAt'>,
  now: number,
  absentMs: number = ABSENT_MS,
): string | null => silence(now - Date.parse(beatAt), absentMs)

/** Roles whose work any process on the same store can do. An API, by contrast, serves only its own address. */
const SHARED_ROLES: readonly string[] = ['worker']

/** Who does the work of a role that is missing here; null: nobody. `others` are live processes of other bundles. */
const servedBy = (role: string, others: readonly SeenPresence[]): string | null => {
  const other = SHARED_ROLES.includes(role) ? others.find(presence => presence.role === role) : undefined
  return other ? `Tasks are run all the same: by a ${role} on ${other.host} that shares the store` : null
}

/** When the last seen process of a role began, milliseconds since 1970; its last words are younger. */
export const lastStartOf = (presences: readonly SeenPresence[], role: string): number =>
  Math.max(
    Number.NEGATIVE_INFINITY,
    ...presences.filter(presence => presence.role === role).map(({ startedAt }) => Date.parse(startedAt)),
  )

/**
 * What is wrong with each of `roles` now, from a single look without history. `degraded`: other processes do the
 * work.
 * @param now milliseconds since 1970
 * @param isOwn whether a presence belongs to this bundle
 */
export const roleProblems = (
  presences: readonly SeenPresence[],
  roles: readonly string[],
  now: number,
  isOwn: (presence: SeenPresence) => boolean = () => true,
): Map<string, { status: 'degraded' | 'failed'; reason: string }> => {
  const problems = new Map<string, { status: 'degraded' | 'failed'; reason: string }>()
  const alive = presences.filter(presence => presence.alive)
  const others = alive.filter(presence => !isOwn(presence) && whySilent(presence, now) === null)
  for (const role of roles) {
    const silent = alive
      .filter(presence => presence.role === role && isOwn(presence))
      .map(presence => whySilent(presence, now))
    if (silent.includes(null)) continue
    const reason = silent[0] ?? `No ${role} process is alive`
    const served = servedBy(role, others)
    problems.set(
      role,
      served === null ? { status: 'failed', reason } : { status: 'degraded', reason: `${reason}. ${served}` },
    )
  }
  return problems
}

interface Observation {
  /** Roles with a process that beats. */
  alive: Set<string>
  /** Processes of other bundles that beat. */
  others: SeenPresence[]
  /** Roles with a process that is alive but silent, and why. */
  silent: Map<string, string>
  /** Roles with a process that beats and reports a problem, and which. */
  troubled: Map<string, string>
  /** Kinds whose files processes of this bundle could not load. */
  kinds: SeenKindTrouble[]
}

/** The store's answer. @throws STORE_UNAVAILABLE when it is late, and what the store throws */
const answerOf = <T>(asked: Promise<T>, ms: number): Promise<T> =>
  within(ms, asked, () => {
    throw new MadhavaError('STORE_UNAVAILABLE', `The store gave no answer within ${ms} ms`)
  })

/**
 * Finds silent processes over repeated checks: a beat has not moved for `absentMs`. The first check of a process only
 * has the time in the beat.
 */
const createBeatWatch = (absentMs: number, elapsed: () => number) => {
  let known = new Map<string, { beatAt: string; movedAt: number }>()
  return (presences: readonly SeenPresence[], wallMs: number): Map<SeenPresence, string> => {
    const now = elapsed()
    const silent = new Map<SeenPresence, string>()
    const seen: typeof known = new Map()
    for (const presence of presences) {
      const { instance, beatAt } = presence
      const before = known.get(instance)
      const age = Math.max(0, wallMs - Date.parse(beatAt))
      const movedAt = before ? (before.beatAt === beatAt ? before.movedAt : now) : now - age
      seen.set(instance, { beatAt, movedAt })
      const reason = silence(now - movedAt, absentMs)
      if (reason !== null) silent.set(presence, reason)
    }
    known = seen
    return silent
  }
}

/** Starts to watch the roles. Each has `absentMs` from now to appear. */
export const createReadiness = (deps: ReadinessDeps): ReadinessProbe => {
  const { store, queue, roles, clock, isOwn = () => true, lastWords = async () => null } = deps
  const { storeMs = 1_000, absentMs = ABSENT_MS, everyMs = 5_000, elapsed = () => performance.now() } = deps
  const start = elapsed()
  const lastSeen = new Map(roles.map(role => [role, start]))
  /** When the youngest process seen of a role began. */
  const lastStart = new Map<string, number>()
  const silentOf = createBeatWatch(absentMs, elapsed)

  const observe = async (): Promise<Observation> => {
    const alive = new Set<string>()
    const silent = new Map<string, string>()
    const troubled = new Map<string, string>()
    const presences = await answerOf(store.presences(), storeMs)
    const own = presences.filter(isOwn)
    for (const role of roles)
      lastStart.set(role, Math.max(lastStart.get(role) ?? Number.NEGATIVE_INFINITY, lastStartOf(own, role)))
    const living = presences.filter(seen => seen.alive)
    const reasons = silentOf(living, clock().getTime())
    for (const presence of living.filter(isOwn)) {
      const reason = reasons.get(presence)
      if (reason === undefined) alive.add(presence.role)
      else silent.set(presence.role, reason)
      const troubles = Object.entries(presence.details.troubles)
        // a separate check, since all processes read the same files
        .filter(([part]) => part !== 'kinds')
        .map(([part, words]) => `${part}: ${words}`)
      if (reason === undefined && troubles.length > 0) troubled.set(presence.role, troubles.join('; '))
    }
    for (const role of roles) if (alive.has(role)) lastSeen.set(role, elapsed())
    const others = living.filter(presence => !isOwn(presence) && !reasons.has(presence))
    return { alive, others, silent, troubled, kinds: seenKindTroubles([], living.filter(isOwn)) }
  }

  const checkStore = async (): Promise<CheckResult> => {
    try {
      await answerOf(store.check(), storeMs)
      return { status: 'ok' }
    } catch (error) {
      const status = isMadhavaError(error, 'STORE_FULL') ? 'degraded' : 'failed'
      return { status, reason: toMadhavaError(error).message }
    }
  }
  const checkQueue = (): CheckResult => {
    const { status, reason } = queue.state()
    return status === 'ready' ? { status: 'ok' } : { status: 'degraded', reason: reason ?? status }
  }
  /** If some processes can use a file and others cannot, it was changed in between; the roles say which. */
  const checkKinds = ({ kinds, alive }: Observation): CheckResult | null => {
    if (kinds.length === 0) return null
    const all = roles.filter(role => alive.has(role))
    const named = kinds.map(({ roles: told, ...trouble }) =>
      all.every(role => told.includes(role))
        ? trouble
        : { ...trouble, reason: `${trouble.reason} (in ${told.join(', ')})` },
    )
    return { status: 'degraded', reason: describeTroubles(named) }
  }
  const checkRole = async (
    role: string,
    observed: Observation | null,
    storeCheck: CheckResult,
  ): Promise<CheckResult> => {
    if (observed === null) return { status: 'degraded', reason: 'Not known: the presences cannot be read' }
    // the `queue` check is about this process; a worker may be cut off alone
    const trouble = observed.troubled.get(role)
    if (observed.alive.has(role)) return trouble ? { status: 'degraded', reason: trouble } : { status: 'ok' }
    const served = servedBy(role, observed.others)
    const failedCheck = (isFailed: boolean, reason: string): CheckResult =>
      served === null
        ? { status: isFailed ? 'failed' : 'degraded', reason }
        : { status: 'degraded', reason: `${reason}. ${served}` }
    const silent = observed.silent.get(role)
    // it has been silent for the whole time; if the store takes no beats, that proves nothing
    if (silent !== undefined) return failedCheck(storeCheck.status !== 'degraded', silent)
    const awayMs = elapsed() - (lastSeen.get(role) ?? start)
    const seconds = Math.floor(awayMs / 1000)
    // includes a process that failed before this one started, but not words from before its last start
    const since = Math.max(
      clock().getTime() - awayMs - absentMs,
      lastStart.get(role) ?? Number.NEGATIVE_INFINITY,
    )
    const words = await lastWords(role, since).catch(() => null)
    const absent = `No ${role} process has been alive for ${seconds} s`
    const reason = words === null ? absent : `${absent}. The last one said: ${words}`
    return failedCheck(seconds * 1000 >= absentMs, reason)
  }

  let looking = false
  const timer = setInterval(() => {
    if (looking) return
    looking = true
    observe()
      // a failing store shows in its own check
      .catch(() => undefined)
      .finally(() => {
        looking = false
      })
  }, everyMs)
  timer.unref()

  return {
    async check() {
      const [storeCheck, observed] = await Promise.all([checkStore(), observe().catch(() => null)])
      const checks: Record<string, CheckResult> = { store: storeCheck, queue: checkQueue() }
      for (const role of roles) checks[role] = await checkRole(role, observed, storeCheck)
      const kinds = observed && checkKinds(observed)
      if (kinds) checks.kinds = kinds
      return { ok: Object.values(checks).every(check => check.status !== 'failed'), checks }
    },
    close: () => clearInterval(timer),
  }
}
