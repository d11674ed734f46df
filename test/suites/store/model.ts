// Random histories over two stores, each step compared with a model that knows only the words of the port.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fail, giveBack, type Move, report, retryByHand, start, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { isFinal, isRunning, isWaiting, STATUSES, type Status } from '../../../src/core/task.ts'
import { until } from '../../support/until.ts'
import { SAMPLE } from './sample.ts'
import { add, at, type Check, read, refused } from './world.ts'

interface Modelled {
  id: string
  kind: string
  priority: number
  age: number
  status: Status
  claim: number
  holder: TaskStore | null
  cancelRequested: boolean
}

const STEPS = [
  'create',
  'claim',
  'next',
  'report',
  'succeed',
  'fail',
  'retry',
  'giveBack',
  'revoke',
  'again',
  'remove',
] as const
const steps = fc.array(fc.record({ step: fc.constantFrom(...STEPS), store: fc.nat(1), pick: fc.nat(1000) }), {
  minLength: 5,
  maxLength: 60,
})

const error = { code: 'KIND_FAILED', message: 'no', detail: null }
const KINDS = ['one', 'two']

/** What each move under a claim leads to. */
const MOVES: Record<string, { move: Move; to: (cancelRequested: boolean) => Status }> = {
  report: { move: report({ percent: 5, note: null, etaSeconds: null }, 5, at(5)), to: () => 'PROGRESS' },
  succeed: { move: succeed(1, null, at(5)), to: () => 'SUCCESS' },
  fail: { move: fail(error, null, at(5)), to: cancelRequested => (cancelRequested ? 'REVOKED' : 'FAILURE') },
  retry: { move: fail(error, at(4), at(5)), to: cancelRequested => (cancelRequested ? 'REVOKED' : 'RETRY') },
  giveBack: { move: giveBack(at(5)), to: cancelRequested => (cancelRequested ? 'REVOKED' : 'PENDING') },
}

const play = async (
  stores: readonly TaskStore[],
  script: readonly { step: string; store: number; pick: number }[],
) => {
  const tasks: Modelled[] = []
  let made = 0
  const changed = (task: Modelled, status: Status, holder: TaskStore | null, acquired: boolean): void => {
    task.status = status
    task.holder = holder
    task.claim += acquired ? 1 : 0
    if (status === 'PENDING') task.cancelRequested = false
  }
  const compare = async (task: Modelled): Promise<void> => {
    for (const store of stores) {
      const record = await read(store, task.id)
      assert.deepEqual([record.status, record.claim], [task.status, task.claim])
      assert.equal(record.revokeRequestedAt !== null, task.cancelRequested || task.status === 'REVOKED')
    }
  }

  for (const { step, store: number, pick } of script) {
    const store = stores[number]
    assert.ok(store)
    if (step === 'create') {
      made += 1
      const [kind, priority] = [KINDS[pick % 2] ?? '', pick % 3]
      const { id } = await add(store, { kind, priority, createdAt: at(made - 10_000) })
      tasks.push({
        id,
        kind,
        priority,
        age: made,
        status: 'PENDING',
        claim: 0,
        holder: null,
        cancelRequested: false,
      })
      continue
    }
    if (step === 'next') {
      const kinds = pick % 3 === 0 ? KINDS.slice(1) : KINDS
      const [best] = tasks
        .filter(task => isWaiting(task.status) && kinds.includes(task.kind))
        .sort((a, b) => b.priority - a.priority || a.age - b.age)
      const got = await store.claimNext({ kinds, now: at(5) }, start(store.instance, at(5)))
      assert.equal(got?.id, best?.id)
      if (best) {
        changed(best, 'STARTED', store, true)
        assert.equal((await read(store, best.id)).status, 'STARTED')
        // to others it may show a moment later
        for (const other of stores)
          await until(
            'the task is seen to run',
            async () => (await read(other, best.id)).status === 'STARTED',
          )
        await compare(best)
      }
      continue
    }
    const task = tasks[pick % Math.max(1, tasks.length)]
    if (!task) continue
    const under = MOVES[step]
    if (under) {
      if (task.holder === store) {
        await store.move(task.id, task.claim, under.move)
        const status = under.to(task.cancelRequested)
        changed(task, status, isRunning(status) ? store : null, false)
      } else await refused(() => store.move(task.id, task.claim, under.move), 'CLAIM_LOST')
    } else if (step === 'claim' || step === 'again') {
      const move = step === 'claim' ? start(store.instance, at(5)) : retryByHand(at(5))
      const legal = step === 'claim' ? isWaiting(task.status) : isFinal(task.status)
      if (task.holder) assert.equal(await store.claim(task.id, move), null)
      else if (!legal) await refused(() => store.claim(task.id, move), 'ILLEGAL_MOVE', 'TASK_NOT_ENDED')
      else {
        assert.ok(await store.claim(task.id, move))
        if (step === 'claim') changed(task, 'STARTED', store, true)
        else changed(task, 'PENDING', null, true)
      }
    } else if (step === 'revoke') {
      const { outcome } = await store.revoke(task.id, at(5))
      if (isFinal(task.status)) assert.equal(outcome, 'ended')
      else if (task.holder) {
        assert.equal(outcome, 'requested')
        task.cancelRequested = true
      } else {
        assert.equal(outcome, 'revoked')
        changed(task, 'REVOKED', null, true)
      }
    } else if (isFinal(task.status)) {
      await store.remove(task.id)
      tasks.splice(tasks.indexOf(task), 1)
      for (const other of stores) assert.equal(await other.get(task.id), null)
      continue
    } else await refused(() => store.remove(task.id), 'TASK_NOT_ENDED')
    await compare(task)
  }

  for (const store of stores) {
    const counts = await store.counts()
    assert.equal(counts.total, tasks.length)
    for (const status of STATUSES)
      assert.equal(counts.byStatus[status], tasks.filter(task => task.status === status).length)
    const page = await store.list({}, { limit: 100, cursor: null })
    assert.deepEqual(
      page.tasks.map(task => task.id),
      tasks.toSorted((a, b) => b.age - a.age).map(task => task.id),
    )
    const agenda = await store.agenda(at(5), 1000)
    assert.equal(agenda.due, tasks.filter(task => isWaiting(task.status)).length)
    assert.deepEqual(agenda.orphaned, [])
  }
  for (const { id } of tasks) {
    // ready for the next history in this world
    await stores[0]?.revoke(id, at(9))
    await stores[1]?.revoke(id, at(9))
  }
}

export const model = (check: Check): void => {
  for (let part = 1; part <= 4; part += 1)
    check(`statuses, claims and counts are as the model says (part ${part})`, async world => {
      let stores: TaskStore[] = []
      // the time limit abandons a history that is under way: the world must not end beneath it
      let history: Promise<void> = Promise.resolve()
      const run = async (script: Parameters<typeof play>[1]): Promise<void> => {
        for (const store of stores) await store.close()
        const [left] = [await world.open()]
        for (const { id, status } of (await left.list({}, { limit: 1000, cursor: null })).tasks) {
          if (!isFinal(status)) await left.revoke(id, at(9))
          await left.remove(id)
        }
        stores = [left, await world.open()]
        await play(stores, script)
      }
      await fc.assert(
        fc.asyncProperty(steps, script => {
          history = run(script)
          return history
        }),
        { numRuns: SAMPLE.histories, interruptAfterTimeLimit: 60_000 },
      )
      await history
    })
}
