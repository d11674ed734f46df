// Removing: one ended task whole, many by a rule, and what dead processes left behind.
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait, setImmediate as yieldToOthers } from 'node:timers/promises'
import { MadhavaError } from '../../../core/errors.ts'
import { isOutdated } from '../../../core/retention.ts'
import type { RetentionRule } from '../../../core/store.ts'
import { idempotencyScope, isFinal, isRunning } from '../../../core/task.ts'
import { isAside } from '../../../platform/atomic-file.ts'
import type { CancelRequests } from '../claims/cancel-requests.ts'
import type { ClaimFiles } from '../claims/claim-files.ts'
import type { Instances } from '../claims/instances.ts'
import type { TaskMover } from '../claims/task-mover.ts'
import type { FreeSpace } from '../free-space.ts'
import type { LiveIndex } from '../index/live-index.ts'
import type { ScanCache } from '../index/scan-cache.ts'
import type { Layout, SafeId } from '../layout.ts'
import type { Committer } from '../log/committer.ts'
import type { FeedRepair } from '../log/feed-repair.ts'
import type { Journals } from '../log/journal.ts'
import type { Blobs } from './blobs.ts'
import type { Keys } from './keys.ts'
import type { Records } from './records.ts'

/** The feed holds at least so many changes, and those of the last hour until they fill the bytes. */
const FEED = { entries: 10_000, ageMs: 3_600_000, bytes: 256 * 1024 * 1024 }
/** A temporary file this old is removed: no write takes so long without touching it. */
const ASIDE_MS = 3_600_000
const SWEEP_ASIDE_EVERY_MS = 3_600_000
/** How long a removal waits while another process holds the ended task for a moment. */
const BUSY_MS = 5_000
const BUSY_LOOK_MS = 5
/** After so many files, other work of the process gets a turn. */
const BATCH = 500

interface RetentionDeps {
  layout: Layout
  space: FreeSpace
  records: Records
  committer: Committer
  blobs: Blobs
  claimFiles: ClaimFiles
  keys: Keys
  cancelRequests: CancelRequests
  mover: TaskMover
  instances: Instances
  journals: Journals
  liveIndex: LiveIndex
  feedRepair: Pick<FeedRepair, 'findGone'>
  scanCache: ScanCache
  clock: () => Date
}

export interface Retention {
  /** @throws TASK_NOT_FOUND, TASK_NOT_ENDED, TASK_BUSY */
  remove(id: SafeId): Promise<void>
  retain(rule: RetentionRule): Promise<number>
}

/** False when another process holds the task, or it is gone. */
const removeOnce = async (
  { mover, keys, committer, records, liveIndex, blobs, cancelRequests, claimFiles }: RetentionDeps,
  id: SafeId,
): Promise<boolean> =>
  (await mover.withClaim(id, async (task, claim) => {
    if (!isFinal(task.status))
      throw new MadhavaError('TASK_NOT_ENDED', `The task is ${task.status}; cancel it first`)
    // the key first: it must never point to a task that is gone while another one takes the key
    const key = idempotencyScope(task)
    if (key !== null) keys.release(key, id)
    const removal = { type: 'removed', id, claim, owner: task.owner, kind: task.kind } as const
    await committer.commit(removal, () => ({
      discard() {},
      show() {
        records.remove(id)
        liveIndex.publish(removal)
      },
    }))
    // what is left after a kill from here on belongs to no record, and the sweep below finds it
    await blobs.removeAll(id)
    cancelRequests.remove(id)
    for (let number = task.claim; number < claim; number += 1) claimFiles.drop(id, number)
    return true
  })) ?? false

const remove = async (deps: RetentionDeps, id: SafeId): Promise<void> => {
  const until = performance.now() + BUSY_MS
  while (!(await removeOnce(deps, id))) {
    const task = deps.records.read(id)
    if (!task) throw new MadhavaError('TASK_NOT_FOUND')
    if (!isFinal(task.status)) throw new MadhavaError('TASK_NOT_ENDED', `The task is ${task.status}`)
    // another process removes it or lets it run again this moment
    if (performance.now() > until) throw new MadhavaError('TASK_BUSY')
    await wait(BUSY_LOOK_MS)
  }
}

const bytesOf = ({ layout, blobs }: RetentionDeps, id: SafeId): number =>
  (statSync(layout.task(id), { throwIfNoEntry: false })?.size ?? 0) + blobs.size(id)

/** How many of these, from the first on, fit into so many bytes. */
const howMany = async (deps: RetentionDeps, ids: readonly SafeId[], maxBytes: number): Promise<number> => {
  let bytes = 0
  for (const [place, id] of ids.entries()) {
    bytes += bytesOf(deps, id)
    if (bytes > maxBytes) return place
    if (place % BATCH === BATCH - 1) await yieldToOthers()
  }
  return ids.length
}

