// One task: why it is as it is, and what can be done about it.
import type { ComponentChildren } from 'preact'
import { useMemo, useRef } from 'preact/hooks'
import { isFinal, type Task } from '../../../../client/task.ts'
import { useKeys } from '../../frame/keys.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { ArtifactList } from '../../parts/artifact-list.tsx'
import { StatusBadge } from '../../parts/badge.tsx'
import { CopyButton } from '../../parts/copy.tsx'
import { JsonView } from '../../parts/json-view.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { shortId } from '../../parts/short-id.ts'
import { ProblemNote, WhenAsked } from '../../parts/states.tsx'
import { Link, navigate, useQuery } from '../../router.tsx'
import { ProblemError, withQuery } from '../../state/api.ts'
import { useCell } from '../../state/cell.ts'
import { mayChange, me } from '../../state/me.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { titleOf } from '../tasks/columns.tsx'
import { Children } from './children.tsx'
import { ErrorNote } from './error-note.tsx'
import { Facts } from './facts.tsx'
import { LogView } from './log-view.tsx'
import { ProgressBar } from './progress-bar.tsx'
import { ResultView } from './result-view.tsx'
import { Shares } from './shares-part.tsx'
import { Timeline } from './timeline-view.tsx'
import { Uploads } from './uploads-part.tsx'
import { type TaskActions, useActions } from './use-actions.tsx'
import { useTask } from './use-task.ts'
import { WaitingNote } from './waiting-note.tsx'

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const waits = ({ status }: Task): boolean => status === 'PENDING' || status === 'RETRY'
const editAddress = (id: string): string => withQuery('/new', { from: id })

const Buttons = ({ task, actions }: { task: Task; actions: TaskActions }) => {
  const [t, who] = [useTexts(), useCell(me)]
  if (!mayChange(who)) return <span class="soft small">{t.frame.viewer}</span>
  const { isWorking, run } = actions
  const words = t.tasks.actions
  const hasEnded = isFinal(task.status)
  return (
    <>
      {hasEnded ? (
        <button
          type="button"
          class={task.status === 'SUCCESS' ? 'button' : 'button primary'}
          disabled={isWorking}
          onClick={() => run('retry')}
        >
          {words.retry}
        </button>
      ) : null}
      {task.doneBy === 'people' ? (
        <Link class="button" href="/todo">
          {t.menu.todo}
        </Link>
      ) : (
        <Link class="button" href={editAddress(task.id)}>
          {t.task.edit}
        </Link>
      )}
      <button
        type="button"
        class="button danger"
        disabled={isWorking || (!hasEnded && task.revokeRequestedAt !== null)}
        onClick={() => run(hasEnded ? 'delete' : 'cancel')}
      >
        {hasEnded ? words.delete : words.cancel}
      </button>
    </>
  )
}

const HeadNote = ({ task }: { task: Task }) => {
  const t = useTexts()
  return (
    <>
      <Link href={withQuery('/tasks', { kind: task.kind })}>
        <code>
          <SafeText text={task.kind} />
        </code>
      </Link>{' '}
      · <code title={task.id}>{shortId(task.id)}</code> <CopyButton text={task.id} label={t.task.copyId} />
      {task.revokeRequestedAt !== null && !isFinal(task.status) ? ` · ${t.tasks.toBeCancelled}` : null}
    </>
  )
}

const ConflictNote = ({ actions, task }: { actions: TaskActions; task: Task }) => {
  const t = useTexts()
  const { conflict, clear } = actions
  if (!conflict) return null
  return (
    <div class="note bad conflict" role="alert">
      <p>
        <strong>{t.task.notDone[conflict.action]}</strong>{' '}
        {t.problems[conflict.code] ?? <SafeText text={conflict.detail} />} {t.task.isNow}{' '}
        <StatusBadge status={task.status} />
      </p>
      <button type="button" class="bare" aria-label={t.frame.close} onClick={clear}>
        ×
      </button>
    </div>
  )
}

