// TaskStore in memory, for tests: nothing is kept. Several stores opened on one memory stand for several
// processes. Every call acts in one synchronous step, so that call order is the order of effects.
import { hostname } from 'node:os'
import { isDue } from '../../core/due.ts'
import { MadhavaError } from '../../core/errors.ts'
import { fits } from '../../core/filter.ts'
import type { KindLimits } from '../../core/kind-limits.ts'
import { nextFirst } from '../../core/line.ts'
import { type Move, revoke } from '../../core/moves.ts'
import { submitterFilter } from '../../core/quotas.ts'
import type { TaskStore } from '../../core/store.ts'
import {
  idempotencyScope,
  isFinal,
  isRunning,
  isSuspect,
  isWaiting,
  newTaskId,
  parseTaskId,
  type TaskRecord,
} from '../../core/task.ts'
import { refuseInvalidRecord, refuseLarge } from '../../core/task-check.ts'
import { createRates } from '../shared/rates.ts'
import { createAudit, type StoredAudit } from './audit.ts'
import { createBlobCalls, type TaskBlobs } from './blobs.ts'
import { createDocuments, type StoredDocuments } from './documents.ts'
import { createMemoryFeed, type MemoryFeed } from './feed.ts'
import { permitOf } from './kind-limits.ts'
import { lineOf } from './line.ts'
import { join, type Owner, seenBy } from './presence.ts'
import { createRateCounter, type StoredRates } from './rates.ts'
import { outdatedBy } from './retention.ts'
import { createUploadBytes, type StoredUploads } from './upload-bytes.ts'
import { countsOf, pageOf, planOf } from './views.ts'

export interface MemoryStoreDeps {
  clock: () => Date
  /** The process's id; a fresh one when left out. */
  instance?: string
  host?: string
}

/** The port, and what a test needs beside it. */
export interface MemoryStore extends TaskStore {
  /** Ends as a killed process does: its presence is dead, its claims stay, its calls fail. */
  die(): void
}

export interface Memory {
  /** A store of its own instance on this memory, as another process would have it. */
  open(deps: MemoryStoreDeps): MemoryStore
}

interface StoredTask {
  record: TaskRecord
  holder: Owner | null
  blobs: TaskBlobs
}

interface MemoryState {
  entries: Map<string, StoredTask>
  keys: Map<string, { id: string; fingerprint: string | null }>
  owners: Set<Owner>
  documents: StoredDocuments
  uploads: StoredUploads
  audit: StoredAudit
  feed: MemoryFeed
  /** Starts of kinds that have a rate. */
  permits: Set<string>
  rates: StoredRates
}

/** As JSON would bring it back: nobody outside shares an object with the store. */
const copy = (task: TaskRecord): TaskRecord => JSON.parse(refuseLarge(JSON.stringify(task))) as TaskRecord

