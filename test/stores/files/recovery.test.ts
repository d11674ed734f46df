// The recovery after everybody died: which word of the logs counts, what is written anew, and that a cut in the middle of
// it takes nothing back.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { start, succeed } from '../../../src/core/moves.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createCancelRequests, readCancelRequest } from '../../../src/stores/files/claims/cancel-requests.ts'
import { createDisk, type Disk } from '../../../src/stores/files/disk.ts'
import { createLayout, type Layout, type SafeId } from '../../../src/stores/files/layout.ts'
import type { JournalEntry } from '../../../src/stores/files/log/journal-files.ts'
import { recoverOnce } from '../../../src/stores/files/log/recovery.ts'
import { createWal, listWals, type WalEntry } from '../../../src/stores/files/log/wal.ts'
import { createRecords } from '../../../src/stores/files/records/records.ts'
import { at, newTask } from '../../suites/store/world.ts'
import { generator } from '../../support/generator.ts'
import { recordDisk } from '../../support/recorded-disk.ts'
import { undo } from '../../support/undo.ts'
import { createInstances, DEAD, ME, OTHER } from './parts.ts'

const LATER = 'eeeeeeeeeeee'
const CUTS = process.env.STORE_LONG === '1' ? 20 : 2

/** Folders as a store has them; of the 256 for state files those that are used. */
const makeLayout = (dir: string, ids: readonly string[]): Layout => {
  const layout = createLayout(dir)
  for (const folder of layout.folders()) mkdirSync(folder, { recursive: true })
  for (const id of ids) mkdirSync(layout.taskFolder(id as SafeId), { recursive: true })
  return layout
}
const inFolder = (test: TestContext, ids: readonly string[]): Layout => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'madhava-recovery-'))
  undo(test, () => rmSync(dir, { recursive: true, force: true }))
  return makeLayout(path.join(dir, 'data'), ids)
}
/** A log of a process that is dead, durable. */
const logOf = async (layout: Layout, disk: Disk, instance: string, entries: readonly WalEntry[]) => {
  const wal = createWal(disk, layout.wal, instance)
  wal.append(entries)
  await wal.sync()
  wal.close()
}
/** Those who wrote before are dead. */
const recover = (layout: Layout, disk: Disk, instance = ME): Promise<void> =>
  recoverOnce({
    layout,
    disk,
    instances: { ...createInstances(), instance, isAlive: async id => id === instance },
    log: silentLog(),
  })
const read = (layout: Layout, id: string): TaskRecord | null =>
  createRecords(layout, createDisk(), () => {}).read(id as SafeId)
const task = (entry: TaskRecord): WalEntry => ({ type: 'task', task: entry })
const versions = (first: TaskRecord) => {
  const started: TaskRecord = { ...start('w', at(1))(first), claim: 1, rev: 1 }
  return { first, started, ended: { ...succeed(1, null, at(2))(started), claim: 1, rev: 2 } as TaskRecord }
}

