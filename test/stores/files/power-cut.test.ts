// A power cut at any moment: of all that the disk may have kept, whatever was acknowledged is there, nothing is torn.
import assert from 'node:assert/strict'
import { promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { revoke, start, succeed, takeOver } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { compareVersions, isFinal, newTaskId, type TaskRecord, taskSchema } from '../../../src/core/task.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { openFilesStore } from '../../../src/stores/files/open.ts'
import { add, at, keyed } from '../../suites/store/world.ts'
import { generator } from '../../support/generator.ts'
import { type RecordedDisk, recordDisk } from '../../support/recorded-disk.ts'
import { undo } from '../../support/undo.ts'

const CUTS = process.env.STORE_LONG === '1' ? 1000 : 30
const TASKS = 40

/** What a caller was told, and at which step of the disk. */
type Told = { step: number } & (
  | { told: 'there'; task: TaskRecord; key: string | null }
  | { told: 'cancel'; id: string }
  | { told: 'blob'; id: string; bytes: Buffer }
  | { told: 'upload'; id: string; bytes: Buffer }
  | { told: 'removed'; id: string }
  | { told: 'document'; name: string; rev: number }
  | { told: 'no document'; name: string }
)

const open = (dir: string, disk?: RecordedDisk['disk'], writerThread = false): Promise<TaskStore> =>
  openFilesStore({
    dir,
    clock: () => new Date(at(3)),
    log: silentLog(),
    truncateEveryMs: 15,
    writerThread,
    ...(disk ? { disk } : {}),
  })

/** Every kind of write, many at a time, over several checkpoints. */
const work = async (store: TaskStore, recorded: RecordedDisk): Promise<Told[]> => {
  const told: Told[] = []
  const there = (task: TaskRecord, key: string | null = null): TaskRecord => {
    told.push({ step: recorded.step(), told: 'there', task, key })
    return task
  }
  const life = async (n: number): Promise<void> => {
    const key = n % 4 === 0 ? `key ${n}` : null
    const kind = `kind${n}`
    const created =
      key === null ? await add(store, { kind }) : (await store.create(...keyed(key, key, { kind }))).task
    const { id } = there(created, key)
    if (n % 7 === 0) {
      there((await store.revoke(id, at(2))).task)
      return
    }
    const begin = start('w', at(1))
    // every other one is picked: what it begins is shown a moment later, or with its end
    const picked = n % 2 === 1
    const taken = picked
      ? await store.claimNext({ kinds: [created.kind], now: at(1) }, begin)
      : await store.claim(id, begin)
    assert.equal(taken?.id, id)
    if (!picked) there(taken)
    if (n % 3 === 0) {
      const bytes = Buffer.alloc(10 + n, n)
      await store.putBlob(id, 'some.bin', bytes)
      told.push({ step: recorded.step(), told: 'blob', id, bytes })
    }
    if (n % 5 === 0) {
      const { outcome } = await store.revoke(id, at(2))
      assert.equal(outcome, 'requested')
      told.push({ step: recorded.step(), told: 'cancel', id })
      if (n % 10 === 0) there(await store.move(id, taken.claim, revoke(at(2))))
      return
    }
    there(await store.move(id, taken.claim, succeed('x'.repeat(n * 50), null, at(2))))
    if (n % 6 !== 1) return
    await store.remove(id)
    told.push({ step: recorded.step(), told: 'removed', id })
  }
  const document = async (n: number): Promise<void> => {
    const name = `d${n % 3}`
    const data = { n, text: 'y'.repeat(n * 90) }
    const { rev } = await store.documents.put('accounts', name, { version: 1, expiresAt: null, data }, 'any')
    told.push({ step: recorded.step(), told: 'document', name, rev })
    if (n % 4 !== 3) return
    await store.documents.remove('accounts', name, rev)
    told.push({ step: recorded.step(), told: 'no document', name })
  }
  /** An upload in several requests. */
  const upload = async (n: number): Promise<void> => {
    const id = newTaskId()
    const bytes = Buffer.alloc(3_000 * (n + 1), n + 1)
    for (let at = 0; at < bytes.length; at += 3_000) {
      const pieces = [bytes.subarray(at, at + 1_000), bytes.subarray(at + 1_000, at + 3_000)]
      const size = await store.uploads.write(id, at, Readable.from(pieces))
      told.push({ step: recorded.step(), told: 'upload', id, bytes: bytes.subarray(0, size) })
    }
  }
  for (let n = 0; n < TASKS; n += 8) {
    await Promise.all([document(n / 8), upload(n / 8), ...Array.from({ length: 8 }, (_, k) => life(n + k))])
    // let a checkpoint come between
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return told
}

const check = async (store: TaskStore, everything: readonly Told[], step: number): Promise<void> => {
  const told = everything.filter(fact => fact.step <= step)
  // a removal that was under way may have been carried out; it begins only after the end is told
  const ended = new Set(told.flatMap(f => (f.told === 'there' && isFinal(f.task.status) ? [f.task.id] : [])))
  const removing = new Set(everything.flatMap(f => (f.told === 'removed' && ended.has(f.id) ? [f.id] : [])))
  const removed = new Set(told.flatMap(fact => (fact.told === 'removed' ? [fact.id] : [])))
  const { tasks } = await store.list({}, { limit: 1000, cursor: null })
  for (const task of tasks) assert.ok(taskSchema.safeParse(task).success, 'a record is whole')
  assert.equal((await store.counts()).total, tasks.length)
  for (const name of ['d0', 'd1', 'd2']) {
    const facts = everything.filter(
      fact => (fact.told === 'document' || fact.told === 'no document') && fact.name === name,
    )
    const [last] = facts.filter(fact => fact.step <= step).slice(-1)
    const next = facts.find(fact => fact.step > step)
    // whole, or an error that says otherwise
    const there = await store.documents.get('accounts', name)
    const isAsTold = !last || (last.told === 'document' ? there?.rev === last.rev : there === null)
    // the next write was under way
    const isNext = next && (next.told === 'document' ? there?.rev === next.rev : there === null)
    assert.ok(isAsTold || isNext, `the document ${name} is not as it was acknowledged`)
    if (there) assert.equal(String(there.data.text).length, Number(there.data.n) * 90)
  }
  for (const fact of told) {
    if (fact.told === 'document' || fact.told === 'no document') continue
    if (fact.told === 'removed') assert.equal(await store.get(fact.id), null, 'a removed task came back')
    if (fact.told === 'cancel' && !removed.has(fact.id)) {
      const task = await store.get(fact.id)
      assert.ok(task, 'a task is lost')
      assert.ok(task.revokeRequestedAt !== null, 'the cancel request is lost')
    }
    if (fact.told === 'blob' && !removing.has(fact.id)) {
      const blob = await store.getBlob(fact.id, 'some.bin')
      assert.ok(blob, 'a blob is lost')
      assert.deepEqual(Buffer.concat(await blob.stream.toArray()), fact.bytes)
    }
    if (fact.told === 'upload') {
      const there = await store.uploads.read(fact.id)
      assert.ok(there && there.bytes >= fact.bytes.length, 'bytes of an upload are lost')
      const found = Buffer.concat(await there.stream.toArray())
      assert.ok(found.subarray(0, fact.bytes.length).equals(fact.bytes), 'an upload is torn')
    }
    if (fact.told !== 'there' || removed.has(fact.task.id)) continue
    const task = await store.get(fact.task.id)
    if (!task && removing.has(fact.task.id)) continue
    assert.ok(task, `a task that was ${fact.task.status} is lost`)
    assert.ok(compareVersions(task, fact.task) >= 0, `${fact.task.status} went back to ${task.status}`)
    if (isFinal(fact.task.status)) assert.deepEqual(task, fact.task)
    if (fact.key !== null) {
      const again = await store.create(...keyed(fact.key, fact.key))
      assert.deepEqual([again.created, again.task.id], [false, fact.task.id], 'an idempotency key is lost')
    }
  }
}

describe('a power cut', () => {
  for (const [how, writerThread] of Object.entries({ 'on the spot': false, 'in a thread': true }))
    it(`loses nothing that was acknowledged and tears nothing, whatever the disk kept of files written ${how}`, {
      timeout: 600_000,
    }, async t => {
      const root = await fs.mkdtemp(path.join(os.tmpdir(), 'madhava-cut-'))
      undo(t, () => fs.rm(root, { recursive: true, force: true }))
      const from = path.join(root, 'from')
      const recorded = recordDisk()
      const store = await recorded.withThread(() => open(from, recorded.disk, writerThread))
      const before = await store.cursor()
      const told = await work(store, recorded)
      const end = recorded.step()
      await store.close()
      const story = await recorded.end()
      assert.equal(recorded.stepsOfThread() > TASKS, writerThread, 'the thread has done its part')
      assert.ok(told.length > TASKS * 2 && end > TASKS * 10, 'there was something to cut')
      for (let cut = 0; cut < CUTS; cut += 1) {
        const random = generator(cut * 7919 + 1)
        const step = Math.floor(random() * (end + 1))
        const to = path.join(root, `cut-${cut}`)
        await fs.mkdir(to)
        story.leave(step, from, to, random)
        const later = await open(to)
        try {
          await check(later, told, step)
          // whoever followed the feed until the work began hears of everything in the end
          const heard = new Set((await later.changedSince(before)).ids)
          for (const fact of told.filter(fact => fact.step <= step)) {
            if (fact.told === 'document' || fact.told === 'no document') continue
            const id = fact.told === 'there' ? fact.task.id : fact.id
            // bytes are no change of a task
            if (fact.told === 'blob' || fact.told === 'upload') continue
            assert.ok(heard.has(id), `the feed does not tell of a task that is ${fact.told}`)
          }
          // and life goes on
          for (const id of (await later.agenda(at(4), 100)).orphaned)
            assert.ok(await later.claim(id, takeOver(at(4))))
          await add(later)
        } catch (error) {
          throw new Error(`cut ${cut} at step ${step} of ${end}: ${error}`, { cause: error })
        } finally {
          await later.close()
          await fs.rm(to, { recursive: true, force: true })
        }
      }
    })

  it('is noticed by this test: without its log a store that only renames would lose tasks', async t => {
    const root = await fs.mkdtemp(path.join(os.tmpdir(), 'madhava-cut-'))
    undo(t, () => fs.rm(root, { recursive: true, force: true }))
    const recorded = recordDisk()
    const store = await open(path.join(root, 'from'), recorded.disk)
    const { id } = await add(store)
    const step = recorded.step()
    await store.close()
    const story = await recorded.end()
    let lost = 0
    for (let cut = 0; cut < 20; cut += 1) {
      const to = path.join(root, `cut-${cut}`)
      await fs.mkdir(to)
      story.leave(step, path.join(root, 'from'), to, generator(cut))
      await fs.rm(path.join(to, 'wal'), { recursive: true, force: true })
      const later = await open(to)
      if (!(await later.get(id))) lost += 1
      await later.close()
    }
    assert.ok(lost > 0, 'the recorded disk forgets what was not synced')
  })
})
