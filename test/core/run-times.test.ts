// Run times of a kind, from records: those that ended, and what those under way still need.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createRunTimes } from '../../src/core/run-times.ts'
import { isFinal } from '../../src/core/status.ts'
import type { TaskFilter, TaskStore } from '../../src/core/store.ts'

const at = (seconds: number): string => new Date(Date.UTC(2030, 0, 1) + seconds * 1000).toISOString()
const ended = (seconds: number, code: string | null = null) => ({
  startedAt: at(0),
  finishedAt: at(seconds),
  error: code && { code },
})
const running = (etaSeconds: number | null) => ({ progress: { percent: 5, note: null, etaSeconds } })

/** A store with these tasks of every kind. */
const storeOf = (done: object[], under: object[], next: string | null = null): Pick<TaskStore, 'list'> => ({
  list: async ({ statuses = [] }: TaskFilter) =>
    (statuses.some(isFinal) ? { tasks: done, next: null } : { tasks: under, next }) as never,
})
const timesOf = async (store: Pick<TaskStore, 'list'>) =>
  (await createRunTimes(store, () => new Date(at(0))).read(['adding'])).get('adding')

describe('run times', () => {
  it('are the mean of the last runs, without those whose end says nothing of their kind', async () => {
    const done = [ended(2), ended(4), ended(900, 'WORKER_LOST'), ended(900, 'EXPIRED')]
    assert.deepEqual(await timesOf(storeOf(done, [])), { mean: 3, meanSquare: 10, soonest: null })
    assert.equal(await timesOf(storeOf([], [running(5)])), undefined)
  })

  it('say what the first of the runs under way still needs, if each of them says it', async () => {
    const soonest = async (under: object[], next: string | null = null) =>
      (await timesOf(storeOf([ended(1)], under, next)))?.soonest
    assert.equal(await soonest([running(600), running(90)]), 90)
    assert.equal(await soonest([running(0)]), 0)
    assert.equal(await soonest([running(600), running(null)]), null)
    assert.equal(await soonest([running(600), { progress: null }]), null)
    assert.equal(await soonest([running(600)], 'more'), null)
  })
})
