// Files that tasks make, by the runner on a memory store: whole or not at all, whatever happens on the way.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ARTIFACTS_MAX, artifactsOf } from '../../src/core/artifacts.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { loadKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { retryByHand } from '../../src/core/moves.ts'
import { createService } from '../../src/core/service.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { type Json, retryPolicySchema, type TaskRecord } from '../../src/core/task.ts'
import { anybody } from '../support/actors.ts'
import { createNotingQueue } from '../support/noting-queue.ts'
import { until } from '../support/until.ts'
import filer from './filer.ts'
import { openPool, setUp } from './runner-fixture.ts'

const OUTER = { timeout: 300_000 }
const FILER = fileURLToPath(new URL('./filer.ts', import.meta.url))
const threads = openPool(2)
after(() => threads.close())
const now = () => new Date().toISOString()
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const start = (
  t: TestContext,
  over: { wrap?: (store: TaskStore) => TaskStore; artifactMaxBytes?: number } = {},
) => {
  const kinds = createKinds([loadKind('filer', filer, 'filer.ts')])
  const world = setUp(t, threads, { kinds, files: { filer: FILER }, ...over })
  const { runner } = world.openRunner('w1')
  const { queue } = createNotingQueue()
  const service = createService({ store: world.client, queue, kinds, clock: () => new Date() })
  const blobs = async (id: string) =>
    (await world.client.listBlobs(id)).map(({ name }) => name).filter(name => name.startsWith('artifact.'))
  return {
    ...world,
    runner,
    cancel: (id: string) => service.cancel(anybody(), id),
    blobs,
    submit: (act: string, value: Json = null, fields: Partial<TaskRecord> = {}) =>
      world.submit(act, value, { kind: 'filer', ...fields }),
    /** What is listed has its bytes, and nothing else is there. */
    async assertWhole(id: string): Promise<Record<string, string>> {
      const artifacts = artifactsOf(await world.get(id))
      assert.deepEqual((await blobs(id)).toSorted(), artifacts.map(({ file }) => file).toSorted())
      const texts: Record<string, string> = {}
      for (const { name, file, bytes, sha256: told } of artifacts) {
        const blob = await world.blob(id, file)
        assert.ok(blob, `${name} has no bytes`)
        assert.deepEqual([blob.length, sha256(blob)], [bytes, told])
        texts[name] = blob.toString()
      }
      return texts
    },
    async run(id: string): Promise<TaskRecord> {
      await (await runner.take())?.ended
      return world.get(id)
    },
  }
}

