// What becomes of the task that a page has made: why it waits, how far it is, what it made, or what went wrong and what
// to do about it. It is followed live, over a reload and a restart of the server.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { isFinal, type Task } from '../../../../client/task.ts'
import { tell } from '../../frame/toasts.tsx'
import { StatusBadge } from '../../parts/badge.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { ProblemNote, WhenAsked } from '../../parts/states.tsx'
import { Link } from '../../router.tsx'
import { ask, ProblemError, post, problemIn } from '../../state/api.ts'
import { useCell } from '../../state/cell.ts'
import { mayChange, me } from '../../state/me.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { ErrorNote } from '../task/error-note.tsx'
import { detailOf } from '../task/error-view.tsx'
import { ProgressBar } from '../task/progress-bar.tsx'
import { useTask } from '../task/use-task.ts'
import { WaitingNote } from '../task/waiting-note.tsx'
import { save, takeWanted, want } from './wanted.ts'

export interface TaskRunProps {
  id: string
  /** The kind that the page is for: another task has nothing to do here. */
  kind: string
  /** What is saved by itself when the task has succeeded. */
  product: (task: Task) => { href: string; name: string }
  /** The words of the button that saves it. */
  saveWords: string
  /** Where a new one begins, and the words for that. */
  anew: { href: string; words: string }
  /** What the task has made. */
  children: (task: Task) => ComponentChildren
}

const isOpen = ({ status }: Task): boolean => !isFinal(status)
const waits = ({ status }: Task): boolean => status === 'PENDING' || status === 'RETRY'

/** What to do about an error, by its code or that of what the kind threw. */
const Advice = ({ task }: { task: Task }) => {
  const t = useTexts()
  if (task.status === 'REVOKED') return <p>{t.files.cancelled}</p>
  if (task.status !== 'FAILURE' || !task.error) return null
  const { code, detail } = task.error
  const known = [...detailOf(detail).names, code].find(name => Object.hasOwn(t.files.advice, name))
  return <p class="advice">{known === undefined ? t.files.adviceElse : t.files.advice[known]}</p>
}

const Buttons = ({ task, put, props }: { task: Task; put: (task: Task) => void; props: TaskRunProps }) => {
  const [t, who] = [useTexts(), useCell(me)]
  const [isWorking, setWorking] = useState(false)
  const words = t.files
  const act = async (does: () => Promise<Task>): Promise<void> => {
    setWorking(true)
    try {
      put(await does())
    } catch (error) {
      const { code, message } = problemIn(error)
      tell(t.problems[code] ?? message, 'bad')
    } finally {
      setWorking(false)
    }
  }
  const cancel = async (): Promise<Task> =>
    ((await (await ask('DELETE', `/api/task/${task.id}`)).json()) as { task: Task }).task
  const retry = async (): Promise<Task> => {
    const retried = await post<Task>(`/api/task/${task.id}/retry`)
    want(task.id)
    return retried
  }
  const { href, name } = props.product(task)
  const isRefused = isWorking || !mayChange(who)
  return (
    <p class="row-actions">
      {task.status === 'SUCCESS' ? (
        <a class="button primary" href={href} download={name}>
          {props.saveWords}
        </a>
      ) : null}
      {isOpen(task) ? (
        <button
          type="button"
          class="button danger"
          disabled={isRefused || task.revokeRequestedAt !== null}
          onClick={() => void act(cancel)}
        >
          {t.tasks.actions.cancel}
        </button>
      ) : (
        <Link class="button" href={props.anew.href}>
          {props.anew.words}
        </Link>
      )}
      {task.status === 'FAILURE' || task.status === 'REVOKED' ? (
        <button type="button" class="button" disabled={isRefused} onClick={() => void act(retry)}>
          {words.runAgain}
        </button>
      ) : null}
      <Link href={`/task/${task.id}`}>{words.toTask}</Link>
    </p>
  )
}

const Shown = ({ task, put, props }: { task: Task; put: (task: Task) => void; props: TaskRunProps }) => {
  const t = useTexts()
  const [isSaved, setSaved] = useState(false)
  useEffect(() => {
    // not before it is there, and never twice
    if (task.status !== 'SUCCESS' || !takeWanted(task.id)) return
    const { href, name } = props.product(task)
    save(href, name)
    setSaved(true)
  }, [task.status])
  const words = t.files
  return (
    <section class="card block run" aria-label={words.run}>
      <div class="block-head">
        <span role="status">
          <StatusBadge status={task.status} />{' '}
          <span class="unseen">{task.status === 'SUCCESS' ? words.done : ''}</span>
        </span>
        <h2>
          <SafeText text={task.title ?? task.kind} />
        </h2>
        {task.revokeRequestedAt !== null && isOpen(task) ? (
          <span class="soft">{t.tasks.toBeCancelled}</span>
        ) : null}
      </div>
      {waits(task) ? <WaitingNote task={task} /> : null}
      {task.status === 'STARTED' ? <p class="soft">{words.begins}</p> : null}
      <ProgressBar task={task} />
      <ErrorNote task={task} isAlone />
      <Advice task={task} />
      {isSaved ? <p role="status">{words.saved(props.product(task).name)}</p> : null}
      <Buttons task={task} put={put} props={props} />
      {task.status === 'SUCCESS' ? props.children(task) : null}
    </section>
  )
}

export const TaskRun = (props: TaskRunProps) => {
  const t = useTexts()
  const { asked, isRemoved, put } = useTask(props.id)
  const { value, problem } = asked
  const isGone = isRemoved || problem?.status === 404 || problem?.code === 'BAD_ID'
  const isOther = value !== null && value.kind !== props.kind
  if (isGone || isOther) {
    const code = isOther ? 'TASK_OTHER_KIND' : 'TASK_NOT_FOUND'
    const note = new ProblemError({ code, status: 404, detail: isOther ? t.files.otherKind : t.task.missing })
    return (
      <>
        <ProblemNote problem={note} />
        <p>
          <Link class="button" href={props.anew.href}>
            {props.anew.words}
          </Link>
        </p>
      </>
    )
  }
  return <WhenAsked asked={asked}>{task => <Shown task={task} put={put} props={props} />}</WhenAsked>
}
