// The page of one task for whoever has its link: without a login, without the frame, and with nothing but this task.
import type { ComponentChildren } from 'preact'
import { isFinal, type Task } from '../../../../client/task.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { Toasts } from '../../frame/toasts.tsx'
import iconAddress from '../../icon.svg'
import { ArtifactList } from '../../parts/artifact-list.tsx'
import { StatusBadge } from '../../parts/badge.tsx'
import { JsonView } from '../../parts/json-view.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { shortId } from '../../parts/short-id.ts'
import { Empty, WhenAsked } from '../../parts/states.tsx'
import { Duration } from '../../parts/time.tsx'
import { useTexts } from '../../texts/use-texts.ts'
import { ErrorNote } from '../task/error-note.tsx'
import { FactList, When } from '../task/fact-list.tsx'
import { ProgressBar } from '../task/progress-bar.tsx'
import { ResultView } from '../task/result-view.tsx'
import { countingOf } from '../task/timeline.ts'
import { titleOf } from '../tasks/columns.tsx'
import { useSharedTask } from './use-shared-task.ts'

/** What the server says of a link that opens nothing, or whose task is gone. */
const GONE: readonly string[] = ['SHARE_NOT_FOUND', 'TASK_NOT_FOUND']

const Facts = ({ task }: { task: Task }) => {
  const words = useTexts().task.facts
  const { createdAt, startedAt, finishedAt, notBefore, status } = task
  return (
    <FactList
      title={words.title}
      rows={[
        [words.attempts, words.attemptsOf[countingOf(task)](task.attempt, task.maxAttempts)],
        [words.created, <When key="created" at={createdAt} />],
        [words.notBefore, notBefore === null ? null : <When key="notBefore" at={notBefore} />],
        [words.started, startedAt === null ? null : <When key="started" at={startedAt} />],
        [words.ended, finishedAt === null ? null : <When key="ended" at={finishedAt} />],
        [
          words.ran,
          startedAt === null || (finishedAt === null && !['STARTED', 'PROGRESS'].includes(status)) ? null : (
            <Duration key="ran" from={startedAt} to={isFinal(status) ? finishedAt : null} />
          ),
        ],
      ]}
    />
  )
}

const Shown = ({ task, address }: { task: Task; address: string }) => {
  const t = useTexts()
  return (
    <>
      <PageHead
        title={titleOf(task, t)}
        before={
          <span role="status">
            <StatusBadge status={task.status} />
          </span>
        }
        note={
          <>
            <code>
              <SafeText text={task.kind} />
            </code>{' '}
            · <code title={task.id}>{shortId(task.id)}</code>
          </>
        }
      />
      {task.description === null ? null : (
        <p class="description">
          <SafeText text={task.description} />
        </p>
      )}
      <ErrorNote task={task} isAlone />
      <ProgressBar task={task} />
      <div class="task-columns">
        <div>
          <ArtifactList artifacts={task.artifacts ?? []} address={`${address}/artifacts`} />
          <ResultView task={task} path={`${address}/result`} />
          <JsonView
            title={t.task.params}
            text={JSON.stringify(task.params)}
            fileName={`${task.id}.params.json`}
          />
        </div>
        <div>
          <Facts task={task} />
          {task.resultInfo === undefined ? null : (
            <JsonView
              title={t.task.resultInfo}
              text={JSON.stringify(task.resultInfo)}
              fileName={`${task.id}.info.json`}
            />
          )}
        </div>
      </div>
    </>
  )
}

const Around = ({ children }: { children: ComponentChildren }) => {
  const t = useTexts()
  return (
    <div class="shared">
      <header class="shared-head">
        <span class="brand">
          <img src={iconAddress} alt="" width={24} height={24} /> Madhava
        </span>
        <span class="soft">{t.links.about}</span>
      </header>
      <main id="content">{children}</main>
      <Toasts />
    </div>
  )
}

export const SharedPage = ({ token }: { token: string }) => {
  const t = useTexts()
  const address = `/api/shared/${token}`
  const asked = useSharedTask(address)
  const { value, problem } = asked
  if (problem && GONE.includes(problem.code))
    return (
      <Around>
        <PageHead title={t.links.gone} />
        <Empty text={t.links.goneText} />
      </Around>
    )
  return (
    <Around>
      {value === null ? <h1 class="unseen">{t.task.one}</h1> : null}
      <WhenAsked asked={asked}>{task => <Shown task={task} address={address} />}</WhenAsked>
    </Around>
  )
}
