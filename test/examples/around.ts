// What the tests of the examples share: the kinds as KINDS_DIR loads them, and a worker that runs them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DEFAULT_KIND_SETTINGS, type NamedKind, type TaskContext } from '../../src/core/kind.ts'
import type { Json, TaskRecord } from '../../src/core/task.ts'
import { loadKinds } from '../../src/load-kinds.ts'
import { silentLog } from '../../src/platform/log.ts'
import type { ThreadPool } from '../../src/worker/pool/pool.ts'
import { createScratch } from '../../src/worker/scratch.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'
import { setUp } from '../worker/runner-fixture.ts'

export const FOLDER = fileURLToPath(new URL('../../examples/kinds', import.meta.url))
export const loadExamples = () => loadKinds({ kindsDir: FOLDER, kindSettings: DEFAULT_KIND_SETTINGS })

/** A worker with a memory store. */
export const startWorker = async (t: TestContext, threads: ThreadPool) => {
  const dir = await mkdtemp(path.join(tmpdir(), 'madhava-examples-'))
  undo(t, () => rm(dir, { recursive: true }))
  const store = { instance: 'me', presences: async () => [] }
  const scratch = createScratch({ dir, store, storeId: 's', clock: () => new Date(), log: silentLog() })
  undo(t, () => scratch.close())
  const { kinds, files } = await loadExamples()
  const world = setUp(t, threads, { kinds, files: Object.fromEntries(files), scratch })
  const { runner } = world.openRunner('w1')
  return {
    ...world,
    runner,
    submit: (kind: string, params: Json, fields: Partial<TaskRecord> = {}) =>
      world.submit('', null, { kind, params, ...fields }),
    /** Runs one attempt of a task, once the rate of its kind allows. */
    async attempt() {
      let taken: Awaited<ReturnType<typeof runner.take>> = null
      await until('an attempt begins', async () => {
        taken = await runner.take()
        return taken !== null
      })
      await (taken as Awaited<ReturnType<typeof runner.take>>)?.ended
    },
  }
}

/** The death of a worker, in a run without one. */
export const KILLED = new Error('killed')

/**
 * Runs a kind here, over bytes in pieces that end at the given places. `deaths`: after how many pieces of each attempt
 * its worker dies; the next attempt has what its last checkpoint was then. At the end it runs undisturbed.
 */
export const runWithDeaths = async (
  kind: NamedKind,
  params: Json,
  bytes: Buffer,
  cuts: readonly number[],
  deaths: readonly number[],
): Promise<{ result: unknown; readFrom: number[] }> => {
  const places = [...new Set([...cuts.map(cut => cut % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  )
  const readFrom: number[] = []
  let resume: unknown = null
  for (const death of [...deaths, Number.POSITIVE_INFINITY]) {
    const stream = async function* ({ start = 0 } = {}) {
      readFrom.push(start)
      let [at, pieces] = [start, 0]
      for (const place of places) {
        if (place <= at) continue
        yield bytes.subarray(at, place)
        at = place
        pieces += 1
        if (pieces >= death) throw KILLED
      }
    }
    const context = {
      ...{ id: 'id', attempt: 1, resume, signal: new AbortController().signal },
      ...{ progress() {}, log() {}, upload: async () => ({ bytes: bytes.length, stream }) },
      checkpoint: (data: unknown) => {
        resume = structuredClone(data)
      },
    } as unknown as TaskContext
    try {
      return { result: await kind.run(params, context), readFrom }
    } catch (error) {
      if (error !== KILLED) throw error
    }
  }
  throw new Error('the last attempt was killed')
}