const openStore = (
  state: MemoryState,
  { clock, instance = newTaskId(), host = hostname() }: MemoryStoreDeps,
) => {
  const { entries, keys, owners, feed, permits } = state
  const member = join(owners, { instance, host, clock })
  const me = member.owner
  const ending = new AbortController()

  const open = (): void => {
    if (ending.signal.aborted) throw new MadhavaError('STORE_UNAVAILABLE', 'The store is closed')
  }
  const peek = (id: string): StoredTask | undefined => {
    open()
    return entries.get(parseTaskId(id))
  }
  const find = (id: string): StoredTask => {
    const entry = peek(id)
    if (entry) return entry
    throw new MadhavaError('TASK_NOT_FOUND')
  }
  const held = (entry: StoredTask): boolean => isRunning(entry.record.status) && entry.holder?.alive === true
  const orphaned = (entry: StoredTask): boolean => isRunning(entry.record.status) && !held(entry)

  const write = (entry: StoredTask, claim: number, move: Move): TaskRecord => {
    const before = entry.record
    const read = copy(before)
    const made = { ...move(read), id: before.id, claim, rev: before.rev + 1 }
    refuseInvalidRecord(read, made)
    const after = copy(made)
    entry.record = after
    entry.holder = isRunning(after.status) ? me : null
    feed.add({ type: 'task', task: copy(entry.record) })
    return copy(entry.record)
  }
  const acquire = (entry: StoredTask, move: Move): TaskRecord => write(entry, entry.record.claim + 1, move)

  const runningOf = (kind: string): number =>
    [...entries.values()].filter(entry => entry.record.kind === kind && held(entry)).length
  const mayBegin = (kind: string, limits: KindLimits, nowMs: number) =>
    permitOf(permits, { kind, limits, running: runningOf(kind), nowMs })

  const drop = (entry: StoredTask): void => {
    const { id, owner, kind } = entry.record
    const key = idempotencyScope(entry.record)
    if (key !== null) keys.delete(key)
    entries.delete(id)
    feed.add({ type: 'removed', id, owner, kind })
  }
  const sorted = (order: (a: TaskRecord, b: TaskRecord) => number, wanted: (task: TaskRecord) => boolean) =>
    [...entries.values()]
      .map(entry => entry.record)
      .filter(wanted)
      .sort(order)
  const leave = (): void => {
    member.withdraw()
    for (const entry of entries.values()) if (entry.holder === me) entry.holder = null
  }
  const store: MemoryStore = {
    instance,

    documents: createDocuments({ stored: state.documents, feed, clock, open }),
    uploads: createUploadBytes({ stored: state.uploads, parseId: parseTaskId, open }),
    audit: createAudit({ stored: state.audit, isAlive: () => me.alive, open }),

    async create(task, fingerprint, admit) {
      open()
      const id = parseTaskId(task.id)
      refuseInvalidRecord(null, task)
      const key = idempotencyScope(task)
      const boundTo = () => (key === null ? undefined : keys.get(key))
      if (!entries.has(boundTo()?.id ?? '')) await admit?.()
      const known = boundTo()
      const first = known && entries.get(known.id)
      if (known && first) {
        if (known.fingerprint !== fingerprint) throw new MadhavaError('IDEMPOTENCY_MISMATCH')
        return { task: copy(first.record), created: false }
      }
      if (entries.has(id)) throw new MadhavaError('TASK_EXISTS')
      const record = { ...copy(task), id }
      entries.set(id, { record, holder: null, blobs: new Map() })
      if (key !== null) keys.set(key, { id, fingerprint })
      feed.add({ type: 'task', task: copy(record) })
      return { task: copy(record), created: true }
    },

    async get(id) {
      const entry = peek(id)
      return entry ? copy(entry.record) : null
    },

    async list(filter, page) {
      open()
      const { tasks, next } = pageOf(
        [...entries.values()].map(entry => entry.record),
        filter,
        page,
      )
      return { tasks: tasks.map(copy), next }
    },

    async counts(owners) {
      open()
      const all = [...entries.values()].map(entry => entry.record)
      return countsOf(owners ? all.filter(task => fits(task, { owners })) : all)
    },

    async countWaiting(by) {
      open()
      const filter = submitterFilter(by)
      return [...entries.values()].filter(({ record }) => isWaiting(record.status) && fits(record, filter))
        .length
    },

    rates: createRates(createRateCounter({ stored: state.rates, clock, open })),

    async claim(id, move) {
      const entry = find(id)
      return held(entry) ? null : acquire(entry, move)
    },

    async claimNext(
      { kinds, now, limits = {}, allowSuspect = false, onSuspect, onRateLimited, onKindFull },
      move,
    ) {
      open()
      const wanted = new Set(kinds)
      for (const { id, kind } of sorted(nextFirst, task => kinds.includes(task.kind) && isDue(task, now))) {
        if (!wanted.has(kind)) continue
        const limit = Object.hasOwn(limits, kind) ? limits[kind] : undefined
        const answer = limit ? mayBegin(kind, limit, Date.parse(now)) : null
        if (answer === 'full' || typeof answer === 'number') wanted.delete(kind)
        if (answer === 'full') onKindFull?.(kind)
        if (typeof answer === 'number') onRateLimited?.(kind, answer)
        if (answer === 'full' || typeof answer === 'number') continue
        if (!allowSuspect && isSuspect(find(id).record)) {
          answer?.giveBack()
          onSuspect?.(id)
          return null
        }
        let task: TaskRecord | null = null
        try {
          task = acquire(find(id), move)
        } finally {
          if (!task || !isRunning(task.status)) answer?.giveBack()
        }
        if (isRunning(task.status)) return task
      }
      return null
    },

    async move(id, claim, move) {
      const entry = find(id)
      if (entry.holder !== me || entry.record.claim !== claim) throw new MadhavaError('CLAIM_LOST')
      return write(entry, claim, move)
    },

    async revoke(id, at) {
      const entry = find(id)
      if (isFinal(entry.record.status)) return { outcome: 'ended', task: copy(entry.record) }
      if (!held(entry)) return { outcome: 'revoked', task: acquire(entry, revoke(at)) }
      if (entry.record.revokeRequestedAt === null) {
        entry.record = { ...entry.record, revokeRequestedAt: at }
        feed.add({ type: 'revoke', id: entry.record.id, at })
      }
      return { outcome: 'requested', task: copy(entry.record) }
    },

    async remove(id) {
      const entry = find(id)
      if (!isFinal(entry.record.status)) throw new MadhavaError('TASK_NOT_ENDED')
      drop(entry)
    },

    ...createBlobCalls(id => peek(id)?.blobs),

    async cursor() {
      open()
      return feed.cursor()
    },
    changes(since, signal) {
      return feed.after(since, AbortSignal.any([signal, ending.signal]), open)
    },
    async changedSince(cursor) {
      open()
      return feed.tasksAfter(cursor)
    },

    async announce({ role, details }) {
      open()
      member.announce(role, details)
    },
    async presences() {
      open()
      return seenBy(owners)
    },
    async leave() {
      leave()
    },

    async agenda(now, limit, kinds) {
      open()
      return {
        ...planOf(
          [...entries.values()].map(entry => entry.record),
          now,
          limit,
          kinds,
        ),
        orphaned: [...entries.values()].filter(orphaned).map(entry => entry.record.id),
      }
    },

    async line(tasks, query) {
      open()
      const due = sorted(nextFirst, task => isDue(task, query.now))
      return lineOf(tasks, query, { due, permits, runningOf })
    },

    async retain(rule) {
      open()
      const ended = [...entries.values()].filter(entry => isFinal(entry.record.status))
      const gone = outdatedBy(rule, ended)
      for (const entry of gone) drop(entry)
      return gone.length
    },

    counters: () => ({}),
    async check() {
      open()
    },
    async close() {
      if (me.alive) leave()
      me.alive = false
      owners.delete(me)
      ending.abort()
    },
    die() {
      member.fallSilent()
      me.alive = false
      ending.abort()
    },
  }
  return store
}

/** The state that several stores share. */
export const createMemory = (): Memory => {
  const state: MemoryState = {
    entries: new Map(),
    keys: new Map(),
    owners: new Set(),
    documents: new Map(),
    uploads: new Map(),
    audit: { entries: new Map(), begun: new Map() },
    feed: createMemoryFeed(),
    permits: new Set(),
    rates: new Map(),
  }
  return { open: deps => openStore(state, deps) }
}

/** A store with a memory of its own. */
export const createMemoryStore = (deps: MemoryStoreDeps): MemoryStore => createMemory().open(deps)
