// The files adapter of TaskStore: puts the parts together. Any number of processes on one host may open one folder.
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'
import { MadhavaError } from '../../core/errors.ts'
import { revoke } from '../../core/moves.ts'
import type { Agenda, TaskStore } from '../../core/store.ts'
import { idempotencyScope, isFinal, isRunning, isWaiting, type TaskRecord } from '../../core/task.ts'
import type { Log } from '../../platform/log.ts'
import { createBlobs } from './blobs.ts'
import { startCheckpoints } from './checkpoint.ts'
import { createClaims } from './claims.ts'
import { createCommitter } from './committer.ts'
import { decodePage, encodePage } from './cursor.ts'
import { createDisk, type Disk } from './disk.ts'
import { isErrno, storeError } from './errno.ts'
import { createHolder } from './holder.ts'
import { openInstances } from './instance.ts'
import { createJournals } from './journal.ts'
import { createLayout, makeFolders, parseId, type SafeId } from './layout.ts'
import { createKeys, createRevokes } from './marks.ts'
import { createRecords } from './records.ts'
import { recoverOnce } from './recovery.ts'
import { createRetention } from './retention.ts'
import { fits } from './task-index.ts'
import { createView } from './view.ts'
import { createWal } from './wal.ts'

export interface FilesStoreOptions {
  /** The data folder; made when it is missing. */
  dir: string
  clock: () => Date
  log: Log
  /** The name of this host in presences. */
  host?: string
  /** For tests: records what is done to the disk. */
  disk?: Disk
  /** From one checkpoint of the write-ahead log to the next, milliseconds. */
  checkpointEveryMs?: number
  /** The disk failed to sync. By default an error that nobody catches, which ends the process. */
  onFailure?: (error: unknown) => void
}

/** A dead process's last beat lies at most this long before its last write. */
const RECOVER_MARGIN_MS = 60_000

/** After a failed sync nobody knows what the disk holds: going on would be guessing. */
const endProcess = (error: unknown): void => {
  setImmediate(() => {
    throw error
  })
}

