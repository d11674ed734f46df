// Watching over connections that come and go: an event stream that is resumed at the last id for as long as there is
// hope.
import { ApiError, ConnectionError } from './errors.ts'
import { readEvents } from './event-stream.ts'
import { createPatience, pause, type Requests } from './request.ts'
import { isFinal, type Task, type TaskView } from './task.ts'

/** What `watchAll` tells; `cursor` resumes behind the event, also in another process. '' before there is one. */
export type WatchEvent =
  | { type: 'task'; cursor: string; task: TaskView }
  | { type: 'removed'; cursor: string; id: string }
  /** What follows, up to `live`, is the present state of all that fit: what happened in between is not known. */
  | { type: 'snapshot'; cursor: string; reason: 'asked' | 'too-old' | 'unknown' }
  /** From here on it is told as it happens. After a new connection it comes again. */
  | { type: 'live'; cursor: string }

export interface StreamOptions {
  path: string
  query: string
  since: string | undefined
  signal: AbortSignal | undefined
}

/** The server sends something every 15 s: what is silent for longer is a dead connection. */
const SILENCE_MS = 45_000

/** A connection that held so long was a good one. */
const STEADY_MS = 1_000

interface StreamEvent {
  event: string
  data: unknown
  cursor: string
}

/** Events of a stream, over as many connections as it takes; ends when the server says that nothing more will come. */
const resume = async function* (
  requests: Requests,
  { path, query, since, signal }: StreamOptions,
): AsyncGenerator<StreamEvent, void, void> {
  const patience = createPatience(requests.patienceMs)
  let openedAt = Number.POSITIVE_INFINITY
  let cursor = since ?? ''
  let retryMs = 1_000
  for (;;) {
    const own = new AbortController()
    let silence: ReturnType<typeof setTimeout> | undefined
    const alive = (): void => {
      clearTimeout(silence)
      silence = setTimeout(() => own.abort(), SILENCE_MS)
    }
    try {
      const response = await requests.send(path, {
        query,
        headers: { accept: 'text/event-stream', ...(cursor === '' ? {} : { 'last-event-id': cursor }) },
        signal: signal ? AbortSignal.any([signal, own.signal]) : own.signal,
      })
      if (response.status === 204 || !response.body) return
      alive()
      openedAt = performance.now()
      const events = readEvents(response.body, alive, id => {
        if (id !== '') cursor = id
      })
      for await (const { event, data, retryMs: wanted } of events) {
        patience.reset()
        retryMs = wanted ?? retryMs
        if (event === 'end') {
          if ((JSON.parse(data) as { reason: string }).reason === 'final') return
          break
        }
        yield { event, data: JSON.parse(data), cursor }
      }
      clearTimeout(silence)
      // all clients of a server that was restarted must not come back at one moment
      await pause(retryMs * (0.5 + Math.random()), signal)
    } catch (error) {
      clearTimeout(silence)
      if (signal?.aborted) throw signal.reason
      // a stream without news is as good as one with
      if (performance.now() - openedAt >= STEADY_MS) patience.reset()
      openedAt = Number.POSITIVE_INFINITY
      const known = error instanceof ApiError || error instanceof ConnectionError
      await patience.bear(
        known ? error : new ConnectionError('The event stream broke off', { cause: error }),
        signal,
      )
    } finally {
      clearTimeout(silence)
      own.abort()
    }
  }
}

/**
 * One task, at first and at every change, up to its final status. @throws ApiError with TASK_NOT_FOUND when it is
 * removed
 */
export const watchTask = async function* (
  requests: Requests,
  options: StreamOptions,
): AsyncGenerator<Task, void, void> {
  for await (const { event, data } of resume(requests, options)) {
    if (event === 'removed')
      throw new ApiError({
        type: 'urn:madhava:error:TASK_NOT_FOUND',
        title: 'There is no task with this id',
        status: 404,
        detail: `The task ${(data as { id: string }).id} was removed`,
        code: 'TASK_NOT_FOUND',
      })
    // events of a later version say nothing to this one
    if (event !== 'task') continue
    const task = data as Task
    yield task
    if (isFinal(task.status)) return
  }
}

/** All tasks that the query names, for ever. */
export const watchTasks = async function* (
  requests: Requests,
  options: StreamOptions,
): AsyncGenerator<WatchEvent, void, void> {
  for await (const { event, data, cursor } of resume(requests, options)) {
    if (event === 'task') yield { type: 'task', cursor, task: data as TaskView }
    else if (event === 'removed') yield { type: 'removed', cursor, id: (data as { id: string }).id }
    else if (event === 'live') yield { type: 'live', cursor }
    else if (event === 'snapshot')
      yield { type: 'snapshot', cursor, reason: (data as { reason: 'asked' | 'too-old' | 'unknown' }).reason }
  }
}
