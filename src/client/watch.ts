// Watches tasks over connections that may break: the event stream is resumed at the last id while that is possible.
import { ApiError, ConnectionError } from './errors.ts'
import { readEvents } from './event-stream.ts'
import { createPatience, pause } from './patience.ts'
import type { Requests } from './request.ts'
import { isFinal, type LogEntry, type Task, type TaskView } from './task.ts'

/** An event of `watchAll`. `cursor` resumes after the event, also in another process; '' before the first one. */
export type WatchEvent =
  | { type: 'task'; cursor: string; task: TaskView }
  | { type: 'removed'; cursor: string; id: string }
  /** Up to `live`, what follows is the present state of all tasks that fit. The changes in between are not known. */
  | { type: 'snapshot'; cursor: string; reason: 'asked' | 'too-old' | 'unknown' }
  /** From here on events come as they happen. It comes again after a reconnect. */
  | { type: 'live'; cursor: string }

export interface StreamOptions {
  path: string
  query: string
  since: string | undefined
  signal: AbortSignal | undefined
}

/** The server sends something every 15 s, so a connection that is silent for longer is dead. */
const SILENCE_MS = 45_000

/** A connection that lasted this long worked. */
const STEADY_MS = 1_000

interface StreamEvent {
  event: string
  data: unknown
  cursor: string
}

/** The events of a stream over as many connections as needed; ends when the server says that no more will come. */
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
      // the clients of a restarted server must not all come back at once
      await pause(retryMs * (0.5 + Math.random()), signal)
    } catch (error) {
      clearTimeout(silence)
      if (signal?.aborted) throw signal.reason
      // a stream without events is fine too
      if (performance.now() - openedAt >= STEADY_MS) patience.reset()
      openedAt = Number.POSITIVE_INFINITY
      const known = error instanceof ApiError || error instanceof ConnectionError
      await patience.waitBeforeRetry(
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
 * One task: its state now, then every change, up to its final status. @throws ApiError with TASK_NOT_FOUND if it is
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
    // newer servers may send other events
    if (event !== 'task') continue
    const task = data as Task
    yield task
    if (isFinal(task.status)) return
  }
}

/** The entries of a task's log, up to its end; returns the task. */
export const followLog = async function* (
  requests: Requests,
  options: StreamOptions,
): AsyncGenerator<LogEntry, TaskView | undefined, void> {
  for await (const { event, data } of resume(requests, options)) {
    if (event === 'line' || event === 'omitted') yield data as LogEntry
    else if (event === 'task') return data as TaskView
  }
  return undefined
}

/** All tasks that fit the query, without end. */
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
