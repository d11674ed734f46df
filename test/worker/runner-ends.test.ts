// The runner when something from outside ends a run: a cancel, a limit, the worker's stop, a store that fails.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { BLOBS } from '../../src/core/content.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import type { TaskStore } from '../../src/core/store.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { until } from '../support/until.ts'
import { openPool, setUp } from './runner-fixture.ts'

const OUTER = { timeout: 300_000 }
const threads = openPool()
after(() => threads.close())
const now = () => new Date().toISOString()

describe('a task that is ended from outside', () => {
  it('is REVOKED soon after the cancel request, whether it listens or not', OUTER, async t => {
    const world = setUp(t, threads)
    const { runner } = world.openRunner('w1')
    for (const act of ['loop for ever', 'wait, deaf to the signal', 'checkpoint and wait']) {
      const id = await world.submit(act)
      const taken = await runner.take()
      await world.reports(id)
      assert.equal((await world.client.revoke(id, now())).outcome, 'requested')
      await taken?.ended
      assert.equal((await world.get(id)).status, 'REVOKED', act)
    }
    assert.equal(runner.counters().revoked, 3)
    assert.deepEqual(runner.running(), [])
  })

  it(
    'is REVOKED when the cancel request came between the claim and the moment the worker knew of it',
    OUTER,
    async t => {
      let asked = false
      const world = setUp(t, threads, {
        wrap: store => ({
          ...store,
          async claimNext(want, move) {
            const task = await store.claimNext(want, move)
            if (task) {
              await world.client.revoke(task.id, now())
              asked = true
              // long enough for the feed to bring it
              await new Promise(resolve => setTimeout(resolve, 50))
            }
            return task
          },
        }),
      })
      const { runner } = world.openRunner('w1')
      // the second one reports nothing that would bring its record by
      for (const act of ['wait, deaf to the signal', 'wait for the signal']) {
        asked = false
        const id = await world.submit(act)
        await (await runner.take())?.ended
        assert.equal(asked, true)
        assert.equal((await world.get(id)).status, 'REVOKED', act)
      }
    },
  )

  it('hears of a cancel request although the feed broke in between', OUTER, async t => {
    let broken = 0
    const world = setUp(t, threads, {
      wrap: store => ({
        ...store,
        async *changes(since, signal) {
          if (broken++ < 2) throw new MadhavaError('CURSOR_TOO_OLD')
          yield* store.changes(since, signal)
        },
      }),
    })
    const { runner } = world.openRunner('w1')
    const id = await world.submit('wait, deaf to the signal')
    const taken = await runner.take()
    await world.client.revoke(id, now())
    await taken?.ended
    assert.equal((await world.get(id)).status, 'REVOKED')
    assert.ok(broken >= 2, 'the feed never broke')
  })

  it('is SUCCESS all the same when the success was under way', OUTER, async t => {
    let asked = false
    const world = setUp(t, threads, {
      wrap: store => ({
        ...store,
        async putBlob(id, name, bytes) {
          if (name === BLOBS.textResult) {
            await world.client.revoke(id, now())
            asked = true
            await new Promise(resolve => setTimeout(resolve, 50))
          }
          return store.putBlob(id, name, bytes)
        },
      }),
    })
    const { runner } = world.openRunner('w1')
    const id = await world.submit('return text', 50_000)
    await (await runner.take())?.ended
    assert.equal(asked, true)
    assert.equal((await world.get(id)).status, 'SUCCESS')
  })

  it('fails with TIME_LIMIT at its soft and at its hard limit, tight loops included', OUTER, async t => {
    const world = setUp(t, threads)
    const { runner } = world.openRunner('w1')
    for (const limits of [
      { softSeconds: 0.2, hardSeconds: null },
      { softSeconds: null, hardSeconds: 0.2 },
    ])
      for (const act of ['loop for ever', 'wait for the signal']) {
        const id = await world.submit(act, null, { limits })
        await (await runner.take())?.ended
        const task = await world.get(id)
        assert.equal(task.status, 'FAILURE')
        assert.equal(task.error?.code, 'TIME_LIMIT', `${act} ${JSON.stringify(limits)}`)
      }
  })

  it(
    'is REVOKED, and no FAILURE, when the cancel request came before the failure was written',
    OUTER,
    async t => {
      let asked: string | null = null
      const world = setUp(t, threads, {
        wrap: store => ({
          ...store,
          async move(id, claim, change) {
            if (asked === null) {
              asked = id
              await world.client.revoke(id, now())
              throw new MadhavaError('STORE_UNAVAILABLE')
            }
            return store.move(id, claim, change)
          },
        }),
      })
      const { runner } = world.openRunner('w1')
      const id = await world.submit('throw an error')
      await (await runner.take())?.ended
      assert.equal(asked, id)
      const task = await world.get(id)
      assert.deepEqual([task.status, task.error], ['REVOKED', null])
      assert.match(await world.log(id), /KIND_FAILED: it went wrong/)
    },
  )

  for (const [form, act, value] of [
    ['in the record', 'return the value', 1],
    ['beside it', 'return text', 50_000],
  ] as const)
    it(
      `is REVOKED when its result ${form} cannot be written while the store is full, without waiting for room`,
      OUTER,
      async t => {
        let tries = 0
        const full = (isResult: boolean): void => {
          if (!isResult) return
          tries += 1
          throw new MadhavaError('STORE_FULL')
        }
        const world = setUp(t, threads, {
          wrap: store => ({
            ...store,
            async putBlob(id, name, bytes) {
              full(name === BLOBS.textResult)
              return store.putBlob(id, name, bytes)
            },
            move: (id, claim, change) =>
              store.move(id, claim, task => {
                const next = change(task)
                full(next.status === 'SUCCESS')
                return next
              }),
          }),
          // waits of seconds, after the first tries
          random: () => 1,
        })
        const { runner } = world.openRunner('w1')
        const id = await world.submit(act, value)
        const taken = await runner.take()
        await until('the result was refused some times', () => tries >= 3)
        assert.equal((await world.client.revoke(id, now())).outcome, 'requested')
        await taken?.ended
        assert.equal((await world.get(id)).status, 'REVOKED')
        assert.equal(runner.counters().revoked, 1)
      },
    )

  it('may run for longer than a timer can wait', OUTER, async t => {
    const world = setUp(t, threads)
    const { runner } = world.openRunner('w1')
    const limits = { softSeconds: 31_536_000, hardSeconds: 31_536_000 }
    const id = await world.submit('return the value', 1, { limits })
    await (await runner.take())?.ended
    assert.equal((await world.get(id)).status, 'SUCCESS')
  })
})

