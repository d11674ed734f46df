// What a trouble says in the reader's language, and what to do about it. Pure.
import type { Formats } from '../../format/formats.ts'
import type { Overview, Trouble } from '../../state/answers.ts'
import type { Texts } from '../../texts/texts.ts'
import type { TroubleParams, TroubleTexts } from '../../texts/trouble-params.ts'

export interface TroubleWords {
  text: string
  /** The server's own words: a reason, a file. */
  detail: string | null
  /** The one thing to do about it, the text of the link. */
  action: string
  /** The stopped process whose start mends it, and the text of the button. */
  start: { name: string; text: string } | null
}

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null)
const textOf = (value: unknown): string => (value === null || value === undefined ? '' : String(value))

/** The name of a role is that of its process. */
const stoppedOf = ({ code, params }: Trouble): string | null => {
  if (code === 'PROCESS_STOPPED') return textOf(params.process)
  if (params.state !== 'stopped') return null
  return code === 'NO_WORKER' ? 'worker' : code === 'ROLE_AWAY' ? textOf(params.role) : null
}

/** What the most of the last minutes' failures have in common; the groups come with the largest first. */
const largestOf = (failures: Overview['failures'], minutes: number, t: Texts): string => {
  const newest = Math.max(...(failures ?? []).map(({ lastAt }) => Date.parse(lastAt)))
  const found = failures?.find(({ lastAt }) => newest - Date.parse(lastAt) < minutes * 60_000)
  return found ? t.overview.mostly(found.kind, found.error.pattern ?? found.example.message) : ''
}

export const wordsOf = (
  trouble: Trouble,
  { queue, failures }: Pick<Overview, 'queue' | 'failures'>,
  t: Texts,
  f: Formats,
): TroubleWords => {
  const { code, params } = trouble
  const given: TroubleParams = {
    process: textOf(params.process),
    role: textOf(params.role),
    state: textOf(params.state),
    kind: textOf(params.kind) || textOf(params.file),
    part: textOf(params.part),
    percent: f.percent(numberOf(params.percent) ?? 0, 0),
    free: f.bytes(numberOf(params.freeBytes) ?? 0),
    since: typeof params.since === 'string' ? f.time(Date.parse(params.since)) : '',
    count: numberOf(params.count) ?? 0,
    before: numberOf(params.before) ?? 0,
    minutes: numberOf(params.minutes) ?? 0,
    restarts: numberOf(params.restarts) ?? 0,
    waiting: numberOf(params.waiting) ?? queue?.waiting ?? null,
  }
  // a newer server may know more of them
  const words: TroubleTexts = t.overview.troubles[code] ?? {
    text: () => code,
    action: () => t.overview.seeMore,
  }
  const stopped = stoppedOf(trouble)
  const detail =
    code === 'FAILURES_RISING'
      ? largestOf(failures, given.minutes, t)
      : [textOf(params.file), textOf(params.reason)].filter(Boolean).join(': ')
  return {
    text: words.text(given),
    detail: detail === '' ? null : detail,
    action: words.action(given),
    start: stopped !== null && words.start ? { name: stopped, text: words.start(given) } : null,
  }
}
