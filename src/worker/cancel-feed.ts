// Follows the store's feed for tasks held here: cancel requests, and lost claims. Other changes are passed on.
import { setTimeout as wait } from 'node:timers/promises'
import { type Backoff, backoffMs } from '../core/async/backoff.ts'
import type { DocumentChange, TaskStore } from '../core/store.ts'
import type { TaskRecord } from '../core/task.ts'
import type { Log } from '../platform/log.ts'

const RETRY: Backoff = { firstMs: 100, lastMs: 5_000 }
/** A cancel request may arrive before this process knows of its claim; so many are remembered. */
const REMEMBERED = 1_000

export interface CancelFeed {
  /** Whether the task's cancel was requested lately, perhaps during the claim. */
  wasRequested(id: string): boolean
  /** Idempotent. */
  close(): Promise<void>
}

export const followCancelRequests = (deps: {
  store: TaskStore
  log: Log
  held: () => string[]
  isHeld: (id: string) => boolean
  /** May be called more than once, and for ids that are not held. */
  onCancelRequest: (id: string) => void
  /** A held task in its newest state. */
  onRecord: (task: TaskRecord) => void
  /** Any changed task. */
  onChange?: (task: TaskRecord) => void
  /** Any changed document. */
  onDocument?: (change: DocumentChange) => void
  /** The feed is followed from now on. Earlier changes may have been missed. */
  onFollow?: () => void
}): CancelFeed => {
  const { store, log, held, isHeld, onCancelRequest, onRecord, onChange, onDocument, onFollow } = deps
  const ending = new AbortController()
  const { signal } = ending
  const recent = new Set<string>()

  const onRequest = (id: string): void => {
    recent.delete(id)
    recent.add(id)
    if (recent.size > REMEMBERED)
      for (const oldest of [...recent].slice(0, REMEMBERED / 2)) recent.delete(oldest)
    onCancelRequest(id)
  }
  const examine = (task: TaskRecord): void => {
    onRecord(task)
    if (task.revokeRequestedAt !== null) onCancelRequest(task.id)
  }
  const follow = async (attended: () => void): Promise<void> => {
    const cursor = await store.cursor()
    // requests before the cursor are in the records, later ones come by the feed
    for (const id of held()) {
      const task = await store.get(id)
      if (task) examine(task)
    }
    onFollow?.()
    for await (const change of store.changes(cursor, signal)) {
      attended()
      if (change.type === 'revoke') onRequest(change.id)
      if (change.type === 'document') onDocument?.(change)
      if (change.type !== 'task') continue
      if (isHeld(change.task.id)) examine(change.task)
      onChange?.(change.task)
    }
  }
  const following = (async () => {
    let failures = 0
    while (!signal.aborted) {
      const broken = await follow(() => {
        failures = 0
      }).then(
        () => null,
        (error: unknown) => ({ error }),
      )
      const retryMs = Math.round(backoffMs(RETRY, failures))
      if (broken && !signal.aborted)
        log.warn({ error: broken.error, retryMs }, 'the feed of changes broke; following it anew')
      await wait(retryMs, undefined, { signal }).catch(() => {})
      failures += 1
    }
  })()

  return {
    wasRequested: id => recent.has(id),
    async close() {
      ending.abort()
      await following
    },
  }
}
