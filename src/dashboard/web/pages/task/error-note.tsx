// Why a task failed, on top of its page: the error, and who else ended the same way.
import type { Task } from '../../../../client/task.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { Time } from '../../parts/time.tsx'
import { Link } from '../../router.tsx'
import type { FailureGroup } from '../../state/answers.ts'
import { get, withQuery } from '../../state/api.ts'
import { useMay } from '../../state/rights.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { alikeFilter, groupFor } from './alike.ts'
import { ErrorCode, ErrorDetails, type TaskError } from './error-view.tsx'

interface Failures {
  failures: FailureGroup[] | null
  failuresTotal: { isWhole: boolean } | null
}

/** The groups are those of all; who does not see all has a list of their own. */
const NO_FAILURES: Failures = { failures: null, failuresTotal: null }

const Alike = ({ task, error }: { task: Task; error: TaskError }) => {
  const words = useTexts().task.alike
  const isAllowed = useMay('look')
  const asked = useAsked(`${task.id} ${task.finishedAt}`, async signal =>
    isAllowed ? get<Failures>('/overview.json', { signal }) : NO_FAILURES,
  )
  if (asked.value === null && !asked.problem) return <p class="alike">&nbsp;</p>
  const group = groupFor(asked.value?.failures ?? [], task)
  if (!group)
    return (
      <p class="alike">
        <Link href={withQuery('/tasks', alikeFilter(task.kind, error))}>{words.see}</Link>
      </p>
    )
  // it may have failed just now, or more than a day ago
  const { finishedAt } = task
  const isCounted = finishedAt !== null && finishedAt >= group.firstAt && finishedAt <= group.lastAt
  const others = group.count - (isCounted ? 1 : 0)
  if (others <= 0) return <p class="alike">{words.none}</p>
  const isWhole = asked.value?.failuresTotal?.isWhole ?? true
  return (
    <p class="alike">
      {words.before} <Link href={withQuery('/tasks', group.filter)}>{words.others(others, isWhole)}</Link>{' '}
      {words.since} <Time at={group.firstAt} />.
    </p>
  )
}

/** @param isAlone the reader sees this task and no others */
export const ErrorNote = ({ task, isAlone = false }: { task: Task; isAlone?: boolean }) => {
  const words = useTexts().task
  const { error } = task
  if (!error || task.status === 'SUCCESS') return null
  const hasFailed = task.status === 'FAILURE'
  return (
    <section class={hasFailed ? 'note bad error-note' : 'note error-note'} aria-label={words.error}>
      <p class="error-message">
        {hasFailed ? null : <span class="soft">{words.lastError}: </span>}
        <strong>
          <SafeText text={error.message} />
        </strong>{' '}
        <ErrorCode error={error} />
      </p>
      {hasFailed && !isAlone ? <Alike task={task} error={error} /> : null}
      <ErrorDetails error={error} />
    </section>
  )
}