/** @throws STORE_UNAVAILABLE when the folder cannot be used, with the reason */
export const openFilesStore = async ({
  dir,
  clock,
  log,
  host = hostname(),
  disk = createDisk(),
  checkpointEveryMs,
  onFailure = endProcess,
}: FilesStoreOptions): Promise<TaskStore> => {
  const layout = createLayout(path.resolve(dir))
  await makeFolders(layout).catch((error: unknown) => {
    throw storeError(error)
  })
  const instances = await openInstances({ folder: layout.run, host, clock, log })
  const { instance } = instances
  await recoverOnce({ layout, disk, instances, log }).catch(async (error: unknown) => {
    await instances.leave()
    throw storeError(error)
  })
  const records = createRecords(layout, disk, log)
  const claims = createClaims(layout, instance)
  const revokes = createRevokes(layout, disk)
  const keys = createKeys(layout, disk)
  const blobs = createBlobs(layout, () => randomBytes(6).toString('hex'))
  const journals = createJournals(layout.journal, instance, disk)
  const wal = createWal(disk, layout.wal, instance)
  const committer = createCommitter({ wal, onFailure })
  const checkpoints = startCheckpoints({
    layout,
    disk,
    wal,
    committer,
    instances,
    log,
    ...(checkpointEveryMs === undefined ? {} : { everyMs: checkpointEveryMs }),
  })
  const view = createView({ layout, records, journals, clock, log })
  const holder = createHolder({
    records,
    committer,
    claims,
    revokes,
    instances,
    publish: task => view.publish({ type: 'task', task }),
  })
  const retention = createRetention({
    layout,
    records,
    committer,
    blobs,
    claims,
    keys,
    revokes,
    holder,
    instances,
    journals,
    view,
    clock,
  })
  let closing: Promise<void> | null = null
  const underWay = new Set<Promise<unknown>>()

  /** Every call: refused after close, waited for by close, and with errors that a client may see. */
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closing) throw new MadhavaError('STORE_UNAVAILABLE', 'The store is closed')
    const mine = work()
    underWay.add(mine)
    try {
      return await mine
    } catch (error) {
      throw storeError(error)
    } finally {
      underWay.delete(mine)
    }
  }

  const mustExist = (id: SafeId): TaskRecord => {
    const task = holder.read(id)
    if (task) return task
    throw new MadhavaError('TASK_NOT_FOUND', `There is no task ${id}`)
  }

  const insert = async (task: TaskRecord, fingerprint: string | null): Promise<boolean> => {
    const id = task.id as SafeId
    // what a removal that was cut short has left is not this task's
    if (records.exists(id)) return false
    if (blobs.exist(id)) await blobs.removeAll(id)
    const entry = { type: 'task', task, ...(fingerprint === null ? {} : { fingerprint }) } as const
    return committer.commit(entry, () => {
      const staged = records.create(task)
      return {
        discard: staged.discard,
        show() {
          const made = staged.show()
          if (made) view.publish({ type: 'task', task })
          return made
        },
      }
    })
  }

  /** Dead processes that nobody has looked after yet: what they wrote and had no time to announce. */
  const recoverDead = async (): Promise<string[]> => {
    const dead: string[] = []
    for (const id of instances.known()) if (!(await instances.isAlive(id))) dead.push(id)
    if (dead.length === 0) return dead
    const beats = (await instances.presences()).filter(({ instance: id }) => dead.includes(id))
    const since = Math.min(...beats.map(({ beatAt }) => Date.parse(beatAt)), clock().getTime())
    const found = (await view.findWritten(since - RECOVER_MARGIN_MS)) + (await view.findGone())
    if (found > 0) log.warn({ found, dead }, 'changes of a dead process were found in the state files')
    return dead
  }

  const leave = async (): Promise<void> => {
    await holder.leave()
    await instances.leave()
  }

  return {
    instance,

    create: (task, fingerprint) =>
      run(async () => {
        const id = parseId(task.id)
        const key = idempotencyScope(task)
        let record: TaskRecord = { ...task, id }
        if (key !== null) {
          if (records.exists(id)) throw new MadhavaError('TASK_EXISTS', `There is a task ${id} already`)
          const bound = keys.bind(key, id, fingerprint ?? '')
          // the one that bound the key may have died before it wrote the task: then this one writes it, by that id
          const first = bound === id ? null : holder.read(bound)
          if (first) return { task: first, created: false }
          record = { ...record, id: bound }
        }
        if (await insert(record, key === null ? null : fingerprint)) return { task: record, created: true }
        if (key !== null) return { task: mustExist(record.id as SafeId), created: false }
        throw new MadhavaError('TASK_EXISTS', `There is a task ${id} already`)
      }),

    get: id => run(async () => holder.read(parseId(id))),

    list: (filter, { limit, cursor }) =>
      run(async () => {
        const after = cursor === null ? null : decodePage(cursor)
        const index = await view.current()
        const tasks: TaskRecord[] = []
        let last = after
        for (const summary of index.newest(after)) {
          if (tasks.length >= limit) return { tasks, next: last && encodePage(last) }
          last = { createdAt: summary.createdAt, id: summary.id }
          if (!fits(summary, filter)) continue
          const task = holder.read(summary.id as SafeId)
          if (task && fits(task, filter)) tasks.push(task)
        }
        return { tasks, next: null }
      }),

    counts: () => run(async () => (await view.current()).counts()),

    claim: (id, move) => run(() => holder.claim(parseId(id), move)),

    claimNext: ({ kinds, now }, move) =>
      run(async () => {
        const index = await view.current()
        for (const { id, kind } of index.waiting.due(now)) {
          if (!kinds.includes(kind)) continue
          try {
            const task = await holder.claim(id as SafeId, found => {
              // the index may be behind: another process may have tried it meanwhile and put it off
              if (!isWaiting(found.status) || (found.notBefore ?? '') > now)
                throw new MadhavaError('ILLEGAL_MOVE')
              return move(found)
            })
            if (task && isRunning(task.status)) return task
          } catch (error) {
            // it ended, was removed or runs already: the feed tells the index soon
            if (!(error instanceof MadhavaError) || !['ILLEGAL_MOVE', 'TASK_NOT_FOUND'].includes(error.code))
              throw error
          }
        }
        return null
      }),

    move: (id, claim, move) => run(() => holder.move(parseId(id), claim, move)),

    revoke: (id, at) =>
      run(async () => {
        const safe = parseId(id)
        let wished = false
        for (;;) {
          const task = mustExist(safe)
          if (isFinal(task.status)) {
            if (!wished) return { outcome: 'ended', task }
            revokes.remove(safe)
            return { outcome: task.status === 'REVOKED' ? 'revoked' : 'requested', task }
          }
          try {
            const revoked = await holder.claim(safe, revoke(at))
            if (revoked) return { outcome: 'revoked', task: revoked }
          } catch (error) {
            // it ended between the look and the claim
            if (error instanceof MadhavaError && error.code === 'ILLEGAL_MOVE') continue
            throw error
          }
          if (wished) return { outcome: 'requested', task: mustExist(safe) }
          await committer.commit({ type: 'revoke', id: safe, at }, () => {
            const staged = revokes.write(safe, at)
            return {
              discard: staged.discard,
              show() {
                staged.show()
                view.publish({ type: 'revoke', id: safe, at })
              },
            }
          })
          wished = true
          // once more: the holder may have let go before it could see the wish
        }
      }),

    remove: id => run(() => retention.remove(parseId(id))),

    putBlob: (id, name, bytes) =>
      run(async () => {
        const safe = parseId(id)
        layout.blob(safe, name)
        mustExist(safe)
        try {
          const info = await blobs.put(safe, name, bytes)
          mustExist(safe)
          return info
        } catch (error) {
          // the task was removed meanwhile, and this blob's folder with it or just not yet
          if (records.read(safe)) throw error
          await blobs.removeAll(safe)
          throw isErrno(error, 'ENOENT') ? new MadhavaError('TASK_NOT_FOUND') : error
        }
      }),
    getBlob: (id, name, range) =>
      run(async () => {
        const safe = parseId(id)
        layout.blob(safe, name)
        return records.exists(safe) ? blobs.get(safe, name, range) : null
      }),
    removeBlob: (id, name) => run(() => blobs.remove(parseId(id), name)),
    listBlobs: id =>
      run(async () => {
        const safe = parseId(id)
        return records.exists(safe) ? blobs.list(safe) : []
      }),

    cursor: () => run(async () => view.cursor()),
    changes: (since, signal) => view.changes(since, signal),

    announce: presence => run(() => instances.announce(presence)),
    presences: () => run(() => instances.presences()),
    leave: () => leave(),

    agenda: (now, limit) =>
      run(async (): Promise<Agenda> => {
        const dead = await recoverDead()
        const index = await view.current()
        const orphaned: string[] = []
        for (const task of index.running()) if (!(await holder.isHeld(task))) orphaned.push(task.id)
        // nothing of them is needed any more once no task names them
        if (orphaned.length === 0) {
          await checkpoints.settleDead()
          for (const id of dead) instances.forget(id)
        }
        const expired = index.expired(now)
        const ending = new Set(expired.map(({ id }) => id))
        const dueIds: string[] = []
        for (const { id } of index.waiting.due(now)) {
          if (dueIds.length >= limit) break
          if (!ending.has(id)) dueIds.push(id)
        }
        const dueAndEnding = expired.filter(({ notBefore }) => notBefore === null || notBefore <= now)
        const nexts = [index.waiting.nextAt(now), index.nextExpiry(now)].filter(at => at !== null).sort()
        return {
          due: index.waiting.countDue(now) - dueAndEnding.length,
          dueIds,
          expired: [...ending],
          orphaned,
          nextAt: nexts[0] ?? null,
        }
      }),

    retain: rule => run(() => retention.retain(rule)),

    check: () =>
      run(async () => {
        const probe = path.join(layout.run, `.${instance}.probe.tmp`)
        writeFileSync(probe, 'x')
        rmSync(probe)
        await view.current()
      }),

    close() {
      closing ??= (async () => {
        await Promise.allSettled(underWay)
        view.close()
        await committer.settled()
        await checkpoints
          .close()
          .catch((error: unknown) => log.error({ error }, 'the log could not be given up'))
        await leave()
        journals.close()
      })()
      return closing
    },
  }
}
