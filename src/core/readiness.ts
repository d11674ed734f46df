// Whether this bundle can do its work: the store can be used and every role lives. A queue that is away makes it
// degraded, never unready: submits are accepted and run when it is back. A full disk makes it degraded too: what
// runs goes on, and everything can be read.
import { isMadhavaError, MadhavaError, toMadhavaError } from './errors.ts'
import type { TaskQueue } from './queue.ts'
import type { SeenPresence, TaskStore } from './store.ts'

export interface Check {
  status: 'ok' | 'degraded' | 'failed'
  reason?: string
}

/** `ok` when no check failed. The checks are `store`, `queue`, and each role by its name. */
export interface Readiness {
  ok: boolean
  checks: Record<string, Check>
}

export interface ReadinessDeps {
  store: Pick<TaskStore, 'check' | 'presences'>
  queue: Pick<TaskQueue, 'state'>
  /** The roles that ROLES names. */
  roles: readonly string[]
  clock: () => Date
  /** Why the last process of a role ended, for people; null when it has said nothing since that time. */
  lastWords?: (role: string, sinceMs: number) => Promise<string | null>
  /** Milliseconds that the store may take to answer. */
  storeMs?: number
  /** Milliseconds without a presence, or without a beat of it, after which a role counts as gone. */
  absentMs?: number
  /** Milliseconds between looks of its own, so that a gap is measured also when nobody asks. */
  everyMs?: number
}

export interface ReadinessProbe {
  /** Never rejects. */
  check(): Promise<Readiness>
  /** Idempotent. */
  close(): void
}

/** Milliseconds after which a process that gives no sign of life counts as gone. */
const ABSENT_MS = 30_000

/**
 * Why a process that is there does no work, or null while it beats: one that is stopped or has no time still holds
 * its claims and its socket. A beat in the future counts as fresh: a clock may be set back.
 * @param now milliseconds since 1970
 */
export const whySilent = (
  { beatAt }: Pick<SeenPresence, 'beatAt'>,
  now: number,
  absentMs: number = ABSENT_MS,
): string | null => {
  const age = now - Date.parse(beatAt)
  return age >= absentMs ? `No beat for ${Math.floor(age / 1000)} s: frozen or overloaded` : null
}

/**
 * What is wrong with each of `roles` at this moment, for one who looks once and has seen nothing before.
 * @param now milliseconds since 1970
 */
export const rolesAmiss = (
  presences: readonly SeenPresence[],
  roles: readonly string[],
  now: number,
): Map<string, string> => {
  const amiss = new Map<string, string>()
  for (const role of roles) {
    const alive = presences.filter(presence => presence.role === role && presence.alive)
    const silent = alive.map(presence => whySilent(presence, now))
    if (silent.includes(null)) continue
    amiss.set(role, silent[0] ?? `No ${role} process is alive`)
  }
  return amiss
}

interface Sight {
  /** Roles with a process that beats. */
  alive: Set<string>
  /** Roles with a process that is there and silent, and why. */
  silent: Map<string, string>
  /** Roles with a process that beats and says that something is wrong, and what. */
  troubled: Map<string, string>
}

const within = async <T>(work: Promise<T>, ms: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new MadhavaError('STORE_UNAVAILABLE', `The store gave no answer within ${ms} ms`)),
      ms,
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Starts to watch the roles; each has `absentMs` from now to appear. */
export const createReadiness = (deps: ReadinessDeps): ReadinessProbe => {
  const { store, queue, roles, clock, lastWords = async () => null } = deps
  const { storeMs = 1_000, absentMs = ABSENT_MS, everyMs = 5_000 } = deps
  const start = clock().getTime()
  const lastSeen = new Map(roles.map(role => [role, start]))

  const look = async (): Promise<Sight> => {
    const alive = new Set<string>()
    const silent = new Map<string, string>()
    const troubled = new Map<string, string>()
    const presences = await within(store.presences(), storeMs)
    const now = clock().getTime()
    for (const presence of presences.filter(seen => seen.alive)) {
      const reason = whySilent(presence, now, absentMs)
      if (reason === null) alive.add(presence.role)
      else silent.set(presence.role, reason)
      const troubles = Object.entries(presence.details.troubles).map(([part, words]) => `${part}: ${words}`)
      if (reason === null && troubles.length > 0) troubled.set(presence.role, troubles.join('; '))
    }
    for (const role of roles) if (alive.has(role)) lastSeen.set(role, now)
    return { alive, silent, troubled }
  }

  const checkStore = async (): Promise<Check> => {
    try {
      await within(store.check(), storeMs)
      return { status: 'ok' }
    } catch (error) {
      const status = isMadhavaError(error, 'STORE_FULL') ? 'degraded' : 'failed'
      return { status, reason: toMadhavaError(error).message }
    }
  }
  const checkQueue = (): Check => {
    const { status, reason } = queue.state()
    return status === 'ready' ? { status: 'ok' } : { status: 'degraded', reason: reason ?? status }
  }
  const checkRole = async (role: string, sight: Sight | null, storeCheck: Check): Promise<Check> => {
    if (sight === null) return { status: 'degraded', reason: 'Not known: the presences cannot be read' }
    // the queue's own check is that of this process; a worker may be cut off alone
    const trouble = sight.troubled.get(role)
    if (sight.alive.has(role)) return trouble ? { status: 'degraded', reason: trouble } : { status: 'ok' }
    const silent = sight.silent.get(role)
    // it has been silent for the whole time already; where beats cannot be written that says nothing
    if (silent !== undefined)
      return { status: storeCheck.status === 'degraded' ? 'degraded' : 'failed', reason: silent }
    const since = lastSeen.get(role) ?? start
    const seconds = Math.floor((clock().getTime() - since) / 1000)
    // one that failed before this process came up counts too
    const words = await lastWords(role, since - absentMs).catch(() => null)
    const absent = `No ${role} process has been alive for ${seconds} s`
    const reason = words === null ? absent : `${absent}. The last one said: ${words}`
    return { status: seconds * 1000 >= absentMs ? 'failed' : 'degraded', reason }
  }

  let looking = false
  const timer = setInterval(() => {
    if (looking) return
    looking = true
    look()
      // a store that fails shows in its own check
      .catch(() => undefined)
      .finally(() => {
        looking = false
      })
  }, everyMs)
  timer.unref()

  return {
    async check() {
      const [storeCheck, sight] = await Promise.all([checkStore(), look().catch(() => null)])
      const checks: Record<string, Check> = { store: storeCheck, queue: checkQueue() }
      for (const role of roles) checks[role] = await checkRole(role, sight, storeCheck)
      return { ok: Object.values(checks).every(check => check.status !== 'failed'), checks }
    },
    close: () => clearInterval(timer),
  }
}