describe('recovery', () => {
  it('goes by the newest version, and of two entries of one version by the later', async test => {
    const { first, started, ended } = versions(newTask())
    const refused = { ...ended, result: 'refused to its caller' }
    const layout = inFolder(test, [first.id])
    const disk = createDisk()
    await logOf(layout, disk, DEAD, [started, refused, ended, started, first].map(task))
    await recover(layout, disk)
    assert.deepEqual(read(layout, first.id), ended)
    assert.deepEqual(listWals(layout.wal), [])
  })

  it('leaves a state file that is newer than the logs, and writes one that is older', async test => {
    const [one, other] = [versions(newTask()), versions(newTask())]
    const layout = inFolder(test, [one.first.id, other.first.id])
    const disk = createDisk()
    const records = createRecords(layout, disk, () => {})
    records.put(one.ended)
    records.put(other.first)
    await logOf(layout, disk, DEAD, [task(one.started), task(other.started)])
    await recover(layout, disk)
    assert.deepEqual(read(layout, one.first.id), one.ended)
    assert.deepEqual(read(layout, other.first.id), other.started)
  })

  it('removes again what was removed under this claim or a later one, and nothing that came after', async test => {
    const [gone, old, anew] = [versions(newTask()), versions(newTask()), versions(newTask())]
    const ids = [gone, old, anew].map(({ first }) => first.id)
    const layout = inFolder(test, ids)
    const disk = createDisk()
    createRecords(layout, disk, () => {}).put(gone.ended)
    const removed = (id: string, claim: number): WalEntry => ({ type: 'removed', id, claim })
    const later = { ...anew.ended, claim: 3, rev: 4 }
    await logOf(layout, disk, DEAD, [
      task(old.ended),
      removed(gone.first.id, 2),
      removed(old.first.id, 1),
      removed(anew.first.id, 2),
      task(later),
    ])
    await recover(layout, disk)
    assert.deepEqual(
      ids.map(id => read(layout, id)),
      [null, null, later],
    )
    const told = readdirSync(layout.journal).map(name =>
      readFileSync(path.join(layout.journal, name), 'utf8'),
    )
    for (const id of ids) assert.ok(told.join('').includes(id), 'the feed tells of it')
  })

  it('tells whose the removed tasks were, and of which kind, where the log or the state file says it', async test => {
    const tasks = ['ann', null, 'bob', 'eve'].map(owner => versions(newTask({ owner })))
    const [logged, nobodys, inPlace, early] = tasks.map(({ first }) => first.id) as [
      string,
      string,
      string,
      string,
    ]
    const layout = inFolder(test, [logged, nobodys, inPlace, early])
    const disk = createDisk()
    createRecords(layout, disk, () => {}).put(tasks[2]?.ended as TaskRecord)
    await logOf(layout, disk, DEAD, [
      { type: 'removed', id: logged, claim: 2, owner: 'ann', kind: 'adding' },
      { type: 'removed', id: nobodys, claim: 2, owner: null },
      // of a version that did not write it
      { type: 'removed', id: inPlace, claim: 2 },
      { type: 'removed', id: early, claim: 2 },
    ])
    await recover(layout, disk)
    const told = readdirSync(layout.journal)
      .flatMap(name => readFileSync(path.join(layout.journal, name), 'utf8').trim().split('\n'))
      .map(line => JSON.parse(line) as JournalEntry)
    assert.deepEqual(told, [
      { type: 'removed', id: logged, claim: 2, owner: 'ann', kind: 'adding' },
      { type: 'removed', id: nobodys, claim: 2, owner: null },
      { type: 'removed', id: inPlace, claim: 2, owner: 'bob', kind: 'adding' },
      { type: 'removed', id: early, claim: 2 },
    ])
  })

  it('keeps the last cancel request of a task that has not ended', async test => {
    const [waiting, over] = [versions(newTask()), versions(newTask())]
    const layout = inFolder(test, [waiting.first.id, over.first.id])
    const disk = createDisk()
    const requestCancel = (id: string, claim: number, seconds: number): WalEntry => ({
      type: 'revoke',
      id,
      claim,
      at: at(seconds),
    })
    await logOf(layout, disk, DEAD, [
      task(waiting.started),
      requestCancel(waiting.first.id, 1, 5),
      requestCancel(waiting.first.id, 2, 6),
      requestCancel(waiting.first.id, 0, 7),
      task(over.ended),
      requestCancel(over.first.id, 1, 5),
    ])
    await recover(layout, disk)
    assert.deepEqual(readdirSync(layout.revokes), [waiting.first.id])
    assert.equal(readCancelRequest(layout.revoke(waiting.first.id as SafeId))?.at, at(6))
  })

  it('writes again what could not be synced, since memory may show what the disk has dropped', async test => {
    const { first, started, ended } = versions(newTask())
    const running = versions(newTask())
    const layout = inFolder(test, [first.id, running.first.id])
    // what is there stands in memory alone: the recorded disk does not know of it
    const records = createRecords(layout, createDisk(), () => {})
    records.put(ended)
    records.put(running.started)
    createCancelRequests(layout, createDisk())
      .write(running.first.id as SafeId, at(5), 1)
      .show()
    const recorded = recordDisk()
    const requested: WalEntry = { type: 'revoke', id: running.first.id, at: at(5), claim: 1 }
    await logOf(layout, recorded.disk, DEAD, [started, ended, running.started].map(task).concat(requested))
    const [wal] = listWals(layout.wal)
    assert.ok(wal)
    renameSync(wal.file, wal.file.replace('.ndjson', '.unsynced.ndjson'))
    await recover(layout, recorded.disk)
    const end = recorded.step()
    const story = await recorded.end()
    const to = makeLayout(path.join(layout.dir, '..', 'kept'), [first.id, running.first.id])
    story.leave(end, layout.dir, to.dir, () => 0.9)
    for (const name of readdirSync(to.wal)) rmSync(path.join(to.wal, name))
    assert.deepEqual(read(to, first.id), ended)
    assert.equal(readCancelRequest(to.revoke(running.first.id as SafeId))?.at, at(5))
  })

  it('that is killed while it gives up the logs brings no removed task back', async test => {
    const { first, ended } = versions(newTask())
    const layout = inFolder(test, [first.id])
    const real = createDisk()
    // the removal goes first
    await logOf(layout, real, OTHER, [{ type: 'removed', id: first.id, claim: 2 }])
    await logOf(layout, real, DEAD, [task(ended)])
    let unlinked = 0
    const killed: Disk = {
      ...real,
      unlink(file) {
        if (file.startsWith(layout.wal)) {
          if (unlinked > 0) throw new Error('killed')
          unlinked += 1
        }
        real.unlink(file)
      },
    }
    await assert.rejects(recover(layout, killed), /killed/)
    assert.equal(unlinked, 1)
    await recover(layout, real, LATER)
    assert.equal(read(layout, first.id), null)
  })

  it('may be cut off by the power at any step, and again', async test => {
    const [gone, kept, cancelRequested] = [versions(newTask()), versions(newTask()), versions(newTask())]
    const ids = [gone, kept, cancelRequested].map(({ first }) => first.id)
    const from = inFolder(test, ids)
    const recorded = recordDisk()
    createRecords(from, recorded.disk, () => {}).put(gone.ended)
    const written = from.task(gone.first.id as SafeId)
    await recorded.disk.sync([written, path.dirname(written)])
    await logOf(from, recorded.disk, OTHER, [
      { type: 'removed', id: gone.first.id, claim: 2 },
      task(cancelRequested.started),
    ])
    await logOf(from, recorded.disk, DEAD, [
      task(gone.ended),
      task(kept.ended),
      { type: 'revoke', id: cancelRequested.first.id, at: at(5), claim: 1 },
    ])
    const begin = recorded.step()
    await recover(from, recorded.disk)
    const end = recorded.step()
    const story = await recorded.end()
    // the last steps give up what the others rest on
    const cutsAt = (step: number): number => (step > end - 4 ? 10 * CUTS : CUTS)
    for (let step = begin; step <= end; step += 1)
      for (let cut = 0; cut < cutsAt(step); cut += 1) {
        const to = makeLayout(path.join(from.dir, '..', `${step}-${cut}`), ids)
        story.leave(step, from.dir, to.dir, generator(step * 1_000 + cut))
        await recover(to, createDisk(), LATER)
        const where = `cut at step ${step} of ${begin} to ${end}`
        assert.deepEqual(
          ids.map(id => read(to, id)),
          [null, kept.ended, cancelRequested.started],
          where,
        )
        assert.equal(readCancelRequest(to.revoke(cancelRequested.first.id as SafeId))?.at, at(5), where)
        rmSync(to.dir, { recursive: true })
      }
  })

  it('does nothing while a process lives that has recovered already', async test => {
    const { first, ended } = versions(newTask())
    const layout = inFolder(test, [first.id])
    const disk = createDisk()
    const deps = (instance: string, living: readonly string[]) => ({
      layout,
      disk,
      instances: { ...createInstances(), instance, isAlive: async (id: string) => living.includes(id) },
      log: silentLog(),
    })
    await recoverOnce(deps(OTHER, [OTHER]))
    await logOf(layout, disk, OTHER, [task(ended)])
    await recoverOnce(deps(ME, [OTHER, ME]))
    assert.equal(listWals(layout.wal).length, 1)
    // and not again after one that has been through it since, but when all of them are dead
    await recoverOnce(deps(LATER, [LATER]))
    assert.deepEqual([listWals(layout.wal), read(layout, first.id)], [[], ended])
  })

  it('leaves it to a process that recovered while this one waited for its turn', async test => {
    const { first, ended } = versions(newTask())
    const layout = inFolder(test, [first.id])
    const real = createDisk()
    await logOf(layout, real, OTHER, [task(ended)])
    const disk: Disk = {
      ...real,
      symlink(target, file) {
        writeFileSync(path.join(layout.run, `${OTHER}.sound`), '')
        return real.symlink(target, file)
      },
    }
    const instances = { ...createInstances(), isAlive: async () => true }
    await recoverOnce({ layout, disk, instances, log: silentLog() })
    assert.equal(listWals(layout.wal).length, 1)
  })

  it('keeps the logs when the state files cannot be synced, and says so for good', async test => {
    const { first, ended } = versions(newTask())
    const layout = inFolder(test, [first.id])
    const real = createDisk()
    await logOf(layout, real, DEAD, [task(ended)])
    const broken: Disk = {
      ...real,
      async sync(paths) {
        if (paths.includes(layout.task(first.id as SafeId))) throw new Error('EIO')
      },
    }
    await assert.rejects(recover(layout, broken), /EIO/)
    assert.deepEqual(
      listWals(layout.wal).map(({ unsynced }) => unsynced),
      [true],
    )
    await recover(layout, real, LATER)
    assert.deepEqual([listWals(layout.wal), read(layout, first.id)], [[], ended])
  })
})