const Shown = ({ task, isRemoved, actions }: { task: Task; isRemoved: boolean; actions: TaskActions }) => {
  const t = useTexts()
  const words = t.task
  const who = useCell(me)
  const [query, change] = useQuery()
  const search = useRef<HTMLInputElement>(null)
  const params = useMemo(() => JSON.stringify(task.params), [task.id])
  const may = mayChange(who) && !isRemoved
  const hasEnded = isFinal(task.status)
  const toLog = (): void => {
    document.getElementById('log')?.scrollIntoView({ block: 'start' })
    document.querySelector<HTMLElement>('.task-log')?.focus({ preventScroll: true })
  }
  const showLog = (attempt: number): void => {
    if (query.get('attempt') !== String(attempt)) change({ attempt: String(attempt) }, { push: false })
    toLog()
  }
  useKeys({
    ...(may && hasEnded ? { r: { label: t.keys.retry, run: () => actions.run('retry') } } : {}),
    ...(may && !hasEnded ? { c: { label: t.keys.cancel, run: () => actions.run('cancel') } } : {}),
    ...(may && task.doneBy !== 'people'
      ? { e: { label: words.edit, run: () => navigate(editAddress(task.id)) } }
      : {}),
    ...(may && hasEnded ? { Delete: { label: t.keys.remove, run: () => actions.run('delete') } } : {}),
    l: { label: words.keys.log, run: toLog },
    '/': { label: words.searchLog, run: () => search.current?.focus() },
    ...(task.parentId === null
      ? {}
      : { p: { label: words.keys.parent, run: () => navigate(`/task/${task.parentId}`) } }),
  })
  return (
    <>
      <PageHead
        title={titleOf(task, t)}
        before={
          <span role="status" class={isRemoved ? 'removed' : undefined}>
            <StatusBadge status={task.status} />
          </span>
        }
        note={<HeadNote task={task} />}
      >
        {isRemoved ? null : <Buttons task={task} actions={actions} />}
      </PageHead>
      {isRemoved ? (
        <div class="note bad" role="alert">
          <strong>{words.removed}</strong> {words.removedText} <Link href="/tasks">{words.toTasks}</Link>
        </div>
      ) : (
        <ConflictNote actions={actions} task={task} />
      )}
      {task.description === null ? null : (
        <p class="description">
          <SafeText text={task.description} />
        </p>
      )}
      {waits(task) && !isRemoved ? <WaitingNote task={task} /> : null}
      <ErrorNote task={task} />
      <ProgressBar task={task} />
      <div class="task-columns">
        <div>
          <Timeline task={task} showLog={showLog} />
          <LogView task={task} search={search} />
        </div>
        <div>
          <ArtifactList artifacts={task.artifacts ?? []} address={`/api/task/${task.id}/artifacts`} />
          <ResultView task={task} path={`/api/task/${task.id}/result`} />
          <JsonView title={words.params} text={params} fileName={`${task.id}.params.json`} />
          <Uploads params={task.params} />
          {task.resultInfo === undefined ? null : (
            <JsonView
              title={words.resultInfo}
              text={JSON.stringify(task.resultInfo)}
              fileName={`${task.id}.info.json`}
            />
          )}
          <Facts task={task} />
          <Children id={task.id} />
          {may ? <Shares id={task.id} /> : null}
        </div>
      </div>
      <p class="keys-hint soft small">
        {may && task.doneBy !== 'people' ? words.hint[hasEnded ? 'ended' : 'open'] : words.hint.viewer}
      </p>
    </>
  )
}

const Missing = ({ id, children }: { id: string; children?: ComponentChildren }) => {
  const t = useTexts()
  const problem = new ProblemError({ code: 'TASK_NOT_FOUND', status: 404, detail: t.task.missing })
  return (
    <>
      <PageHead title={`${t.task.one} ${id.slice(0, 36)}`}>
        <Link class="button" href="/tasks">
          {t.task.toTasks}
        </Link>
      </PageHead>
      {children ?? <ProblemNote problem={problem} />}
    </>
  )
}

const Known = ({ id }: { id: string }) => {
  const { asked, isRemoved, put } = useTask(id)
  const actions = useActions(id, { put, again: asked.again })
  const { value, problem } = asked
  if (!value)
    return (
      <Missing id={id}>
        {problem?.status === 404 ? undefined : <WhenAsked asked={asked}>{() => null}</WhenAsked>}
      </Missing>
    )
  return (
    <>
      {/* a task that is gone is said below, with what it was */}
      {problem && problem.status !== 404 ? <ProblemNote problem={problem} again={asked.again} /> : null}
      <Shown task={value} isRemoved={isRemoved || problem?.status === 404} actions={actions} />
    </>
  )
}

/** What is no id needs no question. */
export const TaskPage = ({ words: { id = '' } }: { words: Record<string, string> }) =>
  ID.test(id) ? <Known id={id} /> : <Missing id={id} />
