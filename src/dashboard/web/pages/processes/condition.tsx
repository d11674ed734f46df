// How a process is, in words: what is wrong with it, what it runs, and how its last process ended.
import { shownText } from '../../format/hidden-characters.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import type { ProcessRow, RestartCause } from '../../state/answers.ts'
import type { Texts } from '../../texts/texts.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { isFresh, isWorking } from './process-row.ts'

type Words = Texts['processes']

/** How it ended, without what it said. */
const endText = (words: Words['cause'], { how, code, signal, by }: RestartCause): string => {
  if (how === 'memory') return words.memory
  if (how === 'asked') return by === null ? words.askedByNobody : words.asked(shownText(by))
  return signal === null ? words.exit(code === null ? '?' : String(code)) : words.signal(signal)
}

/** The whole as one text, for messages. */
export const causeText = (words: Words['cause'], cause: RestartCause): string =>
  [`${endText(words, cause)}.`, ...(cause.words === null ? [] : [words.said, shownText(cause.words)])].join(
    ' ',
  )

/** What is to be said of its state; null: nothing that its badge does not say. */
export const stateText = (words: Words['condition'], row: ProcessRow): string | null => {
  const { state, ready } = row
  if (state === 'errored') return words.errored
  if (row.crashLoop) return words.crashLoop
  if (state === 'waiting restart') return words.again
  if (state === 'stopping') return words.stopping
  if (state === 'stopped') return words.stopped
  if (state !== 'online') return null
  if (ready === false) return isFresh(row) ? words.fresh : words.silent
  return ready === null ? words.unknown : null
}

const RECENT_MS = 60 * 60 * 1000

/** An end that is long past and after which all is well is history. */
const isNews = (row: ProcessRow, { at, how }: RestartCause): boolean =>
  row.state !== 'online' ||
  row.crashLoop === true ||
  (how !== 'asked' && Date.now() - Date.parse(at) < RECENT_MS)

/** @param isWhole says also what is well, and what is history */
export const Condition = ({ row, isWhole = false }: { row: ProcessRow; isWhole?: boolean }) => {
  const words = useTexts().processes
  const { troubles = {}, running = [], restartCause: cause = null } = row
  const said = stateText(words.condition, row) ?? (isWhole && row.ready ? words.condition.ready : null)
  return (
    <div class="condition">
      {said === null ? null : <span>{said}</span>}
      {Object.entries(troubles).map(([part, reason]) => (
        <span key={part} class="condition-trouble">
          {words.parts[part] ?? part}: <SafeText text={reason} />
        </span>
      ))}
      {running.length > 0 && !isWhole ? <span>{words.condition.runs(running.length)}</span> : null}
      {cause && (isWhole || isNews(row, cause)) ? (
        <span
          class={cause.how === 'asked' ? 'soft' : isWorking(row) ? 'condition-trouble' : 'condition-cause'}
        >
          {endText(words.cause, cause)}, <RelativeTime at={cause.at} />
          {cause.words === null ? '.' : '. '}
          {cause.words === null ? null : (
            <>
              {words.cause.said}{' '}
              <code>
                <SafeText text={cause.words} />
              </code>
            </>
          )}
        </span>
      ) : null}
    </div>
  )
}
