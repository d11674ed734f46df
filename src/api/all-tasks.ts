// GET /alltasks as text: one array or a line per task, a page of the store in memory at a time.
import type { Access } from '../access/access.ts'
import type { Actor } from '../core/actor.ts'
import { MadhavaError } from '../core/errors.ts'
import type { Service } from '../core/service.ts'
import type { Sort } from '../core/sort.ts'
import type { TaskFilter } from '../core/store.ts'
import type { TaskRecord } from '../core/task.ts'
import { viewTask } from '../core/task-view.ts'
import { turns } from '../core/turns.ts'
import type { Waiting } from '../core/wait-reasons.ts'
import { ownerNames } from './owner-names.ts'
import { LOGIN_OVER, type LoginWatch } from './streams.ts'

export const NDJSON_TYPE = 'application/x-ndjson'

/** Tasks read at a time, and the characters after which they are sent on. */
const STREAM_PAGE = 100
const STREAM_CHUNK = 64 * 1024

interface Shape {
  open: string
  /** Between two tasks. */
  between: string
  close: string
}
const ARRAY: Shape = { open: '[\n', between: ',\n', close: '\n]\n' }
const LINES: Shape = { open: '', between: '\n', close: '\n' }

/**
 * What is ready to be sent, of a page; then the page is let go: whoever does not read on holds bytes, and no results.
 */
const chunksOf = async (
  tasks: readonly object[],
  { open, between }: Shape,
  isFirst: boolean,
): Promise<Buffer[]> => {
  const chunks: Buffer[] = []
  let text = isFirst ? open : ''
  for (const [index, task] of tasks.entries()) {
    const one = JSON.stringify(task)
    text += `${isFirst && index === 0 ? '' : between}${one}`
    const pause = turns.spend(1, one.length)
    if (pause) await pause
    if (text.length < STREAM_CHUNK) continue
    chunks.push(Buffer.from(text))
    text = ''
  }
  if (text !== '') chunks.push(Buffer.from(text))
  return chunks
}

/**
 * As `GET /tasks` shows them, with the names of their owners.
 * @param reasons why each of these tasks waits; null: it was not asked
 */
export const viewTasks = async (
  access: Pick<Access, 'namesOf'>,
  tasks: readonly TaskRecord[],
  reasons: readonly (Waiting | null)[] | null,
): Promise<object[]> => {
  const names = await ownerNames(access, tasks)
  return tasks.map((task, place) => ({
    ...viewTask(task),
    ...(task.owner === null ? {} : { ownerName: names.get(task.owner) ?? null }),
    ...(reasons ? { waiting: reasons[place] ?? null } : {}),
  }))
}

/** @param login closed at the end. The bytes; the service is asked for the next page when the reader has taken the one before. */
export const allTasksText = async function* (
  { service, access }: { service: Pick<Service, 'list' | 'whyEach'>; access: Pick<Access, 'namesOf'> },
  actor: Actor,
  filter: TaskFilter,
  { lines, sort, why, login }: { lines: boolean; sort: Sort; why: boolean; login: LoginWatch },
): AsyncGenerator<Uint8Array> {
  const shape = lines ? LINES : ARRAY
  let isEmpty = true
  const pageAt = async (cursor: string | null) => {
    // the client may take its time, and the login may have ended meanwhile
    if (login.signal.aborted) throw new MadhavaError('UNAUTHORIZED', LOGIN_OVER)
    const { tasks, next } = await service.list(actor, filter, { limit: STREAM_PAGE, cursor, sort })
    const views = await viewTasks(access, tasks, why ? await service.whyEach(actor, tasks) : null)
    const chunks = await chunksOf(views, shape, cursor === null)
    isEmpty &&= tasks.length === 0
    return { chunks, next }
  }
  let cursor: string | null = null
  try {
    do {
      const { chunks, next }: { chunks: Buffer[]; next: string | null } = await pageAt(cursor)
      for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) {
        // a client that reads fast takes one after another, within one turn if it can
        await turns.spend(0, chunk.length)
        yield chunk
      }
      cursor = next
    } while (cursor !== null)
  } finally {
    login.close()
  }
  // no line at all is no empty line
  if (!lines || !isEmpty) yield Buffer.from(shape.close)
}
