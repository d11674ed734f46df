// The task's own log: by attempt, filtered, and followed while the task runs.
import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { LogEntry, Task } from '../../../../client/task.ts'
import { memo } from '../../parts/memo.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { useQuery } from '../../router.tsx'
import { useCell } from '../../state/cell.ts'
import { liveState } from '../../state/live.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { filtered, groupsOf, isGap, LEVELS } from './log-lines.ts'
import { useTaskLog } from './use-task-log.ts'

/** From the full time `2026-11-28 03:09:59.123 UTC`: the clock with its milliseconds. */
const CLOCK = [11, 23] as const
/** A line is shown up to here until the reader asks for all of it. Characters. */
const LINE_SHOWN = 400
/** So near to its end, in pixels, a reader follows the log. */
const NEAR_END = 30

const LineText = ({ text }: { text: string }) => {
  const words = useTexts().task
  const [isWhole, setWhole] = useState(false)
  if (isWhole || text.length <= LINE_SHOWN * 1.25) return <SafeText text={text} />
  return (
    <>
      <SafeText text={text.slice(0, LINE_SHOWN)} />{' '}
      <button type="button" class="bare underlined" onClick={() => setWhole(true)}>
        {words.moreCharacters(text.length - LINE_SHOWN)}
      </button>
    </>
  )
}

const Line = memo(({ entry }: { entry: LogEntry }) => {
  const [words, f] = [useTexts().task, useFormats()]
  if (isGap(entry)) return <p class="log-gap">{words.linesOmitted(entry.omitted)}</p>
  const full = entry.at === null ? null : f.fullTime(Date.parse(entry.at))
  return (
    <p class={`log-line ${entry.level}`}>
      {full === null ? null : (
        <time dateTime={entry.at ?? undefined} title={full}>
          {full.slice(...CLOCK)}
        </time>
      )}
      <span class="log-text">
        {entry.level === 'info' ? null : <b>{entry.level} </b>}
        <LineText text={entry.text} />
      </span>
    </p>
  )
})

/** Whether the end is kept in view: until the reader scrolls away from it. */
interface Following {
  isOn: boolean
  set(isOn: boolean): void
}

const Lines = ({
  entries,
  hasAttempts,
  follow,
}: {
  entries: readonly LogEntry[]
  hasAttempts: boolean
  follow: Following
}) => {
  const words = useTexts().task
  const box = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    if (follow.isOn && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [follow.isOn, entries])
  const onScroll = (): void => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = box.current ?? {}
    follow.set(scrollHeight - scrollTop - clientHeight < NEAR_END)
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section ref={box} class="code task-log" tabIndex={0} aria-label={words.logLines} onScroll={onScroll}>
      {groupsOf(entries).map(({ attempt, entries: own }, place) => (
        <div key={`${attempt} ${place}`}>
          {attempt === null || !hasAttempts ? null : <h3>{words.attemptOf(attempt)}</h3>}
          {own.map(entry => (
            <Line key={isGap(entry) ? `to ${entry.to}` : entry.n} entry={entry} />
          ))}
        </div>
      ))}
    </section>
  )
}

export interface LogViewProps {
  task: Task
  /** For keys: the place of the search. */
  search: RefObject<HTMLInputElement | null>
}

export const LogView = ({ task, search }: LogViewProps) => {
  const t = useTexts()
  const words = t.task
  const [query, change] = useQuery()
  const isLive = useCell(liveState) === 'live'
  const { asked, ended } = useTaskLog(task.id)
  useEffect(() => {
    if (asked.problem) asked.again()
  }, [task.claim, task.rev, isLive])
  const attempt = Number(query.get('attempt')) || null
  const level = LEVELS.find(each => each === query.get('level')) ?? 'debug'
  const text = query.get('log') ?? ''
  const entries = asked.value?.entries ?? []
  const shown = filtered(entries, { attempt, level, search: text })
  const [isFollowing, setFollowing] = useState(true)
  const following = { isOn: isFollowing, set: setFollowing }
  const written = new Set(
    entries.flatMap(entry => (isGap(entry) || entry.attempt === null ? [] : [entry.attempt])),
  )
  const attempts = [...new Set([...(task.attempts ?? []).map(each => each.attempt), ...written])].sort(
    (a, b) => a - b,
  )
  const lines = shown.filter(entry => !isGap(entry)).length
  return (
    <section class="card block log-block" id="log" aria-label={words.log}>
      <div class="block-head">
        <h2>{words.log}</h2>
        {attempts.length < 2 && attempt === null ? null : (
          <select
            aria-label={words.whichAttempt}
            value={attempt ?? ''}
            onChange={event => change({ attempt: event.currentTarget.value || null }, { push: false })}
          >
            <option value="">{words.allAttempts}</option>
            {attempts.map(each => (
              <option key={each} value={each}>
                {words.attemptOf(each)}
              </option>
            ))}
          </select>
        )}
        <select
          aria-label={words.level}
          value={level}
          onChange={event =>
            change(
              { level: event.currentTarget.value === 'debug' ? null : event.currentTarget.value },
              { push: false },
            )
          }
        >
          {LEVELS.map(each => (
            <option key={each} value={each}>
              {words.levels[each]}
            </option>
          ))}
        </select>
        <input
          ref={search}
          type="search"
          aria-label={words.searchLog}
          placeholder={words.searchLog}
          maxLength={200}
          value={text}
          onInput={event => change({ log: event.currentTarget.value || null }, { push: false })}
        />
        <span class="soft">{words.lines(lines)}</span>
        <span class="block-links">
          {ended || isFollowing ? null : (
            <button type="button" class="bare underlined" onClick={() => setFollowing(true)}>
              {words.follow}
            </button>
          )}
          <a href={`/api/task/${task.id}/log`} download={`${task.id}.log`}>
            {t.frame.download}
          </a>
        </span>
      </div>
      <WhenAsked asked={asked}>
        {() =>
          shown.length === 0 ? (
            <p class="soft">{entries.length > 0 ? words.noLineFits : ended ? words.noLog : words.noLogYet}</p>
          ) : (
            <Lines entries={shown} hasAttempts={attempts.length > 1} follow={following} />
          )
        }
      </WhenAsked>
      {ended || asked.value === null ? null : <p class="soft small">{words.followed}</p>}
    </section>
  )
}
