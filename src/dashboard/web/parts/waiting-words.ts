// Why a task waits, in the reader's language: made from the reason and its facts. A reason of a later server has no
// words here; its own are shown then. Pure.
import type { Waiting } from '../../../client/task.ts'
import type { Formats } from '../format/formats.ts'
import type { Texts } from '../texts/texts.ts'

/** One or two sentences. */
export const whyInWords = ({ reason, detail, facts }: Waiting, t: Texts, f: Formats): string => {
  const words = t.why
  const { running, maxConcurrency, rate, slots, busy, dueAt } = facts
  switch (reason) {
    case 'FOR_PEOPLE':
      return words.forPeople
    case 'NOT_DUE':
      return dueAt === undefined ? words.notDue : words.notDueBefore(f.time(Date.parse(dueAt)))
    case 'RETRY_WAIT':
      return dueAt === undefined ? words.retryWait : words.retryWaitUntil(f.time(Date.parse(dueAt)))
    case 'NO_WORKER':
      return words.noWorker
    case 'KIND_UNKNOWN':
      return words.kindUnknown
    case 'NO_ROOM':
      return words.noRoom
    case 'KIND_FULL':
      return maxConcurrency === undefined ? words.kindFull : words.kindFullOf(running ?? 0, maxConcurrency)
    case 'RATE':
      return rate === undefined ? words.rate : words.rateOf(rate)
    case 'BEHIND':
      return slots === undefined ? words.behind : words.behindOf(busy ?? 0, slots)
    default:
      return detail
  }
}

/** Where it stands: `3 tasks are before it.` */
export const positionInWords = ({ position, reason }: Waiting, t: Texts): string | null => {
  if (position !== null) return t.why.position(position)
  const isDue = !['FOR_PEOPLE', 'NOT_DUE', 'RETRY_WAIT'].includes(reason)
  return !isDue ? null : t.why.farBehind
}

/** When it is likely to start; null: nobody can tell. */
export const startInWords = ({ startsIn }: Waiting, t: Texts, f: Formats): string | null => {
  if (!startsIn) return null
  const [p50, p90] = [f.duration(startsIn.p50 * 1000), f.duration(startsIn.p90 * 1000)]
  return p50 === p90 ? t.why.starts(p50) : t.why.startsBetween(p50, p90)
}

/** The same in a few words, for a row: `kind full, 2 of 2`, `place 3 · in 4 s`. */
export const whyInShort = (waiting: Waiting, t: Texts, f: Formats): string => {
  const words = t.why.short
  const { reason, facts, position, startsIn } = waiting
  const soon = startsIn ? words.in(f.duration(startsIn.p50 * 1000)) : null
  const place = position === null ? null : position === 0 ? words.next : words.place(f.number(position))
  const said: Partial<Record<string, string>> = {
    FOR_PEOPLE: words.forPeople,
    NOT_DUE: words.notDue,
    RETRY_WAIT: words.retryWait,
    NO_WORKER: words.noWorker,
    KIND_UNKNOWN: words.kindUnknown,
    NO_ROOM: words.noRoom,
    KIND_FULL: words.kindFull(facts.running ?? 0, facts.maxConcurrency ?? 0),
    RATE: words.rate(facts.rate ?? ''),
    BEHIND: place ?? words.behind,
  }
  return [said[reason] ?? reason, soon].filter(part => part !== null).join(' · ')
}
