// What a store answers for one person: lists, pages and counts of the tasks of some owners, and never of another's.
import assert from 'node:assert/strict'
import { fail, retryByHand } from '../../../src/core/moves.ts'
import { SORT_NAMES } from '../../../src/core/sort.ts'
import type { TaskCounts, TaskFilter, TaskStore } from '../../../src/core/store.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { add, addEnded, at, type Check, take } from './world.ts'

const OWNERS = [null, 'ann', 'bob', 'annabel', 'ann:x'] as const
const SEEN = [['ann', ''], ['ann'], [''], ['bob', 'ann'], ['nobody'], []] as const
const isSeen = (owners: readonly string[], { owner }: TaskRecord): boolean => owners.includes(owner ?? '')

const fill = async (store: TaskStore): Promise<void> => {
  for (let n = 0; n < 30; n += 1) {
    const owner = OWNERS[n % OWNERS.length] ?? null
    const kind = n % 2 ? 'adding' : 'pi:ten'
    const task = { owner, kind, createdAt: at(n >> 2), title: n % 3 ? null : `sum ${n}` }
    if (n % 4 === 0) await add(store, task)
    else if (n % 4 === 1) await addEnded(store, task, at(100 + (n % 7)))
    else {
      const { id } = await add(store, task)
      const { claim } = await take(store, id)
      const error = { code: 'KIND_FAILED', message: 'no', detail: null }
      if (n % 4 === 2) await store.move(id, claim, fail(error, null, at(100 + (n % 7))))
    }
  }
}
const pagesOf = async (
  store: TaskStore,
  filter: TaskFilter,
  limit: number,
  sort: (typeof SORT_NAMES)[number],
): Promise<TaskRecord[]> => {
  const found: TaskRecord[] = []
  let cursor: string | null = null
  do {
    const page = await store.list(filter, { limit, cursor, sort })
    found.push(...page.tasks)
    cursor = page.next
  } while (cursor !== null)
  return found
}
const ids = (tasks: readonly TaskRecord[]): string[] => tasks.map(({ id }) => id)
/** Without what is zero: an adapter may name it or not. */
const counted = ({ total, byStatus, byKind }: TaskCounts) => ({
  total,
  byStatus,
  byKind: Object.entries(byKind)
    .flatMap(([kind, numbers]) =>
      Object.entries(numbers).flatMap(([status, count]) => (count > 0 ? [`${kind} ${status} ${count}`] : [])),
    )
    .toSorted(),
})
const countedByHand = (tasks: readonly TaskRecord[], byStatus: TaskCounts['byStatus']) => {
  const byKind = new Map<string, number>()
  for (const { kind, status } of tasks)
    byKind.set(`${kind} ${status}`, (byKind.get(`${kind} ${status}`) ?? 0) + 1)
  return {
    total: tasks.length,
    byStatus: Object.fromEntries(
      Object.keys(byStatus).map(status => [status, tasks.filter(task => task.status === status).length]),
    ),
    byKind: [...byKind].map(([name, count]) => `${name} ${count}`).toSorted(),
  }
}

export const owners = (check: Check): void => {
  check(
    'a list for some owners is the list of all without the others, with every other filter',
    async world => {
      const [store, other] = [await world.open(), await world.open()]
      await fill(store)
      const others: TaskFilter[] = [
        {},
        { statuses: ['PENDING', 'FAILURE'] },
        { kinds: ['pi:ten'] },
        { kinds: ['pi:ten'], statuses: ['SUCCESS', 'STARTED'] },
        { text: 'SUM' },
        { from: at(2), to: at(6) },
        { errorCodes: ['KIND_FAILED'], finishedFrom: at(101) },
        { owner: 'ann' },
        { owner: 'bob' },
      ]
      const compare = async (each: TaskStore): Promise<void> => {
        for (const sort of SORT_NAMES)
          for (const filter of others) {
            const all = await pagesOf(each, filter, 200, sort)
            for (const seen of SEEN) {
              const expected = ids(all.filter(task => isSeen(seen, task)))
              for (const limit of [1, 4, 200])
                assert.deepEqual(
                  ids(await pagesOf(each, { ...filter, owners: [...seen] }, limit, sort)),
                  expected,
                  `${sort} ${JSON.stringify({ ...filter, owners: seen })}`,
                )
            }
          }
      }
      await compare(store)
      await compare(other)
      await store.close()
      await other.close()
      await compare(await world.open())
    },
  )

  check('a full last page has no next, whatever tasks of others come after it', async world => {
    const store = await world.open()
    for (let n = 0; n < 6; n += 1) await add(store, { owner: n < 3 ? 'bob' : 'ann', createdAt: at(n) })
    for (const filter of [{ owners: ['ann'] }, { owners: ['ann', ''] }] as TaskFilter[]) {
      const page = await store.list(filter, { limit: 3, cursor: null })
      assert.deepEqual([page.tasks.length, page.next], [3, null])
    }
  })

  check("a cursor from another's list tells nothing of theirs", async world => {
    const store = await world.open()
    for (let n = 0; n < 6; n += 1) await add(store, { owner: n % 2 ? 'bob' : 'ann', createdAt: at(n) })
    const theirs = await store.list({ owners: ['bob'] }, { limit: 1, cursor: null })
    const { tasks } = await store.list({ owners: ['ann'] }, { limit: 10, cursor: theirs.next })
    assert.deepEqual([tasks.length, tasks.every(task => task.owner === 'ann')], [3, true])
  })

  check('counts for some owners are exact while tasks move, end and go, in every store', async world => {
    const [store, other] = [await world.open(), await world.open()]
    await fill(store)
    const compare = async (each: TaskStore): Promise<void> => {
      const all = await pagesOf(each, {}, 200, '-createdAt')
      for (const seen of SEEN) {
        const counts = await each.counts(seen)
        const mine = all.filter(task => isSeen(seen, task))
        assert.deepEqual(counted(counts), countedByHand(mine, counts.byStatus), `${seen}`)
      }
      assert.deepEqual(counted(await each.counts(['ann', 'ann'])), counted(await each.counts(['ann'])))
      assert.equal((await each.counts()).total, all.length)
    }
    for (const each of [store, other]) await compare(each)
    const ended = (
      await pagesOf(store, { owners: ['ann', ''], statuses: ['SUCCESS', 'FAILURE'] }, 200, 'createdAt')
    ).map(({ id }) => id)
    assert.ok(ended.length > 3)
    await other.claim(ended[0] ?? '', retryByHand(at(200)))
    await other.remove(ended[1] ?? '')
    for (const each of [store, other]) await compare(each)
    await other.retain({ finishedBefore: at(104), maxCount: null, maxBytes: null })
    for (const each of [store, other]) await compare(each)
    await store.close()
    await other.close()
    await compare(await world.open())
  })
}
