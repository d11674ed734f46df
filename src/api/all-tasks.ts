// GET /alltasks as text: one array or a line per task, a page of the store in memory at a time.
import type { Actor, Service } from '../core/service.ts'
import type { TaskFilter } from '../core/store.ts'
import { viewTask } from '../core/task-view.ts'

export const NDJSON_TYPE = 'application/x-ndjson'

/** Tasks read at a time, and the characters after which they are sent on. */
const STREAM_PAGE = 200
const STREAM_CHUNK = 64 * 1024

interface Shape {
  open: string
  /** Between two tasks. */
  between: string
  close: string
}
const ARRAY: Shape = { open: '[\n', between: ',\n', close: '\n]\n' }
const LINES: Shape = { open: '', between: '\n', close: '\n' }

/** The bytes; the service is asked for the next page when the reader has taken the one before. */
export const allTasksText = async function* (
  service: Pick<Service, 'list'>,
  actor: Actor,
  filter: TaskFilter,
  lines: boolean,
): AsyncGenerator<Uint8Array> {
  const { open, between, close } = lines ? LINES : ARRAY
  let text = open
  let first = true
  let cursor: string | null = null
  do {
    const page = await service.list(actor, filter, { limit: STREAM_PAGE, cursor })
    for (const task of page.tasks) {
      text += `${first ? '' : between}${JSON.stringify(viewTask(task))}`
      first = false
      if (text.length < STREAM_CHUNK) continue
      yield Buffer.from(text)
      text = ''
    }
    cursor = page.next
  } while (cursor !== null)
  // no line at all is no empty line
  if (!lines || !first) yield Buffer.from(text + close)
}
