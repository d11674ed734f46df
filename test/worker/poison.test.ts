// Tasks that cannot be run block nobody: those of a kind that no worker has wait for one, the others end and are seen.

import assert from 'node:assert/strict'
import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Actor } from '../../src/core/actor.ts'
import { createDeadCalls } from '../../src/core/dead.ts'
import { DEFAULT_KIND_SETTINGS, loadKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { createService } from '../../src/core/service.ts'
import { isFinal, RESULT_LIMITS } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import { loadModules } from '../../src/platform/modules.ts'
import { createEmbeddedQueue } from '../../src/queues/embedded/open.ts'
import { createMemory, type Memory } from '../../src/stores/memory/open.ts'
import { openWorker } from '../../src/worker/worker.ts'
import { anybody } from '../support/actors.ts'
import { kindSetsOf } from '../support/kind-sets.ts'
import { newTaskOf } from '../support/new-task.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const clock = () => new Date()
const log = silentLog()
const ANYBODY: Actor = anybody()
const kindFile = (params: string) => `export default ({ defineKind, z }) => defineKind({
  summary: 'Answers its own params', params: ${params}, result: z.unknown(), example: { n: 1 }, run: given => given,
})`

const folderOf = async (t: TestContext, files: Record<string, string>): Promise<string> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'madhava-kinds-'))
  undo(t, () => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text)
  return folder
}

/** A worker whose kinds are those of a folder, as it is now. */
const startWorker = async (t: TestContext, memory: Memory, folder: string) => {
  const modules = await loadModules(folder)
  const kinds = createKinds(modules.map(({ name, exported, file }) => loadKind(name, exported, file)))
  const store = memory.open({ clock })
  const queue = createEmbeddedQueue({ store, log, clock })
  const worker = openWorker(
    {
      slots: 2,
      cores: 1,
      taskMemoryMb: 64,
      drainMs: 1_000,
      results: RESULT_LIMITS,
      kindSettings: DEFAULT_KIND_SETTINGS,
      scratchDir: path.join(folder, 'scratch'),
      retentionMs: 1e9,
      retentionCount: 1e6,
      retentionBytes: null,
    },
    {
      store,
      storePlace: folder,
      queue,
      kindSets: kindSetsOf(kinds, Object.fromEntries(modules.map(({ name, file }) => [name, file]))),
      service: createService({ store, queue, kinds, clock }),
      clock,
    },
    log,
  )
  const details = () => ({
    address: null,
    slots: 0,
    running: [],
    counters: {},
    rssBytes: 0,
    cpu: 0,
    troubles: {},
    ...worker.details(),
  })
  await store.announce({ role: 'worker', details })
  undo(t, async () => {
    await worker.close()
    await queue.close()
    await store.close()
  })
  return { worker, counter: (name: string) => worker.details().counters?.[name] }
}

const setUp = (t: TestContext) => {
  const memory = createMemory()
  const store = memory.open({ clock })
  undo(t, () => store.close())
  const queue = createEmbeddedQueue({ store, log, clock })
  const calls = createDeadCalls({
    store,
    queue,
    kinds: createKinds([]),
    clock,
    announceIfDue: () => {},
    removeTask: ({ id }) => store.remove(id),
  })
  return {
    memory,
    submit: async (kind: string, params = { n: 1 }) =>
      (await store.create(newTaskOf({ kind, params, createdAt: clock().toISOString() }), null)).task.id,
    get: (id: string) => store.get(id),
    ended: (id: string) =>
      until('it has ended', async () => {
        const task = await store.get(id)
        return task !== null && isFinal(task.status)
      }),
    calls,
    dead: async () =>
      (await calls.list(ANYBODY, { limit: 50, cursor: null })).tasks.map(({ task, reason }) => [
        task.id,
        reason.code,
      ]),
  }
}

describe('tasks that cannot be run', () => {
  it('of a kind that no worker has wait, are seen, block nobody, and run when one comes', async t => {
    const { memory, submit, get, ended, dead } = setUp(t)
    const older = await folderOf(t, { 'older.mjs': kindFile('z.object({ n: z.number() })') })
    const both = await folderOf(t, {
      'older.mjs': kindFile('z.object({ n: z.number() })'),
      'newer.mjs': kindFile('z.object({ n: z.number() })'),
    })
    await startWorker(t, memory, older)
    const newer = []
    for (let n = 0; n < 20; n += 1) newer.push(await submit('newer'))
    const known = await submit('older')
    await ended(known)
    assert.deepEqual((await dead()).map(([id]) => id).sort(), newer.sort())
    assert.deepEqual((await dead())[0]?.[1], 'KIND_UNKNOWN')
    for (const id of newer) assert.equal((await get(id))?.status, 'PENDING')
    // the rolling upgrade: one more worker, the old one goes on
    await startWorker(t, memory, both)
    for (const id of newer) await ended(id)
    assert.deepEqual(await dead(), [])
    assert.equal((await get(newer[0] ?? ''))?.attempt, 1)
    await ended(await submit('older'))
  })

  it('whose params no longer fit, or whose kind lost its file, end at once with the reason', async t => {
    const { memory, submit, get, ended, dead, calls } = setUp(t)
    const folder = await folderOf(t, {
      'strict.mjs': kindFile('z.object({ n: z.number() })'),
      'vanishing.mjs': kindFile('z.object({ n: z.number() })'),
    })
    const misfit = await submit('strict', { n: 'no number' } as never)
    const fit = await submit('strict')
    const { counter } = await startWorker(t, memory, folder)
    await ended(misfit)
    await ended(fit)
    await unlink(path.join(folder, 'vanishing.mjs'))
    const vanished = await submit('vanishing')
    await ended(vanished)
    assert.deepEqual(
      (await dead()).sort(),
      [
        [misfit, 'PARAMS_INVALID'],
        [vanished, 'KIND_INVALID'],
      ].sort(),
    )
    assert.equal((await get(misfit))?.attempt, 1)
    assert.equal((await get(fit))?.status, 'SUCCESS')
    await until('they are counted', () => counter('unrunnable') === 2)
    await writeFile(path.join(folder, 'vanishing.mjs'), kindFile('z.object({ n: z.number() })'))
    await calls.replay(ANYBODY, vanished)
    await ended(vanished)
    assert.equal((await get(vanished))?.status, 'SUCCESS')
  })
})
