// Giving up a log: only when all that it says is durable, and never what still binds another log.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { silentLog } from '../../../src/platform/log.ts'
import { createDisk } from '../../../src/stores/files/disk.ts'
import { createLayout, type SafeId } from '../../../src/stores/files/layout.ts'
import { createCommitter } from '../../../src/stores/files/log/committer.ts'
import { startLogTruncation } from '../../../src/stores/files/log/truncate-log.ts'
import { createWal, listWals, readWal, type WalEntry } from '../../../src/stores/files/log/wal.ts'
import { createWriter } from '../../../src/stores/files/log/writer.ts'
import { at, newTask } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'
import { until } from '../../support/until.ts'
import { createInstances, DEAD, ME, OTHER } from './parts.ts'

const NEVER = 1_000_000

const setUp = (test: TestContext, everyMs = NEVER) => {
  const layout = createLayout(mkdtempSync(path.join(os.tmpdir(), 'madhava-truncate-')))
  for (const folder of layout.folders()) mkdirSync(folder)
  const real = createDisk()
  /** What was done, in its order: names of what was synced, and logs that went. */
  const steps: string[] = []
  const failing = { sync: false, looks: 0 }
  const disk = {
    ...real,
    async sync(paths: readonly string[]) {
      if (failing.sync) throw Object.assign(new Error('injected'), { code: 'EIO' })
      steps.push(...paths.map(file => `sync ${path.relative(layout.dir, file)}`))
      await real.sync(paths)
    },
    unlink(file: string) {
      if (file.startsWith(layout.wal)) steps.push(`unlink ${path.basename(file)}`)
      real.unlink(file)
    },
  }
  const wal = createWal(disk, layout.wal, ME)
  const committer = createCommitter({ wal, writer: createWriter(disk), onVisible() {}, onFailure() {} })
  const truncation = startLogTruncation({
    layout,
    disk,
    wal,
    committer,
    instances: createInstances(),
    journals: {
      filesOf(instance) {
        failing.looks -= 1
        if (failing.looks >= 0) throw new Error('not now')
        return [path.join(layout.journal, `${instance}.1.ndjson`)]
      },
    },
    log: silentLog(),
    everyMs,
  })
  undo(test, async () => {
    failing.sync = false
    await truncation.close().catch(() => {})
    rmSync(layout.dir, { recursive: true, force: true })
  })
  const commit = (entry: WalEntry) => committer.commit(entry, () => ({ show() {}, discard() {} }))
  const logOf = (instance: string, entries: readonly WalEntry[]): string => {
    const file = path.join(layout.wal, `${instance}.1.ndjson`)
    writeFileSync(file, entries.map(entry => `${JSON.stringify(entry)}\n`).join(''))
    return file
  }
  return { layout, steps, failing, wal, committer, truncation, commit, logOf }
}
const removal = (id: string): WalEntry => ({ type: 'removed', id, claim: 2 })

describe('giving up a log', () => {
  it('waits until all that it says is durable: records, cancel requests, keys, and the journals that tell of it', async test => {
    const { layout, steps, truncation, commit } = setUp(test)
    const [task, cancelRequested, gone] = [newTask(), newTask(), newTask()]
    await commit({ type: 'task', task })
    await commit({ type: 'revoke', id: cancelRequested.id, at: at(1), claim: 1 })
    await commit(removal(gone.id))
    steps.splice(0)
    await truncation.close()
    const [unlinked] = steps.splice(-1)
    assert.equal(unlinked, `unlink ${ME}.1.ndjson`)
    const wanted = [task, cancelRequested, gone].flatMap(({ id }) => [
      layout.task(id as SafeId),
      layout.taskFolder(id as SafeId),
    ])
    const others = [
      layout.revoke(cancelRequested.id as SafeId),
      layout.keys,
      layout.revokes,
      layout.journal,
      layout.wal,
    ]
    const journal = path.join(layout.journal, `${ME}.1.ndjson`)
    for (const file of [...wanted, ...others, journal])
      assert.ok(steps.includes(`sync ${path.relative(layout.dir, file)}`), file)
    assert.deepEqual(listWals(layout.wal), [])
  })

  it('keeps a removal as long as another log could bring the task back', async test => {
    const { layout, truncation, commit, logOf } = setUp(test)
    const [bound, free] = [newTask(), newTask()]
    // of a process that lives, and may not have shown it yet
    logOf(OTHER, [{ type: 'task', task: bound }])
    await commit(removal(bound.id))
    await commit(removal(free.id))
    await truncation.close()
    const [mine] = listWals(layout.wal).filter(({ instance }) => instance === ME)
    assert.deepEqual(mine && readWal(mine.file), [removal(bound.id)])
    assert.equal(mine?.number, 2)
  })

  it('is not tried again by a process whose sync failed, and says so for the next start', async test => {
    const { layout, failing, truncation, commit, committer } = setUp(test)
    const task = newTask()
    await commit({ type: 'task', task })
    failing.sync = true
    await assert.rejects(truncation.close(), { code: 'STORE_UNAVAILABLE' })
    assert.equal(committer.isBroken(), true)
    failing.sync = false
    const wals = listWals(layout.wal)
    assert.deepEqual(
      wals.map(({ instance, unsynced }) => [instance, unsynced]),
      [[ME, true]],
    )
    assert.deepEqual(readWal(wals[0]?.file ?? ''), [{ type: 'task', task }])
  })

  it('of the dead is done by the living, but not of what could not be synced', async test => {
    const { layout, steps, truncation, logOf } = setUp(test)
    const [dead, alive] = [newTask(), newTask()]
    const gone = logOf(DEAD, [{ type: 'task', task: dead }])
    const kept = logOf(OTHER, [{ type: 'task', task: alive }])
    const unsynced = path.join(layout.wal, `${DEAD}.2.unsynced.ndjson`)
    writeFileSync(unsynced, `${JSON.stringify({ type: 'task', task: dead })}\n`)
    await truncation.settleDead()
    assert.deepEqual(
      [gone, kept, unsynced].map(file => existsSync(file)),
      [false, true, true],
    )
    const place = (step: string) => steps.indexOf(step)
    const written = `sync ${path.relative(layout.dir, layout.task(dead.id as SafeId))}`
    assert.ok(place(written) >= 0 && place(written) < place(`unlink ${DEAD}.1.ndjson`))
    assert.ok(
      steps.includes(`sync ${path.relative(layout.dir, path.join(layout.journal, `${DEAD}.1.ndjson`))}`),
    )
  })

  it('is tried again by itself after it has failed', async test => {
    const { layout, failing, commit } = setUp(test, 10)
    failing.looks = 2
    await commit({ type: 'task', task: newTask() })
    assert.equal(listWals(layout.wal).length, 1)
    await until('the log is given up', () => listWals(layout.wal).length === 0)
    assert.ok(failing.looks < 0)
    // and what comes later is given up too
    await commit({ type: 'task', task: newTask() })
    await until('the next log is given up', () => listWals(layout.wal).length === 0)
  })

  it('leaves nothing at an orderly end, and may be asked for twice', async test => {
    const { layout, truncation, commit } = setUp(test)
    await commit({ type: 'task', task: newTask() })
    await truncation.close()
    await truncation.close()
    assert.deepEqual(readdirSync(layout.wal), [])
  })
})
