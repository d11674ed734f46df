// A worker without a queue, on a memory store: what the runner's tests share.

import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BLOBS } from '../../src/core/content.ts'
import { loadKind } from '../../src/core/kind.ts'
import { createKinds, type Kinds } from '../../src/core/kinds.ts'
import { createService } from '../../src/core/service.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { isFinal, type Json, type TaskRecord } from '../../src/core/task.ts'
import { decodeLog, logText } from '../../src/core/task-log.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createMemory } from '../../src/stores/memory/open.ts'
import { createThreads, type ThreadPool } from '../../src/worker/pool/pool.ts'
import { createRunner, type RunnerOptions } from '../../src/worker/runner.ts'
import { kindSetsOf } from '../support/kind-sets.ts'
import { newTaskOf } from '../support/new-task.ts'
import { createNotingQueue } from '../support/noting-queue.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'
import unruly from './unruly.ts'

const UNRULY = fileURLToPath(new URL('./unruly.ts', import.meta.url))
const clock = () => new Date()

/** A memory with a second store on it for the test itself, as a client's process would have one. */
export const setUp = (
  t: TestContext,
  threads: ThreadPool,
  over: Partial<RunnerOptions> & {
    kinds?: Kinds
    /** By the kind's name. */
    files?: Readonly<Record<string, string>>
    wrap?: (store: TaskStore) => TaskStore
  } = {},
) => {
  const memory = createMemory()
  const client = memory.open({ clock })
  const kindSets =
    over.kindSets ??
    kindSetsOf(
      over.kinds ?? createKinds([loadKind('unruly', unruly, 'unruly.ts')]),
      over.files ?? { unruly: UNRULY },
    )
  const { queue, announced } = createNotingQueue()
  const openRunner = (workerName: string, options: typeof over = over) => {
    const own = memory.open({ clock })
    const store = options.wrap?.(own) ?? own
    const service = createService({ store, queue, kinds: kindSets.kinds, clock })
    const runner = createRunner({
      store,
      kindSets,
      threads,
      submitChild: service.submitChild,
      workerName,
      clock,
      log: silentLog(),
      progressEveryMs: 20,
      graceMs: 200,
      ...options,
    })
    undo(t, async () => {
      await runner.close()
      await own.close()
    })
    return { runner, store: own }
  }
  undo(t, () => client.close())
  const submit = async (act: string, value: Json = null, fields: Partial<TaskRecord> = {}) => {
    const task = newTaskOf({ kind: 'unruly', params: { act, value }, createdAt: clock().toISOString() })
    return (await client.create({ ...task, ...fields }, null)).task.id
  }
  const get = async (id: string): Promise<TaskRecord> => {
    const task = await client.get(id)
    if (!task) throw new Error(`no task ${id}`)
    return task
  }
  const blob = async (id: string, name: string): Promise<Buffer | null> => {
    const found = await client.getBlob(id, name)
    return found && buffer(found.stream)
  }
  return {
    client,
    announced,
    openRunner,
    submit,
    get,
    blob,
    log: async (id: string) => logText(decodeLog(String((await blob(id, BLOBS.log)) ?? ''))),
    ended: (id: string) => until('the task has ended', async () => isFinal((await get(id)).status)),
    reports: (id: string) =>
      until('the task has reported', async () => (await get(id)).status === 'PROGRESS'),
  }
}

/** One pool for a whole file: its threads stay warm. */
export const openPool = (size = 4): ThreadPool => createThreads({ size, memoryMb: 64 })
