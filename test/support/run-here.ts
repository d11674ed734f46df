// Runs tasks in the test's own process, one after another, on the store of a fixture: with real kinds and real files, and
// without a worker around them. A test may hold it before what it does next, so that nothing depends on how quick it is.
import { buffer } from 'node:stream/consumers'
import { artifactFile, listArtifact } from '../../src/core/artifacts.ts'
import type { NamedKind } from '../../src/core/kind.ts'
import { parseParams } from '../../src/core/kind-params.ts'
import { fail, type Move, report, start, succeed } from '../../src/core/moves.ts'
import type { TaskStore } from '../../src/core/store.ts'
import type { Json, TaskRecord } from '../../src/core/task.ts'
import { findUploads } from '../../src/core/upload-params.ts'
import { fileContext, type GivenFile } from './file-context.ts'

export interface RunHere {
  /** From now on nothing goes on until `release`: neither a claim nor a progress. */
  hold(): void
  release(): void
  /** Ends; the task that runs is left as it is. */
  close(): Promise<void>
}

const LOOK_MS = 50
const now = (): string => new Date().toISOString()

/** The bytes of what the params name, as a worker finds them. */
const uploadsOf = async (store: TaskStore, params: Json): Promise<Record<string, GivenFile>> => {
  if (findUploads(params, {}).length === 0) return {}
  const found: Record<string, GivenFile> = {}
  for (const { name: id, data } of (await store.documents.list('uploads', { limit: 1_000, cursor: null }))
    .documents) {
    const stored = await store.uploads.read(id)
    const { name, type } = data as { name: string | null; type: string | null }
    if (stored && type !== null) found[id] = { bytes: await buffer(stored.stream), name, type }
  }
  return found
}

/** What the record keeps of a thrown error, as far as pages show it. */
const errorOf = (error: unknown): TaskRecord['error'] => {
  const { name, code, message } = error as { name?: string; code?: string; message?: string }
  const names = [code, name].filter(each => each !== undefined)
  return { code: 'KIND_FAILED', message: message ?? String(error), detail: { names } }
}

export const runHere = (store: TaskStore, kinds: readonly NamedKind[]): RunHere => {
  let isOver = false
  let gate: { promise: Promise<void>; open: () => void } | null = null
  const ends: (() => Promise<void>)[] = []
  const leaving = new AbortController()

  const runOne = async (id: string): Promise<void> => {
    await gate?.promise
    const task = await store.claim(id, start('here', now()))
    if (!task) return
    let last: Promise<unknown> = Promise.resolve()
    const move = (made: Move): Promise<unknown> => {
      last = last.then(async () => {
        await gate?.promise
        if (!isOver) await store.move(id, task.claim, made)
      })
      return last
    }
    let written = 0
    try {
      const kind = kinds.find(({ name }) => name === task.kind)
      if (!kind) throw new Error(`no kind ${task.kind}`)
      const given = await uploadsOf(store, task.params)
      const { context, artifacts } = fileContext(given, { after: end => ends.push(end) })
      const { artifact } = context
      const around = {
        ...context,
        scratch: context.scratch,
        signal: leaving.signal,
        progress: (percent: number, note?: string) =>
          void move(report({ percent, note: note ?? null, etaSeconds: null }, null, now())),
        artifact: async (...args: Parameters<typeof artifact>) => {
          const made = await artifact(...args)
          written += 1
          const file = artifactFile(task.claim, written)
          await store.putBlob(id, file, artifacts.get(made.name)?.content ?? Buffer.alloc(0))
          await move(listArtifact({ ...made, file }, now()))
          return made
        },
      }
      const result = (await kind.run(await parseParams(kind, task.params), around)) as Json
      await move(succeed(result, null, now()))
    } catch (error) {
      if (!isOver) await move(fail(errorOf(error) as never, null, now()))
    }
  }

  const loop = async (): Promise<void> => {
    while (!isOver) {
      const { tasks } = await store.list({ statuses: ['PENDING'] }, { limit: 10, cursor: null })
      for (const { id } of tasks) if (!isOver) await runOne(id)
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    }
  }
  const running = loop()
  const release = (): void => {
    const held = gate
    gate = null
    held?.open()
  }
  return {
    hold() {
      if (gate) return
      let open = (): void => {}
      const promise = new Promise<void>(resolve => {
        open = resolve
      })
      gate = { promise, open }
    },
    release,
    async close() {
      isOver = true
      leaving.abort()
      release()
      await running
      for (const end of ends) await end()
    },
  }
}
