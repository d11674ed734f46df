// Submits a task so that one is made, however often it is sent: after a break it is sent again with the same key.
import { passes, patience, waitAfter } from './again-later.ts'
import { type ProblemError, post, problemIn } from './api.ts'

/** A key that nobody else has. Browsers have no UUIDs over plain HTTP. */
export const newKey = (): string =>
  `page-${[...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('')}`

/**
 * @param key one for one submission
 * @param broke why a try failed that is made again
 * @returns the task's id
 * @throws ProblemError, and the signal's reason
 */
export const submitOnce = async (
  submission: object,
  key: string,
  { signal, broke }: { signal: AbortSignal; broke: (problem: ProblemError) => void },
): Promise<string> => {
  for (let fails = 1; ; fails += 1) {
    try {
      const headers = { 'Idempotency-Key': key }
      return (await post<{ id: string }>('/api/tasks', { body: submission, headers, signal })).id
    } catch (error) {
      signal.throwIfAborted()
      const problem = problemIn(error)
      if (!passes(problem)) throw problem
      broke(problem)
      await patience(waitAfter(fails), signal)
    }
  }
}
