// Whether this bundle can do its work: the store can be used and every role lives. A queue that is away makes it
// degraded, never unready: submits are accepted and run when it is back.
import { MadhavaError, toMadhavaError } from './errors.ts'
import type { TaskQueue } from './queue.ts'
import type { TaskStore } from './store.ts'

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
  /** Milliseconds that the store may take to answer. */
  storeMs?: number
  /** Milliseconds without a presence after which a role counts as gone. */
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
  const { store, queue, roles, clock, storeMs = 1_000, absentMs = 30_000, everyMs = 5_000 } = deps
  const start = clock().getTime()
  const lastSeen = new Map(roles.map(role => [role, start]))

  const look = async (): Promise<Set<string>> => {
    const alive = new Set<string>()
    for (const presence of await within(store.presences(), storeMs))
      if (presence.alive) alive.add(presence.role)
    const now = clock().getTime()
    for (const role of roles) if (alive.has(role)) lastSeen.set(role, now)
    return alive
  }

  const checkStore = async (): Promise<Check> => {
    try {
      await within(store.check(), storeMs)
      return { status: 'ok' }
    } catch (error) {
      return { status: 'failed', reason: toMadhavaError(error).message }
    }
  }
  const checkQueue = (): Check => {
    const { status, reason } = queue.state()
    return status === 'ready' ? { status: 'ok' } : { status: 'degraded', reason: reason ?? status }
  }
  const checkRole = (role: string, alive: ReadonlySet<string> | null): Check => {
    if (alive?.has(role)) return { status: 'ok' }
    if (alive === null) return { status: 'degraded', reason: 'Not known: the presences cannot be read' }
    const seconds = Math.floor((clock().getTime() - (lastSeen.get(role) ?? start)) / 1000)
    const reason = `No ${role} process has been alive for ${seconds} s`
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
      const [storeCheck, alive] = await Promise.all([checkStore(), look().catch(() => null)])
      const checks: Record<string, Check> = { store: storeCheck, queue: checkQueue() }
      for (const role of roles) checks[role] = checkRole(role, alive)
      return { ok: Object.values(checks).every(check => check.status !== 'failed'), checks }
    },
    close: () => clearInterval(timer),
  }
}
