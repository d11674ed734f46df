// What a server says of itself, and what it cannot run: the types of the REST API, and its calls.
import type { CallOptions } from './byte-stream.ts'
import type { RequestOptions } from './request.ts'
import type { Status, Task, TaskView } from './task.ts'

/** The machine that a server runs on. Sizes are bytes, loads percent. */
export interface HostInfo {
  sampledAt: string
  name: string
  uptimeSeconds: number
  os: { platform: string; name: string | null; kernel: string; arch: string }
  cpu: {
    model: string | null
    cores: number
    physicalCores: number | null
    /** Of all cores together. */
    loadPercent: number | null
    loadPercentPerCore: number[]
  }
  /** Over 1, 5 and 15 minutes. */
  loadAverages: [number, number, number]
  memory: { totalBytes: number; availableBytes: number; usedBytes: number; usedPercent: number }
  disks: {
    path: string
    totalBytes: number
    freeBytes: number
    usedPercent: number
    /** The data folder lies here. */
    data: boolean
  }[]
  addresses: { interface: string; address: string; family: 'IPv4' | 'IPv6'; internal: boolean }[]
  /** Null where nothing limits the server below the machine. */
  container: {
    cgroup: 1 | 2
    cpuCores: number | null
    cpusetCores: number | null
    memoryLimitBytes: number | null
    memoryUsedBytes: number | null
  } | null
}

export interface ProcessInfo {
  role: string
  instance: string
  host: string
  pid: number
  alive: boolean
  startedAt: string
  beatAt: string
  address: string | null
  /** Tasks that it may run at a time. */
  slots: number
  /** Ids of the tasks that it runs. */
  running: string[]
  /** Totals since its start. */
  counters: Record<string, number>
  rssBytes: number
  /** Share of one core since the last beat. */
  cpu: number
  kinds?: string[]
  runningByKind?: Record<string, number>
  /** Why it begins no task now though slots are free. */
  takesNone?: string
  /** Equal for two processes that use the same files of kinds. */
  kindsCode?: string
  kindsInTrouble?: { name: string; file: string; reason: string }[]
  /** Since when it uses the kinds that it has. */
  kindsUsedAt?: string
  troubles: Record<string, string>
}

/** What all processes use now, by the names of kinds. */
export interface KindsReloaded {
  /** Of the reload. */
  id: string
  added: string[]
  changed: string[]
  removed: string[]
  /** How many kinds are as they were. */
  unchanged: number
  /** `isUsed` false: the process had not said so yet. */
  processes: { role: string; instance: string; host: string; pid: number; isUsed: boolean }[]
}

/** `host`, `processes` and `queue` are null for who does not see all tasks. */
export interface ServerStatus {
  name: 'madhava'
  version: string
  time: string
  host: HostInfo | null
  processes: ProcessInfo[] | null
  queue: {
    name: string
    depth: number | null
    status: 'ready' | 'connecting' | 'blocked' | 'closed'
    reason: string | null
    outbox: number
  } | null
  /** Of the tasks that the caller sees. */
  tasks: {
    total: number
    byStatus: Record<Status, number>
    byKind: Record<string, Partial<Record<Status, number>>>
  } | null
  dead: {
    /** Tasks that wait for a worker with their kind, by kind. */
    waiting: Record<string, number>
    /** Messages that announce no task. */
    messages: number | null
  } | null
  /** Why something above is null. */
  troubles: Record<string, string>
}

/** A task that cannot be run. */
export interface DeadTask {
  task: TaskView
  reason: { code: string; message: string }
}

/** A message of the queue that announces no task. */
export interface DeadMessage {
  id: string
  reason: string
  deadAt: string
  bytes: number
  contentType: string | null
  /** How it begins. */
  preview: string
}

export interface DeadPage {
  /** Those that wait for a worker with their kind, then those that have ended; each newest first. */
  tasks: DeadTask[]
  /** On the first page alone, the oldest first. */
  messages: DeadMessage[]
  /** Of all messages; null when the broker cannot be asked, as `trouble` says. */
  messageCount: number | null
  trouble: string | null
  /** Continues after this page; null at the end. A page without tasks may be followed by others. */
  next: string | null
}

export interface ServerCalls {
  /** The machine, the processes, the queue and the tasks by status, as of now. */
  status(options?: CallOptions): Promise<ServerStatus>
  /** A page of what cannot be run, with the reasons. */
  dead(options?: CallOptions & { limit?: number; cursor?: string }): Promise<DeadPage>
  /** Runs one of them again: a task, or a message, by its id. */
  replayDead(id: string, options?: CallOptions): Promise<Task | { message: string }>
  /**
   * Has all processes read the folders of kinds again. They use what they have read when all could read all of it; else
   * an ApiError KINDS_NOT_LOADED, whose problems name the files, and the old kinds stay in use.
   */
  reloadKinds(options?: CallOptions): Promise<KindsReloaded>
  /** Removes one of them, all of it. */
  discardDead(id: string, options?: CallOptions): Promise<void>
}

/** The processes have a minute beside what an answer has, milliseconds. */
const RELOAD_MS = 60_000

/** @param json sends a request and returns the JSON of its answer; @param send the same without an answer */
export const createServerCalls = (
  json: <T>(path: string, options: RequestOptions) => Promise<T>,
  send: (path: string, options: RequestOptions) => Promise<unknown>,
): ServerCalls => {
  const at = (id: string): string => `/dead/${encodeURIComponent(id)}`
  return {
    status: ({ signal } = {}) =>
      json('/', { repeatable: true, headers: { accept: 'application/json' }, signal }),
    dead: ({ limit, cursor, signal } = {}) =>
      json('/dead', {
        repeatable: true,
        query: new URLSearchParams({
          ...(limit === undefined ? {} : { limit: String(limit) }),
          ...(cursor === undefined ? {} : { cursor }),
        }).toString(),
        signal,
      }),
    replayDead: (id, { signal } = {}) => json(`${at(id)}/replay`, { method: 'POST', signal }),
    reloadKinds: ({ signal } = {}) => json('/kinds/reload', { method: 'POST', signal, waitMs: RELOAD_MS }),
    async discardDead(id, { signal } = {}) {
      await send(at(id), { method: 'DELETE', signal, whole: true })
    },
  }
}
