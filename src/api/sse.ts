// Events as the text of Server-Sent Events (the HTML standard's event streams), readable for people too: a comment in
// plain words stands before each task. Pure.
import { cutText } from '../core/cut-text.ts'
import type { TaskRecord } from '../core/task.ts'
import type { WatchEvent } from '../core/watch.ts'

/** Why a stream ends; the last event says it. */
export type EndReason =
  /** The task has ended: nothing more will come of it, unless it is retried by hand. */
  | 'final'
  /** The task was removed. */
  | 'removed'
  /** The reader was too slow; resume with the last id. */
  | 'slow'
  /** The server stops; resume with the last id when it is back. */
  | 'shutdown'
  /** The store's feed broke off; resume with the last id. */
  | 'broken'
  /** The login has ended, or may do something else now; log in again. */
  | 'login'

/** How long a browser waits before it connects again, milliseconds. */
const RETRY_MS = 2_000
export const OPENING = `retry: ${RETRY_MS}\n\n`
/** A comment: proxies and clients see that the connection lives. */
export const HEARTBEAT = ': \n\n'

const SHOWN = 120
/** Words of strangers on a terminal: without line ends, control and invisible formatting characters, and short. */
const shown = (text: string): string =>
  cutText(text, SHOWN)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ')
    .trim()

/** `2026-01-31T12:00:00.000Z calcpi PROGRESS 45 %, term 120 3.1415 0190... (Fifty digits)` */
const inWords = (task: TaskRecord): string => {
  const { updatedAt, kind, status, progress, result, error, title, id } = task
  const percent = status === 'PROGRESS' && progress ? ` ${progress.percent} %` : ''
  const note = status === 'PROGRESS' && progress?.note ? `, ${shown(progress.note)}` : ''
  const cancelling = task.revokeRequestedAt !== null && status !== 'REVOKED' ? ', to be cancelled' : ''
  const isPlain = typeof result === 'string' || typeof result === 'number'
  const so = isPlain && result !== '' ? ` ${shown(String(result))}` : ''
  const why = error && status !== 'SUCCESS' ? ` ${error.code}: ${shown(error.message)}` : ''
  const name = title ? ` (${shown(title)})` : ''
  return `${updatedAt} ${shown(kind)} ${status}${percent}${note}${cancelling}${so}${why} ${id}${name}`
}

/** One event. `id` is a cursor: our own text, without line ends. JSON has none either. */
export const eventText = (event: string, data: unknown, id: string | null = null, words = ''): string =>
  `${words === '' ? '' : `: ${words}\n`}${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

export const endText = (reason: EndReason): string => eventText('end', { reason })

/**
 * A writer of events that shows tasks with `view`. A record that many streams tell of is written once: all of them are
 * handed the same one.
 */
export const createEventWriter = (view: (task: TaskRecord) => unknown): ((event: WatchEvent) => string) => {
  const written = new WeakMap<TaskRecord, { cursor: string | null; text: string }>()
  const taskText = (task: TaskRecord, cursor: string | null): string => {
    const known = written.get(task)
    if (known?.cursor === cursor) return known.text
    const text = eventText('task', view(task), cursor, inWords(task))
    written.set(task, { cursor, text })
    return text
  }
  return event => {
    if (event.type === 'task') return taskText(event.task, event.cursor)
    if (event.type === 'removed') return eventText('removed', { id: event.id }, event.cursor)
    if (event.type === 'snapshot') return eventText('snapshot', { reason: event.reason })
    if (event.type === 'live') return eventText('live', {}, event.cursor)
    // an id alone moves the place to resume at, and is no event
    return `id: ${event.cursor}\n\n`
  }
}
