// What is kept of the folders of state files from one start to the next: used when it fits, and only then.
import assert from 'node:assert/strict'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { TaskRecord } from '../../../src/core/task.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createDisk } from '../../../src/stores/files/disk.ts'
import {
  createScanCache,
  type ScanCache,
  SHARD_COUNT,
  TICK_MS,
} from '../../../src/stores/files/index/scan-cache.ts'
import { createLayout, type Layout, type SafeId } from '../../../src/stores/files/layout.ts'
import { makeFolders } from '../../../src/stores/files/prepare-folders.ts'
import { createRecords } from '../../../src/stores/files/records/records.ts'
import { newTaskOf } from '../../support/new-task.ts'
import { until } from '../../support/until.ts'

const SHARD = 0xab
const TASKS = 40
const idOf = (number: number): string => `00000000-0000-7000-8000-0000000${String(number).padStart(3, '0')}ab`

describe('snapshots of the folders of state files', () => {
  let layout: Layout
  let reads: number
  let shards: ScanCache

  /** A reader as another process has it, which counts the state files that it reads. */
  const another = (): ScanCache => {
    const records = createRecords(layout, createDisk(), () => {})
    reads = 0
    return createScanCache({
      layout,
      records: {
        read(id) {
          reads += 1
          return records.read(id)
        },
      },
      unique: 'test',
      log: silentLog(),
    })
  }
  const write = (number: number, change: Partial<TaskRecord> = {}): void => {
    const task = { ...newTaskOf({ id: idOf(number), createdAt: '2026-01-01T00:00:00.000Z' }), ...change }
    const file = layout.task(task.id as SafeId)
    writeFileSync(`${file}.aside`, JSON.stringify(task))
    renameSync(`${file}.aside`, file)
  }
  /** Until the file system's clock has moved on so far that no change can be mistaken for an older one. */
  const settle = async (): Promise<void> => {
    const from = Date.now()
    await until('the clock has moved on', () => Date.now() > from + 150)
  }
  const statuses = (reader: ScanCache): Record<string, string> =>
    Object.fromEntries(reader.read(SHARD).map(({ id, status }) => [id, status]))
  const snapshot = (): string => path.join(layout.index, 'ab.json')
  const folder = (): string => layout.taskFolder(idOf(0) as SafeId)

  beforeEach(async () => {
    layout = createLayout(mkdtempSync(path.join(os.tmpdir(), 'shards-')))
    await makeFolders(layout)
    for (let number = 0; number < TASKS; number += 1) write(number, { owner: number % 2 ? 'ann' : null })
    await settle()
    shards = another()
  })
  afterEach(() => rmSync(layout.dir, { recursive: true, force: true }))

  it('reads every state file once, and none of them the next time', () => {
    const found = shards.read(SHARD)
    assert.equal(found.length, TASKS)
    assert.equal(reads, TASKS)
    const next = another()
    const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1)
    const again = next.read(SHARD).sort(byId)
    assert.deepEqual(again, found.sort(byId))
    assert.deepEqual(again.map(({ owner }) => owner).slice(0, 2), [null, 'ann'])
    assert.equal(reads, 0)
  })

  it('reads what was written, removed and added since, and nothing else', async () => {
    shards.read(SHARD)
    write(3, { status: 'REVOKED', rev: 1 })
    write(TASKS, { status: 'SUCCESS' })
    rmSync(layout.task(idOf(4) as SafeId))
    const found = statuses(another())
    assert.equal(reads, 2)
    assert.equal(found[idOf(3)], 'REVOKED')
    assert.equal(found[idOf(TASKS)], 'SUCCESS')
    assert.equal(found[idOf(4)], undefined)
    assert.equal(Object.keys(found).length, TASKS)
  })

  it('does not rely on what changed within a tick of the clock before it was read', async test => {
    const clock = Date.now
    const pause = async (): Promise<void> => {}
    /** The state files that are read again after they were read and kept so long after the change, milliseconds. */
    const readAgain = async (afterMs: number): Promise<number> => {
      shards.read(SHARD)
      write(5, { rev: 1 })
      const changed = Math.max(statSync(layout.task(idOf(5) as SafeId)).ctimeMs, statSync(folder()).mtimeMs)
      const pinned = test.mock.method(Date, 'now', () => changed + afterMs)
      const keeper = another()
      await keeper.refresh(clock() + 60_000, pause)
      assert.equal(reads, 1)
      pinned.mock.restore()
      another().read(SHARD)
      return reads
    }
    assert.equal(await readAgain(0), 1)
    assert.equal(await readAgain(TICK_MS), 1)
    assert.equal(await readAgain(TICK_MS + 1), 0)
  })

  it('reads the folder again where only its time of change is within a tick', async test => {
    shards.read(SHARD)
    rmSync(layout.task(idOf(4) as SafeId))
    // a whole second, which the file system keeps exactly
    const changed = new Date(Math.floor(Date.now() / 1000) * 1000)
    utimesSync(folder(), changed, changed)
    const pinned = test.mock.method(Date, 'now', () => changed.getTime() + TICK_MS)
    await another().refresh(changed.getTime() + 60_000, async () => {})
    pinned.mock.restore()
    // within the same tick, so that the folder does not look changed
    rmSync(layout.task(idOf(6) as SafeId))
    utimesSync(folder(), changed, changed)
    assert.equal(statuses(another())[idOf(6)], undefined)
  })

  it('takes a snapshot that is torn, empty, foreign or of another version for none', () => {
    shards.read(SHARD)
    const whole = readFileSync(snapshot(), 'utf8')
    const flipped = whole.replace('PENDING', 'SUCCESS')
    for (const text of [
      '',
      whole.slice(0, whole.length / 2),
      'x',
      '{}\n{}\n',
      `0\n${'\0'.repeat(50)}\n`,
      flipped,
    ]) {
      writeFileSync(snapshot(), text)
      const next = another()
      assert.deepEqual(
        new Set(Object.values(statuses(next))),
        new Set(['PENDING']),
        JSON.stringify(text.slice(0, 20)),
      )
      assert.equal(reads, TASKS)
    }
  })

  it('notices a state file that was put back with its old times', async () => {
    shards.read(SHARD)
    const file = layout.task(idOf(7) as SafeId)
    const copy = readFileSync(file, 'utf8')
    write(7, { status: 'SUCCESS', rev: 1 })
    shards.read(SHARD)
    await settle()
    writeFileSync(`${file}.aside`, copy)
    utimesSync(`${file}.aside`, new Date('2026-01-01'), new Date('2026-01-01'))
    renameSync(`${file}.aside`, file)
    assert.equal(statuses(another())[idOf(7)], 'PENDING')
  })

  it('renews a snapshot when its folder has come to rest', async () => {
    shards.read(SHARD)
    for (let number = 0; number < 10; number += 1) write(number, { status: 'SUCCESS', rev: 1 })
    await settle()
    const before = readFileSync(snapshot(), 'utf8')
    const pause = async (): Promise<void> => {}
    assert.equal(await shards.refresh(Date.now(), pause), 0, 'it may change again any moment')
    assert.equal(readFileSync(snapshot(), 'utf8'), before)
    assert.equal(await shards.refresh(Date.now() + 60_000, pause), 1)
    assert.equal(await shards.refresh(Date.now() + 120_000, pause), 0, 'nothing has changed since')
    assert.equal(statuses(another())[idOf(9)], 'SUCCESS')
    assert.equal(reads, 0)
  })

  it('renews the snapshot of a folder that never rests, now and then', async () => {
    shards.read(SHARD)
    write(1, { status: 'SUCCESS', rev: 1 })
    const soon = Date.now() + 20_000
    utimesSync(folder(), new Date(soon), new Date(soon))
    assert.equal(await shards.refresh(soon, async () => {}), 0)
    const later = Date.now() + 700_000
    utimesSync(folder(), new Date(later), new Date(later))
    assert.equal(await shards.refresh(later, async () => {}), 1)
    assert.equal(statuses(another())[idOf(1)], 'SUCCESS')
  })

  it('keeps nothing of small folders and leaves nothing half written', () => {
    for (let number = 10; number < TASKS; number += 1) rmSync(layout.task(idOf(number) as SafeId))
    for (let shard = 0; shard < SHARD_COUNT; shard += 1) shards.read(shard)
    assert.deepEqual(readdirSync(layout.index), [])
  })

  it('does without snapshots where they cannot be written', () => {
    rmSync(layout.index, { recursive: true })
    writeFileSync(layout.index, 'in the way')
    assert.equal(shards.read(SHARD).length, TASKS)
    assert.equal(another().read(SHARD).length, TASKS)
  })
})
