// What else there is to know of a task, as a list of names and values.
import type { Task } from '../../../../client/task.ts'
import { isFinal } from '../../../../client/task.ts'
import { StatusBadge } from '../../parts/badge.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { shortId } from '../../parts/short-id.ts'
import { Duration } from '../../parts/time.tsx'
import { Link } from '../../router.tsx'
import { get, withQuery } from '../../state/api.ts'
import { useCell } from '../../state/cell.ts'
import { me } from '../../state/me.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { titleOf } from '../tasks/columns.tsx'
import { type Fact, FactList, When } from './fact-list.tsx'
import { countingOf } from './timeline.ts'

const Parent = ({ id }: { id: string }) => {
  const t = useTexts()
  const asked = useAsked(id, signal => get<Task>(`/api/task/${id}`, { signal }))
  const isGone = asked.problem?.code === 'TASK_NOT_FOUND'
  if (isGone)
    return (
      <>
        <code title={id}>{shortId(id)}</code> <span class="soft">{t.task.gone}</span>
      </>
    )
  return (
    <>
      <Link href={`/task/${id}`}>
        <SafeText text={asked.value ? titleOf(asked.value, t) : shortId(id)} />
      </Link>{' '}
      {asked.value ? <StatusBadge status={asked.value.status} /> : null}
    </>
  )
}

export const Facts = ({ task }: { task: Task }) => {
  const [t, f, who] = [useTexts(), useFormats(), useCell(me)]
  const words = t.task.facts
  const seconds = (value: number | null): string => (value === null ? words.none : f.duration(value * 1000))
  const { limits, retry, startedAt, finishedAt, notBefore, expiresAt } = task
  const rows: Fact[] = [
    [
      words.owner,
      task.owner === null ? null : (
        <Link href={withQuery('/tasks', { owner: task.owner })}>
          <SafeText text={task.owner === who?.account ? who.name : task.owner} />
        </Link>
      ),
    ],
    [words.parent, task.parentId === null ? null : <Parent id={task.parentId} />],
    [words.priority, f.number(task.priority)],
    [words.attempts, words.attemptsOf[countingOf(task)](task.attempt, task.maxAttempts)],
    [
      words.retry,
      retry === null
        ? null
        : words.retryOf(
            f.duration(retry.delaySeconds * 1000),
            f.number(retry.factor, 2),
            f.duration(retry.maxDelaySeconds * 1000),
          ),
    ],
    [
      words.limits,
      limits.softSeconds === null && limits.hardSeconds === null
        ? words.none
        : words.limitsOf(seconds(limits.softSeconds), seconds(limits.hardSeconds)),
    ],
    [words.created, <When key="created" at={task.createdAt} />],
    [words.notBefore, notBefore === null ? null : <When key="notBefore" at={notBefore} />],
    [words.expires, expiresAt === null ? null : <When key="expires" at={expiresAt} />],
    [words.started, startedAt === null ? null : <When key="started" at={startedAt} />],
    [words.ended, finishedAt === null ? null : <When key="ended" at={finishedAt} />],
    [
      words.ran,
      startedAt === null || (finishedAt === null && !['STARTED', 'PROGRESS'].includes(task.status)) ? null : (
        <Duration key="ran" from={startedAt} to={isFinal(task.status) ? finishedAt : null} />
      ),
    ],
    [words.workersLost, task.workersLost === undefined ? null : f.number(task.workersLost)],
    [
      words.key,
      task.idempotencyKey === null ? null : (
        <code>
          <SafeText text={task.idempotencyKey} />
        </code>
      ),
    ],
  ]
  return <FactList title={words.title} rows={rows} />
}