/** The ended tasks that the rule does not keep, the oldest end first. */
const outdated = async (deps: RetentionDeps, rule: RetentionRule): Promise<SafeId[]> => {
  const ended = (await deps.liveIndex.current()).ended()
  const weighed = rule.maxBytes !== null
  const kept: SafeId[] = []
  let count = 0
  const going: SafeId[] = []
  // nothing is awaited in this loop, since the index moves on meanwhile
  for (let place = 0; place < ended.length; place += 1) {
    const task = { status: ended.status(place), finishedAt: ended.finishedAt(place) }
    const stays = !isOutdated(rule, task) && count < (rule.maxCount ?? Number.POSITIVE_INFINITY)
    if (stays) count += 1
    // the ids of those that stay are needed only for their sizes
    if (!stays || weighed) (stays ? kept : going).push(ended.id(place) as SafeId)
  }
  const within = rule.maxBytes === null ? 0 : await howMany(deps, kept, rule.maxBytes)
  return [...kept.slice(within), ...going].reverse()
}

const sweepClaims = async ({ claimFiles, instances, records }: RetentionDeps): Promise<void> => {
  for (const { id, number } of claimFiles.list()) {
    const owner = claimFiles.owner(id, number)
    if (owner === null || (await instances.isAlive(owner))) continue
    const task = records.read(id)
    const inUse = task && (number > task.claim || (number === task.claim && isRunning(task.status)))
    if (!inUse) claimFiles.drop(id, number)
  }
}

const sweepBlobs = async ({ blobs, records }: RetentionDeps): Promise<void> => {
  // a broken state file still counts: its blobs stay until someone has looked at it
  let count = 0
  for (const id of blobs.ids()) {
    if (!records.exists(id)) await blobs.removeAll(id)
    count += 1
    if (count % BATCH === 0) await yieldToOthers()
  }
}

const sweepAside = async ({ layout, blobs, clock }: RetentionDeps): Promise<void> => {
  const now = clock().getTime()
  const folders = [...layout.shards(), layout.run, layout.revokes, layout.index]
  for (const folder of [...folders, ...blobs.ids().map(layout.blobFolder)]) {
    if (!existsSync(folder)) continue
    for (const name of readdirSync(folder)) {
      if (!isAside(name)) continue
      const file = path.join(folder, name)
      const stat = statSync(file, { throwIfNoEntry: false })
      if (stat && now - stat.mtimeMs > ASIDE_MS) rmSync(file, { force: true })
    }
    await yieldToOthers()
  }
}

const cutFeed = async ({ instances, journals, space, clock }: RetentionDeps): Promise<void> => {
  const alive = new Set<string>()
  for (const id of instances.known()) if (await instances.isAlive(id)) alive.add(id)
  // on a full disk the feed keeps what it must
  const bytes = space.trouble() === null ? FEED.bytes : 0
  journals.cut({ ...FEED, bytes, now: clock().getTime(), isAlive: id => alive.has(id) })
}

/** False when another process was faster: removed it, or made it run again. */
const removeIfThere = async (deps: RetentionDeps, id: SafeId): Promise<boolean> => {
  try {
    await remove(deps, id)
    return true
  } catch (error) {
    if (error instanceof MadhavaError) return false
    throw error
  }
}

export const createRetention = (deps: RetentionDeps): Retention => {
  /** On a clock that never jumps. */
  let asideSweptAt = Number.NEGATIVE_INFINITY
  const sweepAsideHourly = async (): Promise<void> => {
    if (performance.now() - asideSweptAt < SWEEP_ASIDE_EVERY_MS) return
    asideSweptAt = performance.now()
    await sweepAside(deps)
  }

  return {
    remove: id => remove(deps, id),
    async retain(rule) {
      let removed = 0
      const steps = [
        // first, since on a full disk the others may need what this frees
        () => cutFeed(deps),
        async () => {
          for (const id of await outdated(deps, rule)) removed += (await removeIfThere(deps, id)) ? 1 : 0
        },
        deps.feedRepair.findGone,
        () => deps.scanCache.refresh(Date.now(), yieldToOthers),
        () => sweepClaims(deps),
        () => sweepBlobs(deps),
        sweepAsideHourly,
      ]
      // a step that fails must not keep the others from running
      const troubles: unknown[] = []
      for (const step of steps) await step().catch((error: unknown) => troubles.push(error))
      if (troubles.length > 0) throw troubles[0]
      return removed
    },
  }
}
