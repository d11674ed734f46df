// What the page makes of a process: one word and its colour. Pure.
import type { ProcessRow, Tone } from '../../state/answers.ts'

/** A process that begins needs this long until it says that it is ready. */
const FRESH_MS = 15_000

export const isFresh = ({ uptimeMs }: ProcessRow): boolean => (uptimeMs ?? 0) < FRESH_MS

/** `word` is a name among the texts of states. */
export const badgeOf = (row: ProcessRow): { word: string; tone: Tone } => {
  const { state, ready, tone, troubles = {} } = row
  if (row.crashLoop) return { word: 'crashLoop', tone: 'bad' }
  if (state !== 'online') return { word: state, tone }
  if (ready === false) return { word: 'notReady', tone: isFresh(row) ? 'busy' : 'bad' }
  const isWell = Object.keys(troubles).length === 0
  return { word: ready === true ? 'ready' : 'online', tone: isWell ? 'good' : 'busy' }
}

export const isWorking = (row: ProcessRow): boolean => ['ready', 'online'].includes(badgeOf(row).word)
