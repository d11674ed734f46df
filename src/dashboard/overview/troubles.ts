// What is wrong right now, as codes with their parameters, the most urgent first. Texts for people are made of them in
// the page. Pure.
import type { SeenKindTrouble } from '../../core/kind-trouble.ts'
import type { Readiness } from '../../core/readiness.ts'
import type { ServiceState } from '../../core/service.ts'
import type { SeenPresence } from '../../core/store.ts'
import type { HostSnapshot } from '../../platform/host.ts'
import { percent } from '../../platform/percent.ts'
import type { FigureColumns } from '../figures/recorder.ts'
import type { ProcessRow } from '../processes/processes.ts'

/** In the order of urgency among troubles of one level. */
export const TROUBLE_CODES = [
  'STORE_AWAY',
  'STORE_FULL',
  'NO_WORKER',
  'ROLE_AWAY',
  'CRASH_LOOP',
  'QUEUE_AWAY',
  'DISK_NEARLY_FULL',
  'MEMORY_NEARLY_FULL',
  'TASKS_DEAD',
  'KIND_IN_TROUBLE',
  'FAILURES_RISING',
  'TASKS_WAITING_LONG',
  'RETENTION_FAILED',
  'CLOCK_STEPPED',
  'PROCESS_TROUBLE',
  'MESSAGES_DEAD',
  'SUPERVISOR_AWAY',
  'PROCESS_STOPPED',
] as const
export type TroubleCode = (typeof TROUBLE_CODES)[number]

export interface Trouble {
  code: TroubleCode
  /** `error`: something that is asked for does not happen. `warning`: it soon may not, or other things help out. */
  level: 'error' | 'warning'
  /** Numbers, names, times, and `reason`, a text of the server. */
  params: Record<string, string | number | null>
  /** The address of the page that says more. */
  link: string
}

export interface TroubleSources {
  /** Null: not known in time. */
  readiness: Readiness | null
  state: ServiceState | null
  /** Why there is no state. */
  stateTrouble: string | null
  host: HostSnapshot
  /** Null: the supervisor does not answer. */
  processes: readonly ProcessRow[] | null
  kindTroubles: readonly SeenKindTrouble[]
  hour: Pick<FigureColumns, 'at' | 'failed'>
  /** The task that runs next, and since when it may, milliseconds since 1970. Null: none waits. */
  next: { id: string; since: number } | null
  /** Milliseconds since 1970. */
  now: number
  isOwn: (presence: SeenPresence) => boolean
}

/** Percent of a disk or a memory. */
const NEARLY_FULL = { warning: 90, error: 97 } as const
const WAITING_LONG_MS = 15 * 60_000
/** So many failures in ten minutes, and so many times those of ten minutes of the hour before. */
const RISING = { least: 10, times: 3 } as const
const RECENT_MS = 10 * 60_000
/** Files of kinds, or troubles of processes, that are named. */
const NAMED = 10

const trouble = (
  code: TroubleCode,
  level: Trouble['level'],
  params: Trouble['params'],
  link: string,
): Trouble => ({ code, level, params, link })

const ofStoreAndQueue = ({ readiness, state, stateTrouble }: TroubleSources): Trouble[] => {
  const { store, queue } = readiness?.checks ?? {}
  const found: Trouble[] = []
  const reason = store?.status === 'failed' ? (store.reason ?? null) : state ? null : stateTrouble
  if (reason !== null) found.push(trouble('STORE_AWAY', 'error', { reason }, '/processes'))
  if (store?.status === 'degraded')
    found.push(trouble('STORE_FULL', 'error', { reason: store.reason ?? null }, '/settings'))
  if (queue && queue.status !== 'ok')
    found.push(trouble('QUEUE_AWAY', 'warning', { reason: queue.reason ?? null }, '/processes'))
  return found
}

/** After one crash or two a process is simply started again. */
const CRASHES = 3
/** Orders count as restarts too, so a row that knows its crashes is asked first. */
const isCrashing = ({ state, restarts, crashLoop }: ProcessRow): boolean =>
  state === 'errored' || (crashLoop ?? (state === 'waiting restart' && restarts >= CRASHES))

const ofRoles = ({ readiness, state, processes }: TroubleSources): Trouble[] => {
  const crashing = (processes ?? []).filter(isCrashing)
  const found = crashing.map(({ name, restarts, state: word }) =>
    trouble(
      'CRASH_LOOP',
      'error',
      { process: name, restarts, state: word },
      `/process/${encodeURIComponent(name)}`,
    ),
  )
  const stopped = (processes ?? []).filter(({ state: word }) => word === 'stopped').map(({ name }) => name)
  const told = new Set<string>()
  // without the store nobody knows who is there
  if (readiness && readiness.checks.store?.status !== 'failed')
    for (const [role, { status, reason = null }] of Object.entries(readiness.checks)) {
      if (['store', 'queue', 'kinds'].includes(role) || status === 'ok') continue
      // what a living process says of itself comes from its presence
      const isThere = state?.presences.some(seen => seen.role === role && seen.alive) ?? false
      if (isThere && status === 'degraded') continue
      const word = processes?.find(({ name }) => name === role)?.state ?? null
      const level = status === 'failed' || word === 'stopped' ? 'error' : 'warning'
      told.add(role)
      if (role !== 'worker' && crashing.some(({ name }) => name === role)) continue
      const waiting = state?.waiting ?? null
      found.push(
        role === 'worker'
          ? trouble('NO_WORKER', level, { reason, waiting, state: word }, '/processes')
          : trouble('ROLE_AWAY', level, { role, reason, state: word }, '/processes'),
      )
    }
  if (processes === null) found.push(trouble('SUPERVISOR_AWAY', 'warning', {}, '/processes'))
  for (const name of stopped)
    if (!told.has(name)) found.push(trouble('PROCESS_STOPPED', 'warning', { process: name }, '/processes'))
  return found
}

