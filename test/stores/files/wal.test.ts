// The write-ahead log: what stands in it, what is owed for it, and that none stays open once it is no longer written.
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Appender, createDisk } from '../../../src/stores/files/disk.ts'
import { createJournals } from '../../../src/stores/files/log/journal.ts'
import { createWal, listWals, readWal, type WalEntry } from '../../../src/stores/files/log/wal.ts'
import { at, newTask } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'
import { ME, OTHER } from './parts.ts'

const setUp = (test: TestContext) => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'madhava-wal-'))
  undo(test, () => rmSync(dir, { recursive: true, force: true }))
  const real = createDisk()
  const open = new Set<Appender>()
  /** Knows which of its files are open. */
  const disk = {
    ...real,
    append(file: string, ahead?: boolean): Appender {
      const plain = real.append(file, ahead)
      const appender: Appender = {
        get size() {
          return plain.size
        },
        append: plain.append,
        sync: plain.sync,
        close() {
          open.delete(appender)
          plain.close()
        },
      }
      open.add(appender)
      return appender
    },
  }
  return { dir, disk, open }
}

describe('a log', () => {
  it('says what is owed for it when the next one is begun', async test => {
    const { dir, disk } = setUp(test)
    const wal = createWal(disk, dir, ME)
    assert.equal(wal.rotate(), null)
    const task = newTask()
    const entries: WalEntry[] = [
      { type: 'task', task },
      { type: 'revoke', id: task.id, at: at(1), claim: 1 },
      { type: 'removed', id: OTHER, claim: 2 },
    ]
    wal.append(entries.slice(0, 1))
    wal.append(entries.slice(1))
    await wal.sync()
    assert.ok(wal.size() > 0)
    const owed = wal.rotate()
    assert.deepEqual([wal.size(), wal.rotate()], [0, null])
    assert.ok(owed)
    assert.deepEqual(
      [[...owed.ids], [...owed.cancelRequests], owed.removals],
      [[task.id, OTHER], [task.id], entries.slice(2)],
    )
    assert.deepEqual(readWal(owed.file), entries)
    wal.append(entries.slice(2))
    assert.deepEqual(
      listWals(dir).map(({ number }) => number),
      [1, 2],
    )
    wal.close()
  })

  it('is closed when the next one is begun, as a journal is', test => {
    const { dir, disk, open } = setUp(test)
    const wal = createWal(disk, dir, ME)
    for (let n = 0; n < 3; n += 1) {
      wal.append([{ type: 'task', task: newTask() }])
      assert.equal(open.size, 1)
      wal.rotate()
      assert.equal(open.size, 0)
    }
    wal.close()
    const folder = path.join(dir, 'journal')
    mkdirSync(folder)
    const journals = createJournals(folder, ME, disk)
    // more than one journal may hold, in one go
    const large = newTask({ params: 'x'.repeat(5 * 1024 * 1024) })
    for (let n = 0; n < 3; n += 1) {
      journals.append([{ type: 'task', task: large }])
      assert.equal(open.size, 1)
    }
    assert.equal(journals.filesOf(ME).length, 3)
    journals.close()
    assert.equal(open.size, 0)
  })

  it('is read up to what is torn, and on behind it', test => {
    const { dir } = setUp(test)
    const file = path.join(dir, `${ME}.1.ndjson`)
    const [one, other] = [newTask(), newTask()].map((task): WalEntry => ({ type: 'task', task }))
    writeFileSync(file, `${JSON.stringify(one)}\n{"type":"ta\n${JSON.stringify(other)}\n`)
    // without its end it was never acknowledged; then what is written ahead
    appendFileSync(file, JSON.stringify(one))
    appendFileSync(file, Buffer.alloc(1_000))
    assert.deepEqual(readWal(file), [one, other])
  })
})
