// A task is told as it was at one moment, whatever happens to it while it is read; and what ran rests where it comes in.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listArtifact } from '../../../src/core/artifacts.ts'
import { report, retryByHand, start, succeed, takeOver } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { createMemoryStore } from '../../../src/stores/memory/open.ts'
import { exportStore } from '../../../src/stores/shared/export.ts'
import { atRest } from '../../../src/stores/shared/import-task.ts'
import { add, at, newTask, take } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'

const clock = () => new Date(at(100))

/** The record and the blobs of the one task, as an export tells them. */
const exported = async (store: TaskStore) => {
  const lines: Record<string, unknown>[] = []
  const options = { clock, fingerprintOf: async () => null, onLeftOut: assert.fail }
  for await (const line of exportStore(store, options)) lines.push(JSON.parse(line))
  const task = lines.find(({ type }) => type === 'task') as { record: { claim: number; status: string } }
  const blobs = lines.filter(({ type }) => type === 'blob')
  return {
    record: task.record,
    blobs: blobs.map(({ bytes }) => Buffer.from(String(bytes), 'base64').toString()),
  }
}

describe('a task that is exported', () => {
  it('has the blobs of its attempt, though a new one begins while they are opened', async test => {
    const store = createMemoryStore({ clock })
    undo(test, () => store.close())
    const { id } = await add(store)
    const { claim } = await take(store, id)
    await store.putBlob(id, 'log.txt', Buffer.from('first attempt'))
    let opened = 0
    const busy: TaskStore = {
      ...store,
      async getBlob(...args) {
        const blob = await store.getBlob(...args)
        opened += 1
        if (opened === 1) {
          await store.move(id, claim, succeed(1, null, at(3)))
          await store.claim(id, retryByHand(at(4)))
          await take(store, id)
          await store.putBlob(id, 'log.txt', Buffer.from('second attempt'))
        }
        return blob
      },
    }
    const { record, blobs } = await exported(busy)
    assert.deepEqual([record.status, record.claim > claim, blobs], ['STARTED', true, ['second attempt']])
  })

  it('has the artifacts that its record lists, though one is listed while the blobs are opened', async test => {
    const store = createMemoryStore({ clock })
    undo(test, () => store.close())
    const { id } = await add(store)
    const { claim } = await take(store, id)
    const keep = async (file: string, text: string): Promise<void> => {
      await store.putBlob(id, file, Buffer.from(text))
      const about = { name: 'one', bytes: text.length, type: 'text/plain', sha256: '0'.repeat(64) }
      await store.move(id, claim, listArtifact({ ...about, file }, at(3)))
    }
    await keep('artifact.1.1', 'replaced')
    await store.putBlob(id, 'artifact.1.2', Buffer.from('under way'))
    let listed = 0
    const busy: TaskStore = {
      ...store,
      async listBlobs(...args) {
        const blobs = await store.listBlobs(...args)
        listed += 1
        if (listed === 1) {
          await keep('artifact.1.3', 'listed')
          await store.removeBlob(id, 'artifact.1.1')
        }
        return blobs
      },
    }
    assert.deepEqual((await exported(busy)).blobs, ['listed'])
    // one that is missing for good does not keep the task out
    await store.removeBlob(id, 'artifact.1.3')
    assert.deepEqual((await exported(store)).blobs, [])
  })

  it('is not waited for while it only reports', async test => {
    const store = createMemoryStore({ clock })
    undo(test, () => store.close())
    const { id } = await add(store)
    const { claim } = await take(store, id)
    await store.move(id, claim, report({ percent: 1, note: null, etaSeconds: null }, null, at(2)))
    await store.putBlob(id, 'log.txt', Buffer.from('log'))
    let opened = 0
    const busy: TaskStore = {
      ...store,
      async getBlob(...args) {
        opened += 1
        await store.move(id, claim, report({ percent: 9, note: null, etaSeconds: null }, null, at(3)))
        return store.getBlob(...args)
      },
    }
    assert.deepEqual((await exported(busy)).blobs, ['log'])
    assert.equal(opened, 1)
  })
})

describe('an export', () => {
  it('has every task once, however many there are', async test => {
    const store = createMemoryStore({ clock })
    undo(test, () => store.close())
    const ids: string[] = []
    for (let n = 0; n < 401; n += 1) ids.push((await add(store, { createdAt: at(n % 7) })).id)
    const told: string[] = []
    const options = { clock, fingerprintOf: async () => null, onLeftOut: assert.fail }
    for await (const text of exportStore(store, options)) {
      const line = JSON.parse(text)
      if (line.type === 'task') told.push(line.record.id)
      if (line.type === 'end') assert.equal(line.tasks, 401)
    }
    assert.deepEqual(told.toSorted(), ids.toSorted())
  })
})

describe('a record that ran at the time of the export', () => {
  const running = { ...start('w', at(5))(newTask()), claim: 3, rev: 4 }

  it('waits in a later version of its own, and its attempt does not count', () => {
    const rests = atRest(running, at(9))
    assert.deepEqual(
      [rests.status, rests.attempt, rests.claim, rests.rev, rests.updatedAt],
      ['PENDING', 0, 4, 5, at(9)],
    )
  })

  it('is not given back before it was written, whatever time the export says', () => {
    assert.equal(atRest(running, at(1)).updatedAt, at(5))
    assert.deepEqual(
      atRest(running, at(1)).history.map(({ at: time }) => time),
      [...running.history.map(({ at: time }) => time), at(5)],
    )
  })

  it('is no other: what waits or has ended stays as it is', () => {
    for (const task of [newTask(), takeOver(at(6))(running), succeed(1, null, at(6))(running)])
      assert.equal(atRest(task, at(9)), task)
  })
})