const levelOf = (share: number): Trouble['level'] | null =>
  share >= NEARLY_FULL.error ? 'error' : share >= NEARLY_FULL.warning ? 'warning' : null

const ofHost = ({ host }: TroubleSources): Trouble[] => {
  const found: Trouble[] = []
  const disk = host.disks.find(({ data }) => data)
  const diskLevel = disk && levelOf(disk.usedPercent)
  if (disk && diskLevel)
    found.push(
      trouble(
        'DISK_NEARLY_FULL',
        diskLevel,
        { percent: disk.usedPercent, freeBytes: disk.freeBytes },
        '/settings',
      ),
    )
  const { memoryLimitBytes = null, memoryUsedBytes = null } = host.container ?? {}
  const isLimited = memoryLimitBytes !== null && memoryUsedBytes !== null
  const used = isLimited ? percent(memoryUsedBytes, memoryLimitBytes) : host.memory.usedPercent
  const freeBytes = isLimited ? Math.max(0, memoryLimitBytes - memoryUsedBytes) : host.memory.availableBytes
  const level = levelOf(used)
  if (level) found.push(trouble('MEMORY_NEARLY_FULL', level, { percent: used, freeBytes }, '/processes'))
  return found
}

/** Parts with a code of their own; `queue` and `kinds` are told once for all. */
const PART_CODES: Record<string, TroubleCode> = { clock: 'CLOCK_STEPPED', retention: 'RETENTION_FAILED' }

const ofProcesses = ({ state, readiness, isOwn }: TroubleSources): Trouble[] => {
  const isQueueAway = (readiness?.checks.queue?.status ?? 'ok') !== 'ok'
  const found = new Map<string, Trouble>()
  for (const presence of state?.presences ?? []) {
    if (!presence.alive || !isOwn(presence)) continue
    for (const [part, reason] of Object.entries(presence.details.troubles)) {
      if (part === 'kinds' || (part === 'queue' && isQueueAway)) continue
      const code = PART_CODES[part]
      const key = JSON.stringify([part, reason, code ? null : presence.role])
      if (found.size >= NAMED || found.has(key)) continue
      const params = code ? { reason } : { role: presence.role, part, reason }
      found.set(key, trouble(code ?? 'PROCESS_TROUBLE', 'warning', params, '/workers'))
    }
  }
  return [...found.values()]
}

const ofWork = ({ state, kindTroubles, hour, next, now }: TroubleSources): Trouble[] => {
  const found: Trouble[] = []
  for (const [kind, count] of Object.entries(state?.dead.waiting ?? {}).slice(0, NAMED))
    found.push(trouble('TASKS_DEAD', 'error', { kind, count }, '/dead'))
  const messages = state?.dead.messages ?? 0
  if (messages > 0) found.push(trouble('MESSAGES_DEAD', 'warning', { count: messages }, '/dead'))
  for (const { name, file, reason } of kindTroubles.slice(0, NAMED))
    found.push(trouble('KIND_IN_TROUBLE', 'error', { kind: name, file, reason }, '/kinds'))

  const stepMinutes = 10 / 60
  const recent = { count: 0, steps: 0 }
  const before = { count: 0, steps: 0 }
  for (const [place, at] of hour.at.entries()) {
    const rate = hour.failed[place] ?? null
    if (rate === null) continue
    const part = at > now - RECENT_MS ? recent : before
    part.count += rate * stepMinutes
    part.steps += 1
  }
  const usual = before.steps === 0 ? null : (before.count / before.steps) * (RECENT_MS / 10_000)
  if (usual !== null && recent.count >= RISING.least && recent.count > RISING.times * usual) {
    const from = new Date(now - RECENT_MS).toISOString()
    const params = { count: Math.round(recent.count), before: Math.round(usual), minutes: RECENT_MS / 60_000 }
    const query = new URLSearchParams({ status: 'FAILURE', finishedFrom: from })
    found.push(trouble('FAILURES_RISING', 'warning', params, `/tasks?${query}`))
  }
  if (next && now - next.since > WAITING_LONG_MS) {
    const waiting = state?.waiting ?? null
    const since = new Date(next.since).toISOString()
    found.push(trouble('TASKS_WAITING_LONG', 'warning', { id: next.id, since, waiting }, `/task/${next.id}`))
  }
  return found
}

/** Empty: all is well, as far as is known. */
export const troublesOf = (sources: TroubleSources): Trouble[] => {
  const all = [ofStoreAndQueue, ofRoles, ofHost, ofProcesses, ofWork].flatMap(part => part(sources))
  const rank = ({ code, level }: Trouble): number =>
    (level === 'error' ? 0 : TROUBLE_CODES.length) + TROUBLE_CODES.indexOf(code)
  return all.sort((a, b) => rank(a) - rank(b))
}
