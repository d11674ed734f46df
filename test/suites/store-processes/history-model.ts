// The port as a plain model: what one call on one task may lead to, and the answer that goes with it.
import { isFinal, isRunning, type Status } from '../../../src/core/task.ts'
import type { Call, Rule } from '../../support/linearize.ts'
import { type Answer, MOVES, type MoveName, type Order } from '../../support/store-obey.ts'

/** One task as the model knows it. `holder`: the number of the process. */
export interface Modelled {
  status: Status | 'absent' | 'removed'
  claim: number
  cancelRequested: boolean
  holder: number | null
  dead: number[]
}
/** `busy`: another call that needs the task for itself for a moment was under way. */
export type Asked = { process: number; busy: boolean; order: Order | { call: 'die' } }
export type TaskCall = Call<Asked, Answer>

export const FIRST: Modelled = { status: 'absent', claim: 0, cancelRequested: false, holder: null, dead: [] }

const MOVED: Record<MoveName, (cancelRequested: boolean) => Status> = {
  report: () => 'PROGRESS',
  succeed: () => 'SUCCESS',
  fail: cancelRequested => (cancelRequested ? 'REVOKED' : 'FAILURE'),
  retry: cancelRequested => (cancelRequested ? 'REVOKED' : 'RETRY'),
  giveBack: cancelRequested => (cancelRequested ? 'REVOKED' : 'PENDING'),
}
export const isMove = (call: string): call is MoveName => (MOVES as readonly string[]).includes(call)

/** The state after a status is entered. Whether a cancel request came before or after an end of another kind tells nobody anything. */
const entered = (state: Modelled, status: Status, process: number, acquired: boolean): Modelled => ({
  ...state,
  status,
  claim: state.claim + (acquired ? 1 : 0),
  holder: isRunning(status) && !state.dead.includes(process) ? process : null,
  cancelRequested: status === 'REVOKED' || (isRunning(status) && state.cancelRequested),
})

/** What one call may lead to, with the answer that goes with it. */
const outcomes = (state: Modelled, { process, busy, order }: Asked): [Modelled, Answer][] => {
  const shown = (next: Modelled): [Modelled, Answer] => {
    const there = next.status !== 'absent' && next.status !== 'removed'
    return [
      next,
      {
        seen: there
          ? { status: next.status, claim: next.claim, cancelRequested: next.cancelRequested }
          : null,
      },
    ]
  }
  const refused = (code: string): [Modelled, Answer] => [state, { code }]
  const { status } = state
  if (order.call === 'die')
    return [
      [
        {
          ...state,
          holder: state.holder === process ? null : state.holder,
          dead: [...state.dead, process].sort((a, b) => a - b),
        },
        { done: true },
      ],
    ]
  if (order.call === 'create')
    return status === 'absent'
      ? [[{ ...state, status: 'PENDING' }, { done: true }]]
      : [refused('TASK_EXISTS')]
  if (order.call === 'get') return [shown(state)]
  if (status === 'absent' || status === 'removed')
    return isMove(order.call)
      ? [refused('CLAIM_LOST'), refused('TASK_NOT_FOUND')]
      : [refused('TASK_NOT_FOUND')]
  const held: [Modelled, Answer] = [state, { seen: null }]
  const free: [Modelled, Answer][] = busy ? [held] : []
  const holder = state.holder !== null
  if ('claim' in order) {
    if (state.holder !== process || order.claim !== state.claim) return [refused('CLAIM_LOST')]
    return [shown(entered(state, MOVED[order.call](state.cancelRequested), process, false))]
  }
  switch (order.call) {
    case 'claim':
      if (holder) return [held]
      if (isFinal(status)) return [...free, refused('ILLEGAL_MOVE')]
      if (state.cancelRequested) return [...free, shown(entered(state, 'REVOKED', process, true))]
      return [...free, shown(entered(state, isRunning(status) ? 'PENDING' : 'STARTED', process, true))]
    case 'again':
      if (holder) return [held]
      if (!isFinal(status)) return [...free, refused('TASK_NOT_ENDED')]
      return [...free, shown(entered(state, 'PENDING', process, true))]
    case 'revoke': {
      if (isFinal(status)) {
        // it ended while the request was being written
        const meanwhile = status === 'REVOKED' ? 'revoked' : 'requested'
        return ['ended', ...(busy ? [meanwhile] : [])].map(outcome => [state, { outcome }])
      }
      const requested: [Modelled, Answer] = [{ ...state, cancelRequested: true }, { outcome: 'requested' }]
      if (holder) return [requested]
      const revoked: [Modelled, Answer] = [entered(state, 'REVOKED', process, true), { outcome: 'revoked' }]
      return busy ? [revoked, requested] : [revoked]
    }
    default:
      if (!isFinal(status)) return [refused('TASK_NOT_ENDED')]
      return [[{ ...state, status: 'removed', cancelRequested: false }, { done: true }]]
  }
}

/** A cancel request that is written while the task ends shows in the record or not: nobody waits for it any more. */
const plain = (answer: Answer): Answer =>
  'seen' in answer && answer.seen && ['SUCCESS', 'FAILURE'].includes(answer.seen.status)
    ? { seen: { ...answer.seen, cancelRequested: false } }
    : answer

/** The calls that take the task for themselves for a moment. */
const TAKING: readonly string[] = ['claim', 'again', 'revoke', 'remove']
const ALONE: readonly string[] = [...TAKING, ...MOVES]

/** A cancel request that meets a task just let go is honoured by who let go, before or after its answer. */
const honoured = (state: Modelled): Modelled[] =>
  state.cancelRequested && (state.status === 'PENDING' || state.status === 'RETRY')
    ? [{ ...state, status: 'REVOKED', claim: state.claim + 1 }]
    : []

export const rule: Rule<Modelled, Asked, Answer> = (state, call) => {
  const may = [state, ...honoured(state)].flatMap(each => outcomes(each, call.asked))
  if (!call.answer) {
    // the process died: all of it happened, or no more than that a claim's number is used up
    const spent = TAKING.includes(call.asked.order.call) && state.holder === null
    return [...may.map(([next]) => next), ...(spent ? [{ ...state, claim: state.claim + 1 }] : [])]
  }
  const wanted = JSON.stringify(plain(call.answer))
  return may.flatMap(([next, answer]) => (JSON.stringify(plain(answer)) === wanted ? [next] : []))
}

/** Marks the calls that ran beside another one that takes the task for itself; a dead process's end with its death. */
export const markBusy = (calls: readonly TaskCall[]): void => {
  const deaths = new Map(
    calls.filter(({ asked }) => asked.order.call === 'die').map(call => [call.asked.process, call.to]),
  )
  const end = (call: TaskCall) => Math.min(call.to, deaths.get(call.asked.process) ?? Infinity)
  for (const call of calls)
    call.asked.busy = calls.some(
      other =>
        other !== call &&
        ALONE.includes(other.asked.order.call) &&
        other.from < end(call) &&
        call.from < end(other),
    )
}