describe('a runner that stops', () => {
  it('waits for what runs, gives back the rest uncounted, and takes no more', OUTER, async t => {
    const world = setUp(t, threads)
    const { runner } = world.openRunner('w1')
    const listening = await world.submit('checkpoint and wait')
    const deaf = await world.submit('wait, deaf to the signal')
    const taken = [await runner.take(), await runner.take()]
    await Promise.all([world.reports(listening), world.reports(deaf)])
    await runner.drain(50)
    await Promise.all(taken.map(one => one?.ended))
    for (const id of [listening, deaf]) {
      const task = await world.get(id)
      assert.equal(task.status, 'PENDING')
      assert.equal(task.attempt, 0)
      assert.equal(task.worker, null)
    }
    assert.equal(await runner.take(), null)
    assert.equal(runner.counters().givenBack, 2)
    await Promise.all([runner.close(), runner.close()])
    // and another takes up what was given back
    const other = world.openRunner('w2').runner
    const next = await other.take()
    assert.ok(next, 'nothing was there to take')
    await other.drain(0)
    await next.ended
  })

  it('lets a task that ends in time end', OUTER, async t => {
    const world = setUp(t, threads)
    const { runner } = world.openRunner('w1')
    const id = await world.submit('return the value', 7)
    await runner.take()
    await runner.drain(60_000)
    assert.equal((await world.get(id)).status, 'SUCCESS')
  })

  it('gives back a task whose claim came while it stopped', OUTER, async t => {
    let claimed: () => void = () => {}
    const claiming = new Promise<void>(resolve => {
      claimed = resolve
    })
    let go: () => void = () => {}
    const gate = new Promise<void>(resolve => {
      go = resolve
    })
    const world = setUp(t, threads, {
      wrap: store => ({
        ...store,
        async claimNext(want, move) {
          const task = await store.claimNext(want, move)
          claimed()
          await gate
          return task
        },
      }),
    })
    const { runner } = world.openRunner('w1')
    const id = await world.submit('wait, deaf to the signal')
    const taking = runner.take()
    await claiming
    const draining = runner.drain(0)
    go()
    await (await taking)?.ended
    await draining
    assert.equal((await world.get(id)).status, 'PENDING')
  })
})

