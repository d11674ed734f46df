// Orders to processes: the question before, with what runs there, and what became of it, in words.
import { askReader } from '../../frame/question.tsx'
import { tell } from '../../frame/toasts.tsx'
import type { Action, ProcessRow } from '../../state/answers.ts'
import { ProblemError, post } from '../../state/api.ts'
import { createCell } from '../../state/cell.ts'
import type { Texts } from '../../texts/texts.ts'
import { causeText } from './condition.tsx'
import { showProcessesNow } from './use-processes.ts'

export interface Order {
  action: Action
  /** Null: all of them. */
  name: string | null
  /** All processes as the page shows them. */
  rows: readonly ProcessRow[]
  /** A key is hit by chance more easily than a button: a start is asked about too. */
  isByKey?: boolean
}

interface OrderAnswer {
  outcome: 'done' | 'underway' | 'unchanged' | 'deferred' | 'failed'
  processes: { name: string; crashLoop?: boolean; interrupted: string[] }[]
}

/** The orders under way, by the name of the process; '' is all. */
export const pendingOrders = createCell<ReadonlyMap<string, Action>>(new Map())

/** How long the server waits for the processes to be ready. */
const WAIT_SECONDS = 20

const meant = ({ action, name, rows }: Order): ProcessRow[] =>
  rows.filter(row => (name === null ? action !== 'stop' || !row.isDashboard : row.name === name))

/** What an order means for those whose work runs there. Pure. */
export const questionText = (words: Texts['processes']['askText'], order: Order): string => {
  const { action, name } = order
  if (action === 'start') return ''
  const among = meant(order)
  const running = among.reduce((sum, row) => sum + (row.running?.length ?? 0), 0)
  const takesTasks = among.some(row => row.name === 'worker' || (row.running ?? []).length > 0)
  const isKnown = among.every(row => row.ready !== null || row.pid === null)
  const parts: string[] = []
  if (takesTasks) parts.push(running > 0 ? words.runs(running) : isKnown ? words.idle : words.unknown)
  if (name === 'api' || name === 'rpc' || (name === 'worker' && action === 'stop')) parts.push(words[name])
  if (name === null && action === 'stop') parts.push(words.others)
  if (among.some(row => row.isDashboard)) parts.push(words.dashboard)
  return parts.join(' ')
}

const tellAnswer = (
  words: Texts['processes'],
  { action, name }: Order,
  { outcome, processes }: OrderAnswer,
): void => {
  const label = name ?? words.everything
  const shaky = action === 'stop' ? [] : processes.filter(({ crashLoop }) => crashLoop)
  const interrupted = processes.reduce((sum, one) => sum + one.interrupted.length, 0)
  const given = interrupted > 0 ? ` ${words.givenBack(interrupted)}` : ''
  if (outcome === 'deferred') tell(words.deferred)
  else if (outcome === 'unchanged') tell(words.unchanged(label))
  else if (outcome === 'underway') tell(words.underway[action](label))
  // it answered in time, and yet nobody would call it well
  else if (shaky.length > 0) tell(words.shaky(shaky.map(row => row.name).join(', ')), 'bad')
  else tell(words.done[action](label) + given, 'good')
}

/** Why it failed, from the processes as they are now; the server's words where they do not say it. */
const failureText = (
  t: Texts,
  order: Order,
  error: unknown,
  orderedAt: number,
  rows: readonly ProcessRow[],
): string => {
  if (!(error instanceof ProblemError)) return String(error)
  const known = t.problems[error.code]
  if (error.code !== 'PROCESS_FAILED')
    return known === undefined || error.code === 'SUPERVISOR_REFUSED'
      ? [known, error.message].filter(Boolean).join(' ')
      : known
  const words = t.processes
  const causes = meant({ ...order, rows }).flatMap(({ name, restartCause: cause = null }) =>
    cause && cause.how !== 'asked' && Date.parse(cause.at) >= orderedAt
      ? [`${words.failed[order.action](name)} ${causeText(words.cause, cause)}`]
      : [],
  )
  return causes.length > 0 ? causes.join(' ') : `${known} ${error.message}`
}

/** Asks, orders, and says what became of it. */
export const giveOrder = async (t: Texts, order: Order): Promise<void> => {
  const { action, name } = order
  const words = t.processes
  if (action !== 'start' || order.isByKey) {
    const text = questionText(words.askText, order)
    const isGiven = await askReader({
      title: name === null ? words.ask[`${action}All`] : words.ask[action](name),
      ...(text === '' ? {} : { text }),
      confirm: name === null ? words.all[action] : words.actions[action],
      isDanger: action === 'stop',
    })
    if (!isGiven) return
  }
  const key = name ?? ''
  // the server's clock may differ a little
  const orderedAt = Date.now() - 5_000
  pendingOrders.set(new Map([...pendingOrders.get(), [key, action]]))
  try {
    const where = name === null ? 'all' : encodeURIComponent(name)
    const body = { waitSeconds: WAIT_SECONDS }
    tellAnswer(words, order, await post<OrderAnswer>(`/processes/${where}/${action}`, { body }))
    // otherwise its badge would say for a moment what it was before
    await showProcessesNow()
  } catch (error) {
    tell(failureText(t, order, error, orderedAt, await showProcessesNow()), 'bad')
  } finally {
    const left = new Map(pendingOrders.get())
    left.delete(key)
    pendingOrders.set(left)
  }
}
