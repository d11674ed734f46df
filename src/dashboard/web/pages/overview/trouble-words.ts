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

/**
 * What most of the failures that rise have in common. They are counted when they happen, groups hold what is failed now:
 * only a group of these minutes alone that is more than half of them is surely most of them.
 */
const mostOf = ({ link }: Trouble, count: number, failures: Overview['failures'], t: Texts): string => {
  const from = Date.parse(new URLSearchParams(link.split('?')[1]).get('finishedFrom') ?? '')
  const found = failures?.find(group => group.count > count / 2 && Date.parse(group.firstAt) >= from)
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
      ? mostOf(trouble, given.count, failures, t)
      : [textOf(params.file), textOf(params.reason)].filter(Boolean).join(': ')
  return {
    text: words.text(given),
    detail: detail === '' ? null : detail,
    action: words.action(given),
    start: stopped !== null && words.start ? { name: stopped, text: words.start(given) } : null,
  }
}
