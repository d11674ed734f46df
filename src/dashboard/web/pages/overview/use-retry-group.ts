// Runs the tasks of one group again, and nothing else: asks with the dry run's number first.
import { useState } from 'preact/hooks'
import { askReader } from '../../frame/question.tsx'
import { tell } from '../../frame/toasts.tsx'
import type { FailureGroup } from '../../state/answers.ts'
import { ProblemError } from '../../state/api.ts'
import type { Texts } from '../../texts/texts.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { actOnMatching, countMatching, countOf } from '../tasks/bulk.ts'

/** One that fails while the reader reads the question is not meant. The end is not among what the filter names. */
const boundTo = ({ filter, lastAt }: FailureGroup): URLSearchParams =>
  new URLSearchParams({ ...filter, finishedTo: new Date(Date.parse(lastAt) + 1).toISOString() })

const retry = async (group: FailureGroup, t: Texts, working: (text: string) => void): Promise<void> => {
  const filter = boundTo(group)
  const count = await countMatching('retry', filter)
  if (count === 0) return tell(t.overview.gone)
  const question = {
    title: t.overview.askRetry(count, group.kind),
    // groups of one kind differ in it alone; without a pattern they do in the code
    quote: group.error.pattern || group.error.code,
    text: t.tasks.askText.retry,
    confirm: t.tasks.actions.retry,
  }
  if (!(await askReader(question))) return
  working(t.tasks.working(0, count))
  const { done, refused } = await actOnMatching('retry', filter, sum =>
    working(t.tasks.working(sum.done + countOf(sum.refused), count)),
  )
  if (done > 0) tell(t.tasks.done.retry(done), 'good')
  for (const [code, refusals] of Object.entries(refused))
    tell([t.tasks.refused(refusals), t.problems[code]].filter(Boolean).join(' '))
}

export interface RetryGroup {
  /** The group whose tasks are being retried, by its key, and how far that is; null at rest. */
  working: { key: string; text: string } | null
  run: (key: string, group: FailureGroup) => void
}

/** @param done told when it has ended, however it did */
export const useRetryGroup = (done: () => void): RetryGroup => {
  const t = useTexts()
  const [working, setWorking] = useState<RetryGroup['working']>(null)
  const run = (key: string, group: FailureGroup): void => {
    if (working !== null) return
    setWorking({ key, text: '…' })
    retry(group, t, text => setWorking({ key, text }))
      .catch((error: unknown) =>
        tell(
          error instanceof ProblemError ? (t.problems[error.code] ?? error.message) : String(error),
          'bad',
        ),
      )
      .finally(() => {
        setWorking(null)
        done()
      })
  }
  return { working, run }
}
