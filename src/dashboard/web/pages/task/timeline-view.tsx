// The timeline: what happened to the task, and each attempt with its worker, its end, and the ways to what it wrote.
import { useState } from 'preact/hooks'
import type { Attempt, AttemptOutcome, Task } from '../../../../client/task.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { Duration, Time } from '../../parts/time.tsx'
import { Link } from '../../router.tsx'
import { withQuery } from '../../state/api.ts'
import { useMay } from '../../state/rights.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { ErrorCode, ErrorDetails } from './error-view.tsx'
import { countingOf, lastAttemptOf, type Moment, momentsOf } from './timeline.ts'
import { type MachineLoad, useLoad } from './use-load.ts'

/** So many of the oldest stay out until they are asked for. */
const SHOWN = 5
/** Of a hash, as people compare it. */
const CODE_SHOWN = 12

const TONES: Readonly<Record<AttemptOutcome, string>> = {
  SUCCESS: 'good',
  FAILURE: 'bad',
  RETRY: 'bad',
  LOST: 'bad',
  REVOKED: 'rest',
  GIVEN_BACK: 'rest',
}

/** An attempt's own last word matters, not its first. */
const endOf = ({ endedAt, startedAt }: Attempt): string => endedAt ?? startedAt

const AttemptMoment = ({
  id,
  attempt,
  load,
  showLog,
}: {
  /** Of the task. */
  id: string
  attempt: Attempt
  load: MachineLoad | null
  showLog: (attempt: number) => void
}) => {
  const [t, f, seesProcesses] = [useTexts(), useFormats(), useMay('look')]
  const words = t.task
  const { worker, code, startedAt, endedAt, outcome, error } = attempt
  const tone = outcome === null ? 'busy' : (TONES[outcome] ?? 'rest')
  return (
    <li class={`moment ${tone}`}>
      <p>
        <Time at={startedAt} /> <strong>{words.attemptOf(attempt.attempt)}</strong> ·{' '}
        <span class="soft">
          <SafeText text={worker} />
        </span>{' '}
        · <Duration from={startedAt} to={endedAt} /> ·{' '}
        <span class={`outcome ${tone}`}>
          {outcome === null ? words.runs : (words.outcomes[outcome] ?? outcome)}
        </span>
        {code === undefined ? null : (
          <>
            {' '}
            ·{' '}
            <span class="soft" title={`${words.codeHint}: ${code}`}>
              <SafeText text={words.code(code.slice(0, CODE_SHOWN))} />
            </span>
          </>
        )}
      </p>
      {error === null ? null : (
        <details class="attempt-error">
          <summary>
            <ErrorCode error={error} />{' '}
            <span class="error-text">
              <SafeText text={error.message} />
            </span>
          </summary>
          <ErrorDetails error={error} isOpen />
        </details>
      )}
      <p class="moment-links">
        <button type="button" class="bare underlined" onClick={() => showLog(attempt.attempt)}>
          {words.itsLog}
        </button>
        {seesProcesses ? (
          <Link href={withQuery('/process/worker', { at: endOf(attempt), task: id })}>
            {words.processLog}
          </Link>
        ) : null}
        {load === null ? null : (
          <span class="soft" title={words.loadThen}>
            {words.cpu(f.percent(load.cpu))}
            {load.memory === null ? null : ` · ${words.memory(f.percent(load.memory))}`}
          </span>
        )}
      </p>
    </li>
  )
}

const PlainMoment = ({ moment }: { moment: Exclude<Moment, { type: 'attempt' }> }) => {
  const words = useTexts().task
  const said = (): string => {
    if (moment.type === 'omitted') return words.attemptsOmitted(moment.count)
    if (moment.type === 'move') return moment.status
    return { created: words.created, retried: words.retriedByHand, cancelAsked: words.cancelWanted }[
      moment.type
    ]
  }
  const tone =
    moment.type !== 'move'
      ? 'rest'
      : moment.status === 'FAILURE'
        ? 'bad'
        : moment.status === 'SUCCESS'
          ? 'good'
          : 'rest'
  return (
    <li class={`moment ${tone}`}>
      <p>
        {moment.type === 'omitted' ? null : (
          <>
            <Time at={moment.at} />{' '}
          </>
        )}
        <span class={moment.type === 'omitted' ? 'soft' : undefined}>{said()}</span>
      </p>
    </li>
  )
}

export const Timeline = ({ task, showLog }: { task: Task; showLog: (attempt: number) => void }) => {
  const t = useTexts()
  const words = t.task
  const [isWhole, setWhole] = useState(false)
  const moments = momentsOf(task)
  const counting = countingOf(task)
  const used =
    counting === 'all'
      ? words.used(task.attempt, task.maxAttempts)
      : `${words.attemptOf(lastAttemptOf(task))} (${words.facts.attemptsOf[counting](task.attempt, task.maxAttempts)})`
  const hidden = isWhole ? 0 : Math.max(0, moments.length - SHOWN)
  const loadAt = useLoad((task.attempts ?? []).map(endOf))
  return (
    <section class="card block" aria-label={words.timeline}>
      <div class="block-head">
        <h2>{words.timeline}</h2>
        {task.attempt > 0 ? <span class="soft">{used}</span> : null}
        {hidden === 0 ? null : (
          <button type="button" class="bare underlined" onClick={() => setWhole(true)}>
            {words.earlier(hidden)}
          </button>
        )}
      </div>
      <ol class="timeline">
        {moments
          .slice(hidden)
          .map(moment =>
            moment.type === 'attempt' ? (
              <AttemptMoment
                key={`attempt ${moment.attempt.attempt}`}
                id={task.id}
                attempt={moment.attempt}
                load={loadAt(endOf(moment.attempt))}
                showLog={showLog}
              />
            ) : (
              <PlainMoment key={`${moment.type} ${moment.at}`} moment={moment} />
            ),
          )}
      </ol>
    </section>
  )
}
