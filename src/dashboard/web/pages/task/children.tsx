// The tasks that this task has started, as they are now.
import { useEffect, useRef } from 'preact/hooks'
import type { TaskView } from '../../../../client/task.ts'
import { StatusBadge } from '../../parts/badge.tsx'
import { Progress } from '../../parts/progress.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { Link } from '../../router.tsx'
import { get, withQuery } from '../../state/api.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useTopic } from '../../state/use-topic.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { titleOf } from '../tasks/columns.tsx'

const SHOWN = 20
/** Thousands of children may change at a time: the list is asked for no more often. */
const CALM_MS = 1_000

export const Children = ({ id }: { id: string }) => {
  const t = useTexts()
  const words = t.task
  const asked = useAsked(id, signal =>
    get<{ tasks: TaskView[]; next: string | null }>('/api/tasks', {
      query: { parent: id, limit: SHOWN },
      signal,
    }),
  )
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)
  const again = (): void => {
    timer.current ??= setTimeout(() => {
      timer.current = null
      asked.again()
    }, CALM_MS)
  }
  useEffect(() => () => clearTimeout(timer.current ?? undefined), [])
  useTopic(`tasks:parent=${id}`, {
    tasks: ({ tasks, removed }: { tasks: TaskView[]; removed: string[] }) => {
      const known = new Set(asked.value?.tasks.map(task => task.id))
      if (tasks.length > 0 || removed.some(each => known.has(each))) again()
    },
    'tasks-live': ({ resumed }: { resumed: boolean }) => {
      if (!resumed && asked.value !== null) again()
    },
  })
  const tasks = asked.value?.tasks ?? []
  if (tasks.length === 0) return null
  return (
    <section class="card block" aria-label={words.children}>
      <div class="block-head">
        <h2>{words.children}</h2>
        <Link href={withQuery('/tasks', { parent: id })}>{words.allChildren}</Link>
      </div>
      <ul class="children">
        {tasks.map(task => (
          <li key={task.id}>
            <StatusBadge status={task.status} />
            <Link href={`/task/${task.id}`}>
              <SafeText text={titleOf(task, t)} />
            </Link>
            {task.status === 'PROGRESS' && task.progress ? (
              <Progress percent={task.progress.percent} />
            ) : null}
            {task.status === 'FAILURE' && task.error ? (
              <span class="error-text">
                <SafeText text={task.error.message} />
              </span>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  )
}
