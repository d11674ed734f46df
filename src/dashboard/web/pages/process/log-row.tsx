// One line of a log: time, level and message of our own lines, with the further fields folded; colours of any other.
import { useMemo } from 'preact/hooks'
import { memo } from '../../parts/memo.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { shortId } from '../../parts/short-id.ts'
import { Link } from '../../router.tsx'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { classOf } from './colours.ts'
import { readJsonLine } from './json-line.ts'
import { levelOf, type ShownLine } from './log-state.ts'

export interface LogRowProps {
  line: ShownLine
  isActive: boolean
  isOpen: boolean
  /** The one of the moment that was asked for. */
  isTarget: boolean
  /** Both logs are shown. */
  hasStream: boolean
  /** Given the key of the line. */
  toggle: (key: string) => void
}

/** `03:08:48.102` today, `11-28 03:08:48` before. */
const LineTime = ({ at }: { at: string }) => {
  const f = useFormats()
  const full = f.fullTime(Date.parse(at))
  const isToday = full.slice(0, 10) === f.fullTime(Date.now()).slice(0, 10)
  return (
    <time dateTime={at} title={full}>
      {isToday ? full.slice(11, 23) : `${full.slice(5, 10)} ${full.slice(11, 19)}`}
    </time>
  )
}

const Coloured = ({ line }: { line: ShownLine }) =>
  line.spans ? (
    <bdi>
      {line.spans.map((span, at) => (
        <span key={at} class={classOf(span)}>
          <SafeText text={span.text} />
        </span>
      ))}
    </bdi>
  ) : (
    <SafeText text={line.text} />
  )

export const LogRow = memo(({ line, isActive, isOpen, isTarget, hasStream, toggle }: LogRowProps) => {
  const words = useTexts().log
  const json = useMemo(() => readJsonLine(line), [line])
  const { time, level, message, cut, text } = line
  const marks = [levelOf(line), isActive ? 'active' : null, isTarget ? 'target' : null].filter(Boolean)
  return (
    <li class={`log-line ${marks.join(' ')}`} tabIndex={-1} data-key={line.key}>
      {time === null ? null : <LineTime at={time} />}
      {level === null ? null : <span class="log-level">{level}</span>}
      {hasStream && line.stream === 'err' ? <span class="log-level">err</span> : null}
      <span class="log-text">
        {message === null ? <Coloured line={line} /> : <SafeText text={message} />}
        {json?.reason && json.reason !== message ? (
          <span class="log-reason">
            {' '}
            <SafeText text={json.reason} />
          </span>
        ) : null}
        {json?.task ? (
          <Link class="log-task" href={`/task/${json.task.id}`} title={json.task.id}>
            <SafeText text={`${json.task.kind ?? ''} ${shortId(json.task.id)}`.trim()} />
          </Link>
        ) : null}
        {cut ? (
          <span class="soft" title={words.cutTitle}>
            {' '}
            [{words.cut}]
          </span>
        ) : null}
        {(json?.count ?? 0) > 0 || (cut && message !== null) ? (
          <button
            type="button"
            class="bare log-more"
            aria-expanded={isOpen}
            aria-label={words.showFields(json?.count ?? 1)}
            title={json ? json.fields.replace(/\s+/g, ' ').slice(1, 300) : undefined}
            onClick={() => toggle(line.key)}
          >
            {json ? words.fields(json.count) : '…'}
          </button>
        ) : null}
      </span>
      {isOpen ? (
        <pre class="log-fields">
          <SafeText text={json ? json.fields : text} />
        </pre>
      ) : null}
    </li>
  )
})