describe('a store that fails', () => {
  it('delays the last move of a task and loses nothing', OUTER, async t => {
    let away = 0
    const failing =
      <A extends unknown[], R>(call: (...all: A) => Promise<R>) =>
      async (...all: A): Promise<R> => {
        if (away > 0) {
          away--
          throw new MadhavaError('STORE_UNAVAILABLE')
        }
        return call(...all)
      }
    const world = setUp(t, threads, {
      wrap: (store): TaskStore => ({
        ...store,
        move: failing(store.move),
        putBlob: failing(store.putBlob),
        removeBlob: failing(store.removeBlob),
        getBlob: failing(store.getBlob),
      }),
    })
    const { runner } = world.openRunner('w1')
    for (const [act, value] of [
      ['return the value', 1],
      ['return text', 50_000],
      ['throw an error', null],
    ] as const) {
      const id = await world.submit(act, value)
      const taken = await runner.take()
      away = 3
      await taken?.ended
      assert.equal(away, 0, 'the store was never away')
      const task = await world.get(id)
      assert.equal(task.status, act === 'throw an error' ? 'FAILURE' : 'SUCCESS', act)
    }
  })

  it(
    'is written to by none but the last attempt of a task that this process lost and took again',
    OUTER,
    async t => {
      let first: TaskRecord | null = null
      let away = true
      let refused = 0
      const written: string[] = []
      const world = setUp(t, threads, {
        wrap: (store): TaskStore => ({
          ...store,
          async claimNext(...asked) {
            // taken over and taken again, while this process heard nothing
            if (first) return { ...first, claim: first.claim + 2, attempt: 2 }
            first = await store.claimNext(...asked)
            return first
          },
          async putBlob(id, name, bytes) {
            if (away) {
              refused += 1
              throw new MadhavaError('STORE_UNAVAILABLE')
            }
            written.push(name)
            return store.putBlob(id, name, bytes)
          },
        }),
      })
      const { runner } = world.openRunner('w1')
      await world.submit('return text', 50_000)
      const early = await runner.take()
      // its run is over, and its result cannot be kept for the moment
      await until('the run is over', () => refused > 0)
      const late = await runner.take()
      away = false
      await Promise.all([early?.ended, late?.ended])
      assert.deepEqual(written, [BLOBS.textResult])

      first = null
      await world.submit('wait, deaf to the signal')
      const running = await runner.take()
      const again = await runner.take()
      await running?.ended
      await runner.drain(0)
      await again?.ended
    },
  )

  it('for a reason that would come again makes a result a failure that says why, at once', OUTER, async t => {
    const errors = {
      'a record that no reader takes': () => new MadhavaError('RECORD_INVALID', 'result nests too deep'),
      'a stack that ends': () => new RangeError('Maximum call stack size exceeded'),
      'what cannot be written': () => new TypeError('Do not know how to serialize a BigInt'),
    }
    for (const [name, make] of Object.entries(errors)) {
      let tries = 0
      const world = setUp(t, threads, {
        wrap: store => ({
          ...store,
          move: (id, claim, change) =>
            store.move(id, claim, task => {
              const next = change(task)
              if (next.status !== 'SUCCESS') return next
              tries += 1
              throw make()
            }),
        }),
      })
      const { runner } = world.openRunner('w1')
      const id = await world.submit('return the value', 1)
      await (await runner.take())?.ended
      const { status, error } = await world.get(id)
      assert.deepEqual([status, error?.code, tries], ['FAILURE', 'RESULT_INVALID', 1], name)
      assert.match(error?.message ?? '', /^The result cannot be kept: (result nests|RangeError|TypeError)/)
      assert.equal(runner.counters().failed, 1)
      await runner.close()
    }
  })

  it('whose checkpoint cannot be read begins anew, and hears a cancel while it is tried', OUTER, async t => {
    let refuse = (): Error => new RangeError('Invalid array length')
    let tries = 0
    const world = setUp(t, threads, {
      wrap: store => ({
        ...store,
        getBlob(id, name, range) {
          if (name !== BLOBS.checkpoint) return store.getBlob(id, name, range)
          tries += 1
          return Promise.reject(refuse())
        },
      }),
      random: () => 1,
    })
    const { runner, store } = world.openRunner('w1')
    const again = async (act: string): Promise<string> => {
      const id = await world.submit(act, 1)
      await store.claim(id, task => ({ ...task, attempt: 1 }))
      return id
    }
    const id = await again('return the value')
    await (await runner.take())?.ended
    assert.deepEqual([(await world.get(id)).status, tries], ['SUCCESS', 1])
    assert.match(await world.log(id), /the checkpoint could not be read \(RangeError\)/)

    refuse = () => new MadhavaError('STORE_UNAVAILABLE')
    const other = await again('return the value')
    const taken = await runner.take()
    await until('the checkpoint was tried', () => tries >= 4)
    await world.client.revoke(other, now())
    await taken?.ended
    assert.equal((await world.get(other)).status, 'REVOKED')
  })

  it('gives no task rather than an error when it cannot be asked', OUTER, async t => {
    const world = setUp(t, threads, {
      wrap: store => ({
        ...store,
        claimNext: () => Promise.reject(new MadhavaError('STORE_UNAVAILABLE')),
      }),
    })
    const { runner } = world.openRunner('w1')
    await world.submit('return the value')
    assert.equal(await runner.take(), null)
  })

  it('ends a run whose claim was lost, and leaves the record to the new holder', OUTER, async t => {
    const world = setUp(t, threads)
    const { runner, store } = world.openRunner('w1')
    const id = await world.submit('wait, deaf to the signal')
    const taken = await runner.take()
    await world.reports(id)
    // as after a pause so long that others thought this process dead
    await store.leave()
    const other = await world.client.claim(id, task => ({ ...task, worker: 'w2' }))
    assert.equal(other?.claim, 2)
    await taken?.ended
    const task = await world.get(id)
    assert.equal(task.worker, 'w2')
    assert.equal(task.claim, 2)
    assert.equal(runner.counters().lost, 1)
    assert.deepEqual(runner.running(), [])
  })
})
