// The rows of the list as state: a page of the API, changed in place as tasks change. New ones are counted and not
// shown, so that nothing moves under the mouse.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Sort, Task, TaskView } from '../../../../client/task.ts'
import { get, ProblemError } from '../../state/api.ts'
import { type Asked, useAsked } from '../../state/use-asked.ts'
import { useTopic } from '../../state/use-topic.ts'
import { readSort } from './order.ts'

/** A row; a task that was removed keeps its place until the list is asked for again. */
export interface Row extends TaskView {
  isRemoved?: true
}

export interface TaskPage {
  tasks: readonly Row[]
  next: string | null
}

interface Changes {
  tasks: TaskView[]
  others: string[]
  removed: string[]
}

const SHOWN_BYTES = 256
/** How often the list is asked why its tasks wait, while some do. Milliseconds. */
const WHY_EVERY_MS = 5_000

const waits = ({ status }: Row): boolean => status === 'PENDING' || status === 'RETRY'

/** What a task waits for, of its present version; what is told live does not say it. */
const withWaiting = (row: Row, found: Row | undefined): Row =>
  found && found.claim === row.claim && found.rev === row.rev
    ? { ...row, waiting: found.waiting ?? null }
    : { ...row, waiting: null }

/** A whole record as a row. */
const rowOf = (task: Task): Row => {
  const cut = (value: Task['result']) => {
    const text = JSON.stringify(value)
    return text.length > SHOWN_BYTES ? text.slice(0, SHOWN_BYTES) : value
  }
  return {
    ...task,
    result: cut(task.result),
    params: cut(task.params),
    paramsTruncated: false,
    resultTruncated: false,
  }
}

export interface Loading {
  signal?: AbortSignal
  /** With the reason of each task that waits. That may take longer, so the first rows do not wait for it. */
  why?: boolean
}

export interface LiveTasks {
  asked: Asked<TaskPage>
  /** How many tasks that fit came since and belong into what is shown, or before it. */
  newer: number
  /** Asks for the list anew. */
  refresh(): void
}

/**
 * @param query the filter as a query of the API, which decides what is followed
 * @param load asks for the page
 * @param isFirst whether it is the first page: where the latest come first, only this one gets more tasks
 * @param sort the order: where the earliest come first, only the last page gets more
 */
export const useLiveTasks = ({
  key,
  filter,
  load,
  isFirst,
  sort,
}: {
  key: string
  filter: string
  load: (loading?: Loading) => Promise<TaskPage>
  isFirst: boolean
  sort: Sort
}): LiveTasks => {
  const newer = useRef(new Set<string>())
  const [count, setCount] = useState(0)
  const asked = useAsked(key, async signal => {
    const page = await load({ signal })
    newer.current.clear()
    setCount(0)
    return page
  })
  const rows = useRef<readonly Row[]>([])
  rows.current = asked.value?.tasks ?? []

  const replace = (changed: ReadonlyMap<string, Row>): void => {
    if (!rows.current.some(({ id }) => changed.has(id))) return
    // a task keeps its owner, whose name the list alone says
    const replaced = (row: Row): Row => {
      const now = changed.get(row.id)
      if (!now || row.ownerName === undefined) return now ?? row
      return { ownerName: row.ownerName, ...now }
    }
    asked.change(page => ({ ...page, tasks: page.tasks.map(replaced) }))
  }
  const noteNewer = (tasks: readonly TaskView[]): void => {
    const { by, isDescending } = readSort(sort)
    if (isDescending ? !isFirst : asked.value?.next !== null) return
    const shown = new Set(rows.current.map(({ id }) => id))
    const edge = (isDescending ? rows.current[0] : rows.current.at(-1))?.[by] ?? ''
    for (const task of tasks) if (!shown.has(task.id) && (task[by] ?? '') >= edge) newer.current.add(task.id)
    setCount(newer.current.size)
    // an empty list has nothing that could move
    if (shown.size === 0 && newer.current.size > 0) asked.again()
  }
  /** The row as its task is now; null when that cannot be asked. */
  const rowNow = (row: Row): Promise<Row | null> =>
    get<Task>(`/api/task/${row.id}`).then(rowOf, (error: unknown) =>
      error instanceof ProblemError && error.status === 404 ? { ...row, isRemoved: true } : null,
    )
  const refetch = async (shown: readonly Row[]): Promise<void> => {
    const found = await Promise.all(shown.map(rowNow))
    replace(new Map(found.flatMap(row => (row ? [[row.id, row] as const] : []))))
  }
  const catchUp = async (): Promise<void> => {
    const page = await load().catch(() => null)
    if (!page) return
    const found = new Map(page.tasks.map(task => [task.id, task]))
    replace(found)
    noteNewer(page.tasks)
    // they are gone, or fit no longer, or stand on a later page now
    await refetch(rows.current.filter(({ id, isRemoved }) => !found.has(id) && !isRemoved))
  }

  const askWhy = async (): Promise<void> => {
    if (document.hidden || !rows.current.some(row => waits(row) && !row.isRemoved)) return
    const page = await load({ why: true }).catch(() => null)
    if (!page) return
    const found = new Map(page.tasks.map(task => [task.id, task]))
    const waiting = rows.current.filter(waits)
    replace(new Map(waiting.map(row => [row.id, withWaiting(row, found.get(row.id))])))
  }
  const latestWhy = useRef(askWhy)
  latestWhy.current = askWhy
  useEffect(() => {
    const timer = setInterval(() => void latestWhy.current(), WHY_EVERY_MS)
    return () => clearInterval(timer)
  }, [])
  useEffect(() => {
    if (!asked.isLoading) void latestWhy.current()
  }, [key, asked.isLoading])

  useTopic(`tasks:${filter}`, {
    tasks: ({ tasks, others, removed }: Changes) => {
      if (asked.value === null) return
      const changed = new Map<string, Row>(tasks.map(task => [task.id, task]))
      for (const row of rows.current)
        if (removed.includes(row.id)) changed.set(row.id, { ...row, isRemoved: true })
      replace(changed)
      for (const id of removed) newer.current.delete(id)
      noteNewer(tasks)
      const shown = rows.current.filter(({ id }) => others.includes(id))
      if (shown.length > 0) void refetch(shown)
    },
    'tasks-live': ({ resumed }: { resumed: boolean }) => {
      if (!resumed && asked.value !== null) void catchUp()
    },
  })

  return { asked, newer: count, refresh: asked.again }
}
