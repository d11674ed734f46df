// A process that makes the calls it is told to, one line each, without waiting for the one before.
import { createInterface } from 'node:readline'
import { isMadhavaError } from '../../src/core/errors.ts'
import {
  fail,
  giveBack,
  type Move,
  report,
  retryByHand,
  start,
  succeed,
  takeOver,
} from '../../src/core/moves.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { isRunning, type TaskRecord } from '../../src/core/task.ts'
import { at } from '../suites/store/world.ts'
import { newTaskOf } from './new-task.ts'
import type { RoleContext } from './store-roles.ts'

export const MOVES = ['report', 'succeed', 'fail', 'retry', 'giveBack'] as const
export type MoveName = (typeof MOVES)[number]

export type Order =
  | { call: 'create' | 'get' | 'claim' | 'again' | 'revoke' | 'remove'; id: string }
  | { call: MoveName; id: string; claim: number }

/** What is compared of a record. */
export interface Seen {
  status: string
  claim: number
  cancelRequested: boolean
}

/** `code`: the call was refused with it. */
export type Answer = { seen: Seen | null } | { outcome: string } | { done: true } | { code: string }

const now = at(5)
const error = { code: 'KIND_FAILED', message: 'no', detail: null }
const UNDER_CLAIM: Record<MoveName, Move> = {
  report: report({ percent: 5, note: null, etaSeconds: null }, 'x'.repeat(3000), now),
  succeed: succeed(1, null, now),
  fail: fail(error, null, now),
  retry: fail(error, at(4), now),
  giveBack: giveBack(now),
}
const seen = (task: TaskRecord | null): Answer => ({
  seen: task && { status: task.status, claim: task.claim, cancelRequested: task.revokeRequestedAt !== null },
})

const carryOut = async (store: TaskStore, order: Order): Promise<Answer> => {
  const { call, id } = order
  if ('claim' in order) return seen(await store.move(id, order.claim, UNDER_CLAIM[order.call]))
  if (call === 'create') {
    await store.create(newTaskOf({ id, kind: 'told', maxAttempts: 1000, createdAt: at(0) }), null)
    return { done: true }
  }
  if (call === 'get') return seen(await store.get(id))
  if (call === 'claim') {
    const take = start(store.instance, now)
    return seen(await store.claim(id, task => (isRunning(task.status) ? takeOver(now)(task) : take(task))))
  }
  if (call === 'again') return seen(await store.claim(id, retryByHand(now)))
  if (call === 'revoke') return { outcome: (await store.revoke(id, now)).outcome }
  await store.remove(id)
  return { done: true }
}

export const obeyRole = async ({ store, tell, signal }: RoleContext): Promise<void> => {
  const lines = createInterface({ input: process.stdin, signal })
  tell({ ready: true })
  for await (const line of lines) {
    const { number, order } = JSON.parse(line) as { number: number; order: Order }
    carryOut(store, order)
      .catch((error: unknown): Answer => {
        if (isMadhavaError(error)) return { code: error.code }
        throw error
      })
      .then(answer => tell({ number, answer }))
  }
}
