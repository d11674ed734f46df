// Finds changes in the state files that are in no journal, since the process that made them died first.
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { compareVersions, type TaskRecord } from '../../../core/task.ts'
import type { LiveIndex } from '../index/live-index.ts'
import { TICK_MS } from '../index/scan-cache.ts'
import { idOfStateFile, type Layout, type SafeId } from '../layout.ts'
import type { Records } from '../records/records.ts'

/** After so many state files, other work of the process gets a turn. */
const BATCH = 200

export interface FeedRepair {
  /** Finds changes in state files written since `sinceMs` that are in no journal; returns how many. */
  findWritten(sinceMs: number): Promise<number>
  /** Publishes removals that are in no journal, since the process was killed after it removed the state file. */
  findGone(): Promise<number>
}

interface FeedRepairDeps {
  layout: Layout
  records: Pick<Records, 'read'>
  liveIndex: Pick<LiveIndex, 'current' | 'publish' | 'flush'>
}

export const createFeedRepair = ({ layout, records, liveIndex }: FeedRepairDeps): FeedRepair => {
  /** Folders in which nothing was missing, with the time of their last change then. */
  const unchanged = new Map<number, number>()

  const scanWritten = async (sinceMs: number, onTask: (task: TaskRecord) => void): Promise<void> => {
    let count = 0
    for (const folder of layout.shards()) {
      if ((statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0) < sinceMs) continue
      for (const name of readdirSync(folder)) {
        const id = idOfStateFile(name)
        if (!id) continue
        const stat = statSync(path.join(folder, name), { throwIfNoEntry: false })
        const task = stat && stat.mtimeMs >= sinceMs ? records.read(id) : null
        if (task) onTask(task)
        count += 1
        if (count % BATCH === 0) await yieldToOthers()
      }
    }
  }

  return {
    async findWritten(sinceMs) {
      const index = await liveIndex.current()
      let found = 0
      await scanWritten(sinceMs, task => {
        const known = index.version(task.id)
        if (known && compareVersions(task, known) <= 0) return
        found += 1
        liveIndex.publish({ type: 'task', task })
      })
      liveIndex.flush()
      return found
    },
    async findGone() {
      const index = await liveIndex.current()
      const changed = new Set<number>()
      const present = new Set<string>()
      for (const [shard, folder] of layout.shards().entries()) {
        const begun = Date.now()
        const { mtimeMs } = statSync(folder)
        if (unchanged.get(shard) === mtimeMs) continue
        if (mtimeMs < begun - TICK_MS) unchanged.set(shard, mtimeMs)
        changed.add(shard)
        for (const name of readdirSync(folder)) present.add(name)
      }
      let found = 0
      if (changed.size === 0) return found
      for (const { id, claim, owner, kind } of index.endedIn(changed)) {
        // the listing took a while, and new tasks are not lost ones
        if (present.has(`${id}.json`) || existsSync(layout.task(id as SafeId))) continue
        found += 1
        liveIndex.publish({ type: 'removed', id, claim: claim + 1, owner, kind })
      }
      liveIndex.flush()
      return found
    },
  }
}
