// What a run may rely on and what it cannot escape, whatever its kind is made of. The kind is that of
// test/worker/acts/acts.ts.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { artifactsOf } from '../../src/core/artifacts.ts'
import { BLOBS } from '../../src/core/content.ts'
import type { NamedKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import type { Json, TaskRecord } from '../../src/core/task.ts'
import { decodeLog } from '../../src/core/task-log.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createThreads, type ThreadPool } from '../../src/worker/pool/pool.ts'
import { createScratch } from '../../src/worker/scratch.ts'
import { processesWith } from '../support/find-processes.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'
import { putUpload } from '../support/whole-upload.ts'
import { setUp } from '../worker/runner-fixture.ts'

export interface RunnerPlace {
  kind: NamedKind
  file: string
}

/** Enough for a program that does little, and soon used up by one that takes all it can get. */
export const MEMORY_MB = 160

const RETRY = { delaySeconds: 0, factor: 1, maxDelaySeconds: 0, retryOn: ['TRY_AGAIN'] }

let words = 0
/** Seconds for `sleep`, which no other process of the machine sleeps. */
export const ownSleep = (): string => {
  words += 1
  return `98765.${process.pid}${String(words).padStart(4, '0')}`
}
const nothingSleeps = (word: string): Promise<void> =>
  until('nothing is left running', () => processesWith(word).length === 0)

/** @param open the kind; asked for once. @param skip why it cannot be tried here */
export const describeRunner = (
  name: string,
  open: () => Promise<RunnerPlace>,
  skip: string | false = false,
): void => {
  describe(`a run of ${name}`, { timeout: 900_000 }, () => {
    let threads: ThreadPool
    let place: RunnerPlace
    before(async () => {
      threads = createThreads({ size: 2, memoryMb: MEMORY_MB })
      if (skip === false) place = await open()
    })
    after(() => threads.close())
    const promise = (title: string, act: (t: TestContext) => Promise<void>): void =>
      void it(title, { skip }, act)

    const openWorld = async (t: TestContext) => {
      const dir = await mkdtemp(path.join(tmpdir(), 'madhava-runner-'))
      const store = { instance: 'me', presences: async () => [] }
      const scratch = createScratch({ dir, store, storeId: 's', clock: () => new Date(), log: silentLog() })
      undo(t, async () => {
        await scratch.close()
        await rm(dir, { recursive: true, force: true })
      })
      const kinds = createKinds([place.kind])
      const world = setUp(t, threads, { kinds, files: { acts: place.file }, scratch })
      const { runner } = world.openRunner('w1')
      const begin = async (act: string, value: Json = null, fields: Partial<TaskRecord> = {}) => {
        const id = await world.submit('', null, {
          ...{ kind: 'acts', params: { act, value }, retry: RETRY },
          ...fields,
        })
        const taken = (await runner.take()) ?? assert.fail('nothing was taken')
        return { id, ended: taken.ended }
      }
      return {
        ...world,
        runner,
        begin,
        async run(act: string, value: Json = null, fields: Partial<TaskRecord> = {}) {
          const { id, ended } = await begin(act, value, fields)
          await ended
          return world.get(id)
        },
        /** The attempt that comes next. */
        async next(id: string) {
          await ((await runner.take()) ?? assert.fail('nothing was taken')).ended
          return world.get(id)
        },
        /** Folders of attempts that are still there. */
        folders: async () =>
          existsSync(path.join(dir, 'me'))
            ? (await readdir(path.join(dir, 'me'))).filter(name => name !== 'owner')
            : [],
      }
    }

    promise('gives its result to the record', async t => {
      const world = await openWorld(t)
      for (const value of ['text', 5, [1, { a: null }], { deep: { a: [] } }, 'ä€😀\u0000\n"'])
        assert.deepEqual((await world.run('give', value)).result, value)
    })

    promise('takes params and gives a result that fill many pipes', async t => {
      const world = await openWorld(t)
      const value = 'ä"\n'.repeat(200_000)
      const task = await world.run('give', value)
      assert.deepEqual([task.status, task.error], ['SUCCESS', null])
      assert.equal(String(await world.blob(task.id, BLOBS.textResult)), value)
    })

    promise('fails with RESULT_INVALID, for good, where the result does not fit', async t => {
      const world = await openWorld(t)
      for (const value of [true, null]) {
        const { status, error } = await world.run('give', value)
        assert.deepEqual([status, error?.code], ['FAILURE', 'RESULT_INVALID'])
      }
    })

    promise('shows its progress with a note and a partial result while it runs', async t => {
      const world = await openWorld(t)
      const { id, ended } = await world.begin('report')
      await world.reports(id)
      const { progress, result } = await world.get(id)
      assert.deepEqual([progress?.percent, progress?.note, result], [25, 'a quarter', [1, 2]])
      await world.client.revoke(id, new Date().toISOString())
      await ended
      assert.equal((await world.get(id)).status, 'REVOKED')
    })

    promise('has its lines in the log in their order, those that it prints among them', async t => {
      const world = await openWorld(t)
      const { id } = await world.run('say')
      const { lines } = decodeLog(String(await world.blob(id, BLOBS.log)))
      assert.deepEqual(
        lines.map(({ level, text }) => [level, text]),
        [
          ['info', 'printed'],
          ['info', 'told'],
          ['warn', 'a warning'],
        ],
      )
    })

    promise('has one child for one key', async t => {
      const world = await openWorld(t)
      const { id, result } = await world.run('spread')
      const [first, second] = result as string[]
      assert.ok(first)
      assert.equal(first, second)
      const { parentId, title, params } = await world.get(first)
      assert.deepEqual([parentId, title, (params as { value: Json }).value], [id, 'one', 'child'])
    })

    promise('keeps a file with its task, and leaves no folder behind', async t => {
      const world = await openWorld(t)
      const task = await world.run('keep', 'the content ä')
      assert.equal(task.result, 14)
      const [artifact] = artifactsOf(task)
      assert.deepEqual([artifact?.name, artifact?.type], ['kept.txt', 'text/plain'])
      assert.equal(String(await world.blob(task.id, artifact?.file ?? '')), 'the content ä')
      await until('the folder is gone', async () => (await world.folders()).length === 0)
    })

    promise('reads an upload that its params name', async t => {
      const world = await openWorld(t)
      const bytes = Buffer.from('what was sent '.repeat(100_000))
      const file = { $upload: await putUpload(world.client, bytes, 'text/plain') }
      const { result, error } = await world.run('', null, { params: { act: 'read', value: null, file } })
      assert.equal(error, null)
      assert.deepEqual(result, { name: 'file', sha256: createHash('sha256').update(bytes).digest('hex') })
      await until('the folder is gone', async () => (await world.folders()).length === 0)
    })

    promise('is ended by a cancel, with all that it has started, though it hears nothing', async t => {
      const world = await openWorld(t)
      const word = ownSleep()
      const { id, ended } = await world.begin('deaf', word)
      await world.reports(id)
      await until('it sleeps', () => processesWith(word).length > 0)
      await world.client.revoke(id, new Date().toISOString())
      await ended
      assert.equal((await world.get(id)).status, 'REVOKED')
      await nothingSleeps(word)
      await until('the folder is gone', async () => (await world.folders()).length === 0)
    })

    for (const limit of ['softSeconds', 'hardSeconds'] as const)
      promise(`is ended at its limit of ${limit}`, async t => {
        const world = await openWorld(t)
        const word = ownSleep()
        const limits = { softSeconds: null, hardSeconds: null, [limit]: 1 }
        const task = await world.run('deaf', word, { limits })
        assert.deepEqual([task.status, task.error?.code], ['FAILURE', 'TIME_LIMIT'])
        await nothingSleeps(word)
      })

    promise('comes again after an error that is to be retried, and after no other', async t => {
      const world = await openWorld(t)
      const { id, ...first } = await world.run(
        'fail',
        { code: 'TRY_AGAIN', message: 'busy' },
        { maxAttempts: 2 },
      )
      assert.deepEqual([first.status, first.error?.code], ['RETRY', 'KIND_FAILED'])
      assert.equal((await world.next(id)).attempt, 2)
      const last = await world.run('fail', { code: 'OTHER', message: 'for good' })
      assert.deepEqual(
        [last.status, last.error?.code, last.error?.message],
        ['FAILURE', 'KIND_FAILED', 'for good'],
      )
      assert.match(JSON.stringify(last.error?.detail), /OTHER/)
    })

    promise('is ended with OUT_OF_MEMORY, and takes no other run with it', async t => {
      const world = await openWorld(t)
      const other = await world.begin('report')
      await world.reports(other.id)
      const { status, error } = await world.run('swallow')
      assert.deepEqual([status, error?.code], ['FAILURE', 'OUT_OF_MEMORY'])
      assert.equal((await world.get(other.id)).status, 'PROGRESS')
      await world.client.revoke(other.id, new Date().toISOString())
      await other.ended
    })

    promise('leaves no process behind', async t => {
      const world = await openWorld(t)
      const word = ownSleep()
      const task = await world.run('leave', word)
      assert.equal(task.result, 'left')
      assert.deepEqual(processesWith(word), [])
    })

    promise('goes on from its last checkpoint when its worker was told to stop', async t => {
      const world = await openWorld(t)
      const { id, ended } = await world.begin('count', 100_000)
      await until('it has counted', async () => ((await world.get(id)).progress?.percent ?? 0) >= 3)
      await world.runner.drain(0)
      await ended
      const { status, attempt } = await world.get(id)
      assert.deepEqual([status, attempt], ['PENDING', 0])
      const { runner } = world.openRunner('w2')
      const again = (await runner.take()) ?? assert.fail('nothing was taken')
      await until('it counts again', async () => ((await world.get(id)).progress?.percent ?? 0) >= 3)
      await world.client.revoke(id, new Date().toISOString())
      await again.ended
    })
  })
}
