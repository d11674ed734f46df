// Tasks in every status with blobs of all sizes, for tests that carry them from one store to another.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { fail, report, succeed } from '../../src/core/moves.ts'
import { edit } from '../../src/core/people-moves.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { STATUSES, type TaskRecord } from '../../src/core/task.ts'
import { add, at, keyed, take } from '../suites/store/world.ts'

export const LARGE = randomBytes(3 * 1024 * 1024 + 17)

export const bytesOf = async (store: TaskStore, id: string, name: string): Promise<Buffer> => {
  const blob = await store.getBlob(id, name)
  assert.ok(blob, `${name} of ${id} is there`)
  return buffer(blob.stream)
}

/** One task in each status, one with a key, one asked to end while it runs, blobs of all sizes. */
export const fill = async (store: TaskStore) => {
  const started = await take(store, (await add(store, { title: 'ü\n"' })).id)
  const { id } = await add(store)
  const { claim } = await take(store, id)
  const progress = await store.move(
    id,
    claim,
    report({ percent: 7, note: null, etaSeconds: 3 }, 'half', at(2)),
  )
  await store.putBlob(progress.id, 'checkpoint.bin', randomBytes(500))
  const asked = await take(store, (await add(store)).id)
  await store.revoke(asked.id, at(3))
  const failing = await take(store, (await add(store)).id)
  const error = { code: 'KIND_FAILED', message: 'it broke', detail: { a: [1, null] } }
  const retry = await store.move(failing.id, failing.claim, fail(error, at(99), at(4)))
  const failed = await take(store, (await add(store)).id)
  const failure = await store.move(failed.id, failed.claim, fail(error, null, at(4)))
  const { task: revoked } = await store.revoke((await add(store)).id, at(5))
  const big = await take(store, (await add(store)).id)
  await store.putBlob(big.id, 'result.txt', LARGE)
  await store.putBlob(big.id, 'empty', Buffer.alloc(0))
  await store.putBlob(big.id, 'mib', LARGE.subarray(0, 2 * 1024 * 1024))
  const success = await store.move(big.id, big.claim, succeed(null, LARGE.length, at(6)))
  const { task: pending } = await store.create(
    ...keyed('a key', 'a print', { owner: 'me', notBefore: at(500) }),
  )
  const open = await add(store, { kind: 'manual', doneBy: 'people', title: 'Water the plants', params: {} })
  const edited = await store.claim(open.id, edit({ title: 'Water all plants' }, null, at(7)))
  assert.ok(edited)
  const resting: TaskRecord[] = [retry, failure, revoked, success, pending, edited]
  const running = [started, progress, asked]
  assert.deepEqual(new Set([...resting, ...running].map(task => task.status)), new Set(STATUSES))
  return { resting, running, success, pending, progress, asked }
}
