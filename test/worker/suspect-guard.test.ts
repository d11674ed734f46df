// A task that two workers have died with runs alone: nothing beside it, nothing ahead of it, and it does not starve.
import assert from 'node:assert/strict'
import { after, describe, it, type TestContext } from 'node:test'
import { silentLog } from '../../src/platform/log.ts'
import { createSuspectGuard } from '../../src/worker/suspect-guard.ts'
import { TAKE_LATER, type TakenTask } from '../../src/worker/taken-task.ts'
import { until } from '../support/until.ts'
import { openPool, setUp } from './runner-fixture.ts'

const OUTER = { timeout: 300_000 }
const threads = openPool()
after(() => threads.close())
const now = () => new Date().toISOString()

const open = (t: TestContext) => {
  const told = { looks: 0 }
  const world = setUp(t, threads, { onPollNow: () => void told.looks++ })
  let made = 0
  /** In the order of the calls. */
  const submit = (act: string, workersLost?: number) => {
    made += 1
    const createdAt = new Date(Date.UTC(2026, 0, 1) + made).toISOString()
    return world.submit(act, null, { createdAt, ...(workersLost ? { workersLost } : {}) })
  }
  return { ...world, told, submit }
}

describe('a suspect', () => {
  it(
    'waits until nothing else runs in the worker, which takes no other task meanwhile, then runs alone',
    OUTER,
    async t => {
      const { told, submit, openRunner, client, reports, get } = open(t)
      const { runner } = openRunner('w1')
      const long = await submit('checkpoint and wait')
      const first = await runner.take()
      await reports(long)
      const suspect = await submit('checkpoint and wait', 2)
      const young = await submit('return the value')
      for (const ahead of [false, true, false]) assert.equal(await runner.take(ahead), TAKE_LATER)
      assert.deepEqual(runner.held(), [long])
      assert.equal((await get(suspect)).claim, 0)
      assert.match(runner.takesNone() ?? '', new RegExp(`${suspect}.* waits until nothing else runs`))
      assert.deepEqual(runner.runningByKind(), { unruly: 1 })
      told.looks = 0
      await client.revoke(long, now())
      await first?.ended
      await until('the worker is told to look', () => told.looks > 0)
      const alone = await runner.take()
      assert.deepEqual([alone?.exclusive, runner.held()], [true, [suspect]])
      await reports(suspect)
      assert.match(runner.takesNone() ?? '', new RegExp(`${suspect}.* runs alone`))
      for (const ahead of [false, true]) assert.equal(await runner.take(ahead), TAKE_LATER)
      told.looks = 0
      await client.revoke(suspect, now())
      await alone?.ended
      await until('the worker is told to look', () => told.looks > 0)
      assert.equal(runner.takesNone(), null)
      const last = await runner.take()
      assert.deepEqual([last?.exclusive, runner.held()], [false, [young]])
      await last?.ended
      assert.equal((await get(young)).status, 'SUCCESS')
    },
  )

  it(
    'is one of several, and each runs alone, in their order, however many looks there are',
    OUTER,
    async t => {
      const { told, submit, openRunner, get } = open(t)
      const { runner } = openRunner('w1')
      const ids: string[] = []
      for (const lost of [undefined, 2, 3, undefined, 2, undefined])
        ids.push(await submit('return the value', lost))
      let looks = 0
      const take = async (): Promise<void> => {
        looks += 1
        const taken = await runner.take()
        const held = runner.held()
        const suspects = await Promise.all(held.map(async id => ((await get(id)).workersLost ?? 0) > 1))
        if (suspects.includes(true)) assert.equal(held.length, 1, 'something runs beside a suspect')
        await taken?.ended
      }
      await until('all have run', async () => {
        await Promise.all([take(), take(), take(), take()])
        return (await Promise.all(ids.map(get))).every(({ status }) => status === 'SUCCESS')
      })
      assert.ok(told.looks <= looks * 3, `told to look ${told.looks} times for ${looks} looks`)
      const begins = (await Promise.all(ids.map(get))).map(({ startedAt }) => startedAt ?? '')
      assert.deepEqual(begins, begins.toSorted())
    },
  )

  it('that another worker has taken is waited for no longer', OUTER, async t => {
    const { told, submit, openRunner, client, reports } = open(t)
    const [one, other] = [openRunner('w1').runner, openRunner('w2').runner]
    const long = await submit('checkpoint and wait')
    const first = await one.take()
    await reports(long)
    const suspect = await submit('checkpoint and wait', 2)
    const young = await submit('return the value')
    assert.equal(await one.take(), TAKE_LATER)
    told.looks = 0
    const alone = await other.take()
    assert.deepEqual([alone?.exclusive, other.held()], [true, [suspect]])
    await until('the first worker is told to look', () => told.looks > 0)
    await (await one.take())?.ended
    assert.equal((await client.get(young))?.status, 'SUCCESS')
    for (const id of [long, suspect]) await client.revoke(id, now())
    await Promise.all([first?.ended, alone?.ended])
  })
})

/** A guard whose worker is as empty as it is told, over a store in which a suspect comes next. */
const guardOf = (answer: TakenTask | null) => {
  const state = { empty: true, polls: 0, alone: 0 }
  const guard = createSuspectGuard({
    isEmpty: () => state.empty,
    takes: () => 0,
    poll: () => void state.polls++,
    log: silentLog(),
  })
  const take = (others: readonly Promise<unknown>[] = []) =>
    guard.take(
      false,
      async (_ahead, alone, onSuspect) => {
        if (!alone) onSuspect('suspect')
        else state.alone += 1
        return alone ? answer : null
      },
      () => others,
    )
  return { state, guard, take }
}

describe('a worker that has made room for a suspect', () => {
  it('takes other tasks again if the suspect is gone or another worker has taken it', async () => {
    const gone = guardOf(null)
    assert.equal(await gone.take(), null)
    assert.deepEqual([gone.guard.isReserved(), gone.state.alone, gone.state.polls], [false, 1, 1])
    const end = Promise.resolve()
    const another = guardOf({ slotFree: end.then(() => null), ended: end, exclusive: false })
    assert.equal((await another.take())?.exclusive, false)
    assert.deepEqual([another.guard.isReserved(), another.state.polls], [false, 1])
  })

  it(
    'waits for the takes that are under way, and takes the suspect only if none of them found a task',
    OUTER,
    async () => {
      for (const foundOne of [true, false]) {
        const { state, guard, take } = guardOf(null)
        let settle = (): void => {}
        const other = new Promise<void>(resolve => {
          settle = resolve
        })
        const taking = take([other])
        await until('it lets no other take begin', () => guard.isReserved())
        await new Promise(resolve => setImmediate(resolve))
        assert.equal(state.alone, 0, 'taken while another take was under way')
        state.empty = !foundOne
        settle()
        assert.equal(await taking, foundOne ? TAKE_LATER : null)
        assert.deepEqual([state.alone, guard.isReserved()], [foundOne ? 0 : 1, false])
      }
    },
  )
})
