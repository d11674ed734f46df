// One task as state: asked for once, then told at every change.
import { useRef, useState } from 'preact/hooks'
import type { Task } from '../../../../client/task.ts'
import { get } from '../../state/api.ts'
import { type Asked, useAsked } from '../../state/use-asked.ts'
import { useTopic } from '../../state/use-topic.ts'

/** The later one of two versions. */
export const laterOf = (a: Task, b: Task): Task => ((b.claim - a.claim || b.rev - a.rev) >= 0 ? b : a)

export interface LiveTask {
  asked: Asked<Task>
  /** It was removed while it was shown: the record is what it was. */
  isRemoved: boolean
  /** Takes a record that an action answered. */
  put(task: Task): void
}

export const useTask = (id: string): LiveTask => {
  const told = useRef<Task | null>(null)
  const [isRemoved, setRemoved] = useState(false)
  const asked = useAsked(id, async signal => {
    const found = await get<Task>(`/api/task/${encodeURIComponent(id)}`, { signal })
    return told.current ? laterOf(found, told.current) : found
  })
  const put = (task: Task): void => {
    told.current = told.current ? laterOf(told.current, task) : task
    if (asked.value === null && asked.problem) asked.again()
    asked.change(before => laterOf(before, task))
  }
  const gone = (): void => {
    if (told.current || asked.value) setRemoved(true)
  }
  useTopic(`task:${id}`, {
    task: put,
    'task-removed': gone,
    topic: ({ code }: { code: string | null }) => {
      if (code === 'TASK_NOT_FOUND') gone()
    },
  })
  return { asked, isRemoved, put }
}
