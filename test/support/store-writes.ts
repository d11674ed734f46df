// Writes of every kind without an end, for a process that is to be killed in the middle of one.
// Each line is an acknowledgement (`done`), or says beforehand what may from now on have happened (`will`).
import { giveBack, report, start, succeed } from '../../src/core/moves.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { at, details, keyed, newTask } from '../suites/store/world.ts'
import { type RoleContext, type Version, version } from './store-roles.ts'

export type WriteLine =
  | { will: 'create' }
  | { will: 'remove'; id: string }
  | { will: 'retain'; ids: string[] }
  | { will: 'blob'; id: string; name: string; n: number }
  | { done: 'create'; id: string; key: string | null }
  | { done: 'write'; version: Version }
  /** `claimNext` answered; others see that later. */
  | { done: 'begin'; version: Version }
  | { done: 'revoke'; id: string; outcome: string }
  | { done: 'blob'; id: string; name: string; n: number }
  | { done: 'remove'; id: string }
  | { done: 'retain'; ids: string[] }
  | { ready: true }

/** The bytes of version `n` of a blob: of one value and of a length that tells it. */
export const blobOf = (n: number): Buffer => Buffer.alloc(1000 + (n % 50) * 1009, n % 251)

/** Tasks that retention removes ended before this; the others end later. */
export const OLD = at(10)
const LATE = at(1000)

export const writesRole = async ({ store, tell: say, signal }: RoleContext): Promise<void> => {
  const tell = (line: WriteLine) => say(line)
  await store.announce({ role: 'worker', details: () => details() })
  let made = 0
  const create = async (kind: string, withKey = false): Promise<TaskRecord> => {
    made += 1
    const key = withKey ? `${store.instance}-${made}` : null
    const params = { text: 'x'.repeat((made * 997) % 5000) }
    tell({ will: 'create' })
    const { task } = await (key === null
      ? store.create(newTask({ kind, params }), null)
      : store.create(...keyed(key, key, { kind, params })))
    tell({ done: 'create', id: task.id, key })
    return task
  }
  const wrote = (task: TaskRecord): TaskRecord => {
    tell({ done: 'write', version: version(task) })
    return task
  }
  const claim = async (id: string): Promise<TaskRecord> => {
    const task = await store.claim(id, start(store.instance, at(1)))
    if (!task) throw new Error('a task of its own is held by another')
    return wrote(task)
  }
  const end = async (id: string, number: number, finishedAt: string): Promise<void> => {
    wrote(await store.move(id, number, succeed('done', null, finishedAt)))
  }
  const putBlob = async (id: string, name: string, n: number): Promise<void> => {
    tell({ will: 'blob', id, name, n })
    await store.putBlob(id, name, blobOf(n))
    tell({ done: 'blob', id, name, n })
  }

  const lanes: (() => Promise<void>)[] = [
    async () => {
      await create('kept', true)
    },
    // a life: several moves, blobs, the end
    async () => {
      const { id } = await create('kept')
      const task = await claim(id)
      for (let n = 1; n <= 4; n += 1) {
        const progress = { percent: n * 10, note: null, etaSeconds: null }
        wrote(await store.move(id, task.claim, report(progress, null, at(2))))
        await putBlob(id, 'checkpoint.bin', n)
      }
      await end(id, task.claim, LATE)
    },
    // what any process may take, give back and end
    async () => {
      await create('shared')
      const task = await store.claimNext({ kinds: ['shared'], now: at(5) }, start(store.instance, at(5)))
      if (!task) return
      tell({ done: 'begin', version: version(task) })
      if (task.claim < 3) wrote(await store.move(task.id, task.claim, giveBack(at(6))))
      else await end(task.id, task.claim, LATE)
    },
    async () => {
      const { id } = await create('revoked')
      if (made % 2 === 0) {
        const { outcome } = await store.revoke(id, LATE)
        tell({ done: 'revoke', id, outcome })
        return
      }
      const task = await claim(id)
      const { outcome } = await store.revoke(id, LATE)
      tell({ done: 'revoke', id, outcome })
      wrote(await store.move(id, task.claim, giveBack(LATE)))
    },
    // removed by hand
    async () => {
      const { id } = await create('removed', true)
      const task = await claim(id)
      await putBlob(id, 'log.txt', made)
      await end(id, task.claim, LATE)
      tell({ will: 'remove', id })
      await store.remove(id)
      tell({ done: 'remove', id })
    },
    // removed by retention; other processes' retention removes these too
    async () => {
      const ids: string[] = []
      for (let n = 0; n < 3; n += 1) {
        const { id } = await create('old')
        const task = await claim(id)
        await putBlob(id, 'log.txt', made)
        tell({ will: 'retain', ids: [id] })
        await end(id, task.claim, at(1))
        ids.push(id)
      }
      await store.retain({ finishedBefore: OLD, maxCount: null, maxBytes: null })
      tell({ done: 'retain', ids })
    },
    // one blob, replaced again and again
    async () => {
      const { id } = await create('kept')
      for (let n = 1; n <= 20; n += 1) await putBlob(id, 'result.txt', n)
    },
  ]
  tell({ ready: true })
  await Promise.all(
    lanes.map(async lane => {
      while (!signal.aborted) await lane()
    }),
  )
}
