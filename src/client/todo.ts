// The shared list over REST: things that people do. Its items are tasks, so everything else of a client works on them
// too: `watchAll({ kind: 'manual' })` follows the list, and `get` and `retry` (which opens one again) take their ids.
import type { CallOptions } from './byte-stream.ts'
import type { RequestOptions } from './request.ts'
import { type Sort, type Task, type TaskView, TODO_KIND } from './task.ts'

export interface NewTodo {
  /** One line of 1 to 200 characters. */
  title: string
  /** Up to 2000 characters. */
  description?: string | null
  /** A name of up to 100 characters; no account needs to have it. */
  assignee?: string | null
}

/** What POST /create_task answers. */
export interface CreatedTodo {
  id: string
  title: string
  description: string | null
  status: Task['status']
}

/** What names the version that one knows: a task, or one of a list. */
export type KnownTask = Pick<Task, 'id' | 'claim' | 'rev'>

export interface TodoCalls {
  /** Those that are open, newest first; or those that are done or cancelled, the latest end first. All pages. */
  list(options?: CallOptions & { ended?: boolean; q?: string }): AsyncGenerator<TaskView, void, void>
  add(item: NewTodo, options?: CallOptions & { idempotencyKey?: string }): Promise<CreatedTodo>
  /**
   * Changes an open one; what is left out stays. An ApiError with the code VERSION_CHANGED: somebody changed it since;
   * read it again.
   */
  edit(known: KnownTask, change: Partial<NewTodo>, options?: CallOptions): Promise<Task>
  /**
   * Completes an open one: exactly one of all who try. An ApiError with the code TASK_ENDED says who did. `known`: only
   * if it is still this version.
   */
  complete(
    id: string,
    options?: CallOptions & { note?: string | null; known?: Omit<KnownTask, 'id'> },
  ): Promise<Task>
  /** Opens again one that has ended. */
  reopen(id: string, options?: CallOptions): Promise<Task>
  /** Removes one, open or not. */
  remove(id: string, options?: CallOptions): Promise<void>
}

const etagOf = ({ claim, rev }: Omit<KnownTask, 'id'>): string => `"${claim}-${rev}"`

interface TodoParts {
  json<T>(path: string, options: RequestOptions): Promise<T>
  list(
    filter: { kind: string; status: Task['status'][]; q?: string },
    options: CallOptions & { sort?: Sort },
  ): AsyncGenerator<TaskView, void, void>
  retry(id: string, options?: CallOptions): Promise<Task>
  purge(id: string, options?: CallOptions): Promise<void>
  newKey(): string
}

export const createTodoCalls = ({ json, list, retry, purge, newKey }: TodoParts): TodoCalls => {
  const pathOf = (id: string): string => `/task/${encodeURIComponent(id)}`
  return {
    list({ ended = false, q, ...options } = {}) {
      const filter = { kind: TODO_KIND, ...(q === undefined ? {} : { q }) }
      return ended
        ? list({ ...filter, status: ['SUCCESS', 'REVOKED'] }, { ...options, sort: '-finishedAt' })
        : list({ ...filter, status: ['PENDING'] }, options)
    },
    add: (body, { idempotencyKey = newKey(), signal } = {}) =>
      json('/create_task', {
        repeatable: true,
        method: 'POST',
        body,
        headers: { 'idempotency-key': idempotencyKey },
        signal,
      }),
    // an edit whose answer was lost has changed the version, so a second try would be refused for its own first
    edit: ({ id, ...known }, body, { signal } = {}) =>
      json(pathOf(id), { method: 'PATCH', body, headers: { 'if-match': etagOf(known) }, signal }),
    complete: (id, { note = null, known, signal } = {}) =>
      json(`${pathOf(id)}/complete`, {
        method: 'POST',
        body: { note },
        ...(known ? { headers: { 'if-match': etagOf(known) } } : {}),
        signal,
      }),
    reopen: retry,
    remove: purge,
  }
}
