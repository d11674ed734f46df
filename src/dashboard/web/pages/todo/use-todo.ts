// The items of the shared list as state: what is open, and what was done last. Changes of anybody come in as they happen.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { TaskView } from '../../../../client/task.ts'
import { isFinal, TODO_KIND } from '../../../../client/task.ts'
import { get, ProblemError } from '../../state/api.ts'
import { type Asked, useAsked } from '../../state/use-asked.ts'
import { useTopic } from '../../state/use-topic.ts'

/** An item; one that was removed stays as long as somebody edits it here. */
export interface Item extends TaskView {
  isRemoved?: true
}

interface Page {
  tasks: readonly TaskView[]
  next: string | null
}
type Part = 'open' | 'done'
type Cursors = Record<Part, string | null>

/** The API gives no more in one page. */
const LIMIT: Readonly<Record<Part, number>> = { open: 200, done: 50 }
const QUERY: Readonly<Record<Part, Record<string, string | readonly string[]>>> = {
  open: { kind: TODO_KIND, status: ['PENDING'] },
  done: { kind: TODO_KIND, status: ['SUCCESS', 'REVOKED'], sort: '-finishedAt' },
}

const loadPage = (part: Part, cursor: string | null, signal?: AbortSignal): Promise<Page> =>
  get<Page>('/api/tasks', {
    query: { ...QUERY[part], limit: LIMIT[part], cursor },
    ...(signal ? { signal } : {}),
  })

/** Whether `now` says more than `before` of one task: it is newer, or whole where the other is cut. */
const saysMore = (now: Item, before: Item | undefined): boolean => {
  if (!before) return true
  const order = now.claim - before.claim || now.rev - before.rev
  return order > 0 || (order === 0 && before.resultTruncated && !now.resultTruncated)
}

const latestFirst = (at: (item: Item) => string) => (a: Item, b: Item) =>
  at(b).localeCompare(at(a)) || b.id.localeCompare(a.id)

export interface Todo {
  asked: Asked<Cursors>
  /** Newest first. */
  open: readonly Item[]
  /** The latest end first. */
  done: readonly Item[]
  /** By id, also what was removed. */
  find(id: string): Item | undefined
  hasMore: Readonly<Record<Part, boolean>>
  more(part: Part): Promise<void>
  put(task: TaskView): void
  /** Asks for an item as it is now; one that is gone is marked so. @throws ProblemError */
  refresh(id: string): Promise<Item | undefined>
  noteRemoved(id: string): void
}

export const useTodo = (): Todo => {
  const known = useRef(new Map<string, Item>())
  const [, draw] = useState(0)
  const show = (): void => draw(count => count + 1)
  const putAll = (tasks: readonly Item[]): void => {
    for (const task of tasks) if (saysMore(task, known.current.get(task.id))) known.current.set(task.id, task)
    show()
  }
  const put = (task: TaskView): void => putAll([{ ...task, resultTruncated: task.resultTruncated ?? false }])
  const noteRemoved = (id: string): void => {
    const item = known.current.get(id)
    if (!item) return
    known.current.set(id, { ...item, isRemoved: true })
    show()
  }
  const refresh = async (id: string): Promise<Item | undefined> => {
    try {
      put(await get<TaskView>(`/api/task/${id}`))
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 404) throw error
      noteRemoved(id)
    }
    return known.current.get(id)
  }

  const asked = useAsked<Cursors>('todo', async signal => {
    const [open, done] = await Promise.all([loadPage('open', null, signal), loadPage('done', null, signal)])
    const fresh = [...open.tasks, ...done.tasks]
    const found = new Set(fresh.map(({ id }) => id))
    // they ended, were removed, or stand on a later page
    const missing = [...known.current.values()].filter(({ id, isRemoved }) => !found.has(id) && !isRemoved)
    putAll(fresh)
    await Promise.all(missing.map(({ id }) => refresh(id).catch(() => undefined)))
    return { open: open.next, done: done.next }
  })

  useTopic(`tasks:kind=${TODO_KIND}`, {
    tasks: ({ tasks, removed }: { tasks: TaskView[]; removed: string[] }) => {
      putAll(tasks)
      for (const id of removed) noteRemoved(id)
    },
    'tasks-live': ({ resumed }: { resumed: boolean }) => {
      if (!resumed && asked.value !== null) asked.again()
    },
  })

  const items = [...known.current.values()].filter(({ isRemoved }) => !isRemoved)
  const done = items
    .filter(({ status }) => isFinal(status))
    .sort(latestFirst(({ finishedAt }) => finishedAt ?? ''))
  // a long note is cut in lists, and who did it with it
  const cut = done.find(({ resultTruncated }) => resultTruncated)?.id
  useEffect(() => {
    if (cut !== undefined) void refresh(cut).catch(() => undefined)
  }, [cut])

  return {
    asked,
    open: items.filter(({ status }) => !isFinal(status)).sort(latestFirst(({ createdAt }) => createdAt)),
    done,
    find: id => known.current.get(id),
    hasMore: { open: (asked.value?.open ?? null) !== null, done: (asked.value?.done ?? null) !== null },
    async more(part) {
      const cursor = asked.value?.[part] ?? null
      if (cursor === null) return
      const page = await loadPage(part, cursor)
      putAll(page.tasks)
      asked.change(cursors => ({ ...cursors, [part]: page.next }))
    },
    put,
    refresh,
    noteRemoved,
  }
}
