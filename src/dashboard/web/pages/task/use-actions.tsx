// What can be done with a task. A conflict keeps the page: it says what happened, and asks for the record anew.
import { useState } from 'preact/hooks'
import type { Task } from '../../../../client/task.ts'
import { askReader } from '../../frame/question.tsx'
import { tell } from '../../frame/toasts.tsx'
import { navigate } from '../../router.tsx'
import { ask, ProblemError, post, remove } from '../../state/api.ts'
import { useTexts } from '../../texts/use-texts.ts'

export type Action = 'retry' | 'cancel' | 'delete'

/** Why an action came to nothing. */
export interface Conflict {
  action: Action
  code: string
  /** The server's own words. */
  detail: string
}

export interface TaskActions {
  isWorking: boolean
  conflict: Conflict | null
  run(action: Action): void
  /** The reader has read of the conflict. */
  clear(): void
}

export const useActions = (
  id: string,
  { put, again }: { put: (task: Task) => void; again: () => void },
): TaskActions => {
  const t = useTexts()
  const words = t.task
  const [isWorking, setWorking] = useState(false)
  const [conflict, setConflict] = useState<Conflict | null>(null)
  const address = `/api/task/${id}`

  const perform: Readonly<Record<Action, () => Promise<void>>> = {
    async retry() {
      put(await post<Task>(`${address}/retry`))
      tell(words.done.retry, 'good')
    },
    async cancel() {
      const answer = await ask('DELETE', address)
      const { outcome, task } = (await answer.json()) as { outcome: string; task: Task }
      put(task)
      tell(outcome === 'revoked' ? words.done.cancel : words.done.cancelAsked, 'good')
    },
    async delete() {
      await remove(address, { query: { purge: '1' } })
      tell(t.tasks.done.delete(1), 'good')
      navigate('/tasks')
    },
  }
  const agreed = async (action: Action): Promise<boolean> =>
    action === 'retry' ||
    askReader({
      ...words.ask[action],
      confirm: t.tasks.actions[action],
      ...(action === 'cancel' ? { dismiss: words.keep } : {}),
      isDanger: true,
    })

  const run = async (action: Action): Promise<void> => {
    if (isWorking || !(await agreed(action))) return
    setWorking(true)
    setConflict(null)
    try {
      await perform[action]()
    } catch (error) {
      const problem = error instanceof ProblemError ? error : null
      if (problem?.status === 409 || problem?.status === 404) {
        setConflict({ action, code: problem.code, detail: problem.message })
        again()
      } else tell(problem ? (t.problems[problem.code] ?? problem.message) : String(error), 'bad')
    } finally {
      setWorking(false)
    }
  }
  return { isWorking, conflict, run: action => void run(action), clear: () => setConflict(null) }
}
