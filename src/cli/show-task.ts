// One task while it runs: a bar, its note and its partial result, drawn in place; on a pipe a line at each status.
import type { Client, Task } from '../client/client.ts'
import { taskLine } from './commands/task-table.ts'
import type { Console } from './console.ts'
import { ConsoleError, EXIT } from './exit.ts'
import { lasting } from './lasting.ts'
import { barText, speaksUtf8 } from './terminal/bar.ts'
import { createLiveLines, type LiveLines, MARGIN } from './terminal/live-lines.ts'
import { oneLine } from './terminal/safe-text.ts'
import { endOf } from './terminal/width.ts'
import { durationText, percentText } from './terminal/words.ts'

const BAR_MOST = 40

/** The last digits of what there is so far. */
const partialOf = (task: Task): string => {
  if (task.status !== 'PROGRESS' || task.result === null) return ''
  return oneLine(typeof task.result === 'string' ? task.result : JSON.stringify(task.result))
}

/** The lines that show a running task, at most `columns` wide. */
export const progressLines = (task: Task, columns: number, isPlain: boolean): string[] => {
  const { progress, status } = task
  const percent = progress?.percent ?? 0
  const eta = progress && progress.etaSeconds !== null ? `${durationText(progress.etaSeconds)} left` : ''
  const words = [status, percentText(percent), eta, oneLine(progress?.note ?? '')].filter(Boolean).join('  ')
  const room = Math.min(BAR_MOST, Math.max(10, Math.floor(columns / 3)))
  const partial = partialOf(task)
  return [
    `${barText(percent, room, isPlain)}  ${words}`,
    ...(partial === '' ? [] : [endOf(partial, columns - MARGIN)]),
  ]
}

/** What Ctrl-C does to a task that is looked at. */
const askWhatNow = async (c: Console, client: Client, id: string): Promise<'on' | 'leave'> => {
  const answer = await c.questions.choose(`What about the task ${id}?`, [
    { value: 'on', label: 'Go on looking' },
    { value: 'leave', label: 'Leave it running', hint: `madhava task ${id} --watch looks again` },
    { value: 'cancel', label: 'Cancel it' },
  ] as const)
  if (answer === 'cancel') {
    const { outcome } = await client.cancel(id, { signal: c.signal })
    c.tell(outcome === 'revoked' ? 'It is cancelled.' : 'The worker is told to end it.')
    return 'on'
  }
  return answer
}

/**
 * Follows a task to its end, over a server that is away for a while. @returns its last state
 * @throws ConsoleError when somebody leaves it
 */
export const showTask = async (c: Console, client: Client, id: string): Promise<Task> => {
  const isLive = c.err.canRedraw && !c.isJson
  const isPlain = !speaksUtf8(c.machine.env)
  const lines: LiveLines | null = isLive ? createLiveLines(c.err) : null
  let isAsking = false
  let last: Task | null = null
  let spoken: string | null = null
  /** Ends the looking, and not the command. */
  const leaving = new AbortController()
  const draw = (task: Task): void => {
    if (lines && !isAsking) lines.draw(progressLines(task, c.err.columns, isPlain))
  }
  const onInterrupt = async (): Promise<void> => {
    if (isAsking) return c.interrupts.end(new ConsoleError(EXIT.interrupted, ''))
    isAsking = true
    lines?.clear()
    try {
      if ((await askWhatNow(c, client, id)) === 'leave')
        leaving.abort(new ConsoleError(EXIT.interrupted, `The task goes on: madhava task ${id}`))
    } catch (error) {
      if (error instanceof ConsoleError) leaving.abort(error)
      else c.tell(error instanceof Error ? oneLine(error.message) : String(error))
    }
    isAsking = false
    if (last && !leaving.signal.aborted) draw(last)
  }
  const release = isLive && c.questions.canAsk() ? c.interrupts.take(() => void onInterrupt()) : () => {}
  const signal = AbortSignal.any([c.signal, leaving.signal])
  // one try at a time: this tells of an outage, the client would not
  const once = await c.client({ patienceMs: 0 })
  const changes = lasting<Task, void>({
    open: since => once.watch(id, { signal, ...(since === undefined ? {} : { since }) }),
    sinceOf: ({ claim, rev }) => `${claim}-${rev}`,
    probe: () => once.get(id, { signal }),
    tell: text => (lines && !isAsking ? lines.above(`${oneLine(text)}\n`) : c.tell(oneLine(text))),
    signal,
    patienceMs: c.patienceMs,
  })
  try {
    for await (const task of changes) {
      last = task
      if (c.isJson) await c.printJson(task)
      else if (lines) draw(task)
      else if (task.status !== spoken) {
        spoken = task.status
        c.tell(taskLine(task, { columns: c.err.columns, style: c.err.style, now: c.machine.clock() }))
      }
    }
    // one that has ended while the server was away
    last ??= await client.get(id, { signal })
    return last
  } catch (error) {
    if (leaving.signal.aborted) throw leaving.signal.reason
    throw error
  } finally {
    release()
    lines?.clear()
  }
}