describe('artifacts', () => {
  it(
    'are made of bytes, a text, or a stream of them, and listed with size, type and digest',
    OUTER,
    async t => {
      const world = start(t)
      const id = await world.submit('keep one of each form', FILER)
      const before = (await world.get(id)).rev
      const task = await world.run(id)
      assert.equal(task.status, 'SUCCESS', JSON.stringify(task.error))
      assert.deepEqual(await world.assertWhole(id), {
        'reused.txt': 'as it was',
        'bytes.bin': Buffer.from([0, 1, 2, 255]).toString(),
        'text.txt': 'gruß\n',
        'parts.csv': 'half a character: 😀',
        'stream.ts': await readFile(FILER, 'utf8'),
        empty: '',
      })
      const types = Object.fromEntries(artifactsOf(task).map(({ name, type }) => [name, type]))
      assert.deepEqual(types, {
        'reused.txt': 'text/plain',
        'bytes.bin': 'application/octet-stream',
        'text.txt': 'text/plain',
        'parts.csv': 'text/csv',
        'stream.ts': 'text/plain',
        empty: 'application/octet-stream',
      })
      const told = task.result as Record<string, Json>[]
      assert.deepEqual(Object.keys(told[0] ?? {}).toSorted(), ['bytes', 'name', 'sha256', 'type'])
      // the start, each file, the end
      assert.equal(task.rev - before, 8)
    },
  )

  it('replace one of their name, and stay through further attempts', OUTER, async t => {
    const world = start(t)
    const retry = retryPolicySchema.parse({ delaySeconds: 0 })
    const id = await world.submit('keep two, and fail at first', null, { retry })
    assert.equal((await world.run(id)).status, 'RETRY')
    assert.deepEqual(await world.assertWhole(id), { stays: 'first', replaced: 'by attempt 1' })
    assert.equal((await world.run(id)).status, 'SUCCESS')
    assert.deepEqual(await world.assertWhole(id), { stays: 'first', replaced: 'again by attempt 2' })
  })

  it('that an earlier attempt has left without listing them are removed by the next one', OUTER, async t => {
    const world = start(t)
    const retry = retryPolicySchema.parse({ delaySeconds: 0 })
    const id = await world.submit('keep two, and fail at first', null, { retry })
    await world.run(id)
    for (const name of ['artifact.1.77', 'artifact.0.1'])
      await world.client.putBlob(id, name, Buffer.from('left'))
    // a later holder's, as it would be
    await world.client.putBlob(id, 'artifact.9.1', Buffer.from('later'))
    await world.run(id)
    await world.client.removeBlob(id, 'artifact.9.1')
    assert.deepEqual(Object.keys(await world.assertWhole(id)), ['stays', 'replaced'])
  })

  it('are gone when a task is run again by hand, also if no attempt comes', OUTER, async t => {
    const world = start(t)
    const ids = [
      await world.submit('keep one, in its own words', 'a'),
      await world.submit('keep one, in its own words', 'b'),
    ]
    for (const id of ids) await world.run(id)
    for (const id of ids) {
      const again = await world.client.claim(id, retryByHand(now()))
      assert.equal(again?.artifacts, undefined)
    }
    const [run = '', cancelled = ''] = ids
    await world.cancel(cancelled)
    assert.deepEqual(await world.blobs(cancelled), [])
    await world.run(run)
    assert.deepEqual(await world.assertWhole(run), { one: 'a' })
    assert.equal((await world.blobs(run)).length, 1)
  })

  it('whose content throws are not there, and the kind gets the error', OUTER, async t => {
    const world = start(t)
    const id = await world.submit('keep what throws')
    assert.deepEqual((await world.run(id)).result, { code: null, message: 'the content broke' })
    assert.deepEqual(await world.assertWhole(id), {})
  })

  it('with a wrong name, type or content are refused', OUTER, async t => {
    const world = start(t)
    const id = await world.submit('keep what is refused')
    const answers = (await world.run(id)).result as { code: string }[]
    assert.equal(answers.length, 8)
    for (const { code } of answers) assert.equal(code, 'ARTIFACT_REFUSED', JSON.stringify(answers))
    assert.deepEqual(await world.assertWhole(id), {})
  })

  it('are at most so many, however many a kind begins', OUTER, async t => {
    const world = start(t)
    const id = await world.submit('keep many at once', 10_000)
    const task = await world.run(id)
    assert.equal(task.result, ARTIFACTS_MAX)
    assert.equal(Object.keys(await world.assertWhole(id)).length, ARTIFACTS_MAX)
  })

  it('over the limit of size are refused before all of it has come', OUTER, async t => {
    const world = start(t, { artifactMaxBytes: 3 * 1024 ** 2 })
    const fits = await world.submit('keep megabytes', 3)
    assert.equal((await world.run(fits)).result, 'kept')
    const id = await world.submit('keep megabytes', 1e9)
    const { code } = (await world.run(id)).result as { code: string }
    assert.equal(code, 'ARTIFACT_TOO_LARGE')
    assert.deepEqual(await world.assertWhole(id), {})
  })

  it(
    'that nobody waited for are kept before the end, and if one is refused the attempt fails',
    OUTER,
    async t => {
      const world = start(t)
      const kept = await world.submit('keep and not wait', 'in-time')
      assert.equal((await world.run(kept)).status, 'SUCCESS')
      assert.deepEqual(await world.assertWhole(kept), { 'in-time': 'it is kept' })
      const refused = await world.submit('keep and not wait', '../refused')
      const { status, error } = await world.run(refused)
      assert.deepEqual([status, error?.code], ['FAILURE', 'ARTIFACT_REFUSED'])
    },
  )

  for (const [how, act] of [
    ['cancelled', 'begin one and wait'],
    ['killed after a cancel that it ignores', 'begin one that hangs'],
  ] as const)
    it(`of a task that is ${how} in the middle of one are those that were whole`, OUTER, async t => {
      const world = start(t)
      const id = await world.submit(act)
      const taken = await world.runner.take()
      await world.reports(id)
      await world.client.revoke(id, now())
      await taken?.ended
      assert.equal((await world.get(id)).status, 'REVOKED')
      assert.deepEqual(await world.assertWhole(id), act === 'begin one and wait' ? { before: 'whole' } : {})
    })

  it('of a kind that ends its thread in the middle of one are not there', OUTER, async t => {
    const world = start(t)
    const id = await world.submit('begin one and exit')
    assert.equal((await world.run(id)).status, 'FAILURE')
    assert.deepEqual(await world.assertWhole(id), {})
  })

  it('that come after the end are not kept', OUTER, async t => {
    const world = start(t)
    const id = await world.submit('keep one after the end')
    assert.equal((await world.run(id)).status, 'SUCCESS')
    // its thread ends, so that nothing of it comes later
    await until('the thread is gone', () => threads.state().busy === 0 && threads.state().idle < 2)
    assert.deepEqual(await world.assertWhole(id), {})
  })

  it('that the store has no room for are refused with its code, and nothing is left', OUTER, async t => {
    const world = start(t, {
      wrap: store => ({
        ...store,
        putBlob: async (id, name, bytes) => {
          const info = await store.putBlob(id, name, bytes)
          // late, when it is there already
          if (name.startsWith('artifact.')) throw new MadhavaError('STORE_FULL')
          return info
        },
      }),
    })
    const id = await world.submit('keep one, in its own words', 'x')
    const { code } = (await world.run(id)).result as { code: string }
    assert.equal(code, 'STORE_FULL')
    assert.deepEqual(await world.assertWhole(id), {})
  })

  it('are listed when the store is away for a while', OUTER, async t => {
    let away = 2
    const world = start(t, {
      wrap: store => ({
        ...store,
        move: async (id, claim, move) => {
          if (away-- > 0) throw new MadhavaError('STORE_UNAVAILABLE')
          return store.move(id, claim, move)
        },
      }),
    })
    const id = await world.submit('keep one, in its own words', 'x')
    assert.equal((await world.run(id)).result, 'kept')
    assert.deepEqual(await world.assertWhole(id), { one: 'x' })
  })

  for (const isWritten of [true, false])
    it(
      `are whole or not there when a cancel comes while nobody knows whether one is listed (it is: ${isWritten})`,
      OUTER,
      async t => {
        let tries = 0
        const world = start(t, {
          wrap: store => ({
            ...store,
            move: async (id, claim, move) => {
              tries += 1
              if (tries > 1) return store.move(id, claim, move)
              if (isWritten) await store.move(id, claim, move)
              await world.client.revoke(id, now())
              throw new MadhavaError('STORE_UNAVAILABLE')
            },
          }),
        })
        const id = await world.submit('keep one and wait', 'x')
        assert.equal((await world.run(id)).status, 'REVOKED')
        assert.deepEqual(await world.assertWhole(id), isWritten ? { one: 'x' } : {})
      },
    )
})
