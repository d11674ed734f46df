// What each kind does, as the page of kinds shows it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fail, revoke, start, succeed } from '../../../src/core/moves.ts'
import { createFailureBook } from '../../../src/dashboard/overview/failure-book.ts'
import { createKindFigures } from '../../../src/dashboard/overview/kind-figures.ts'
import { createFixture } from '../../api/fixture.ts'
import { newTaskOf } from '../../support/new-task.ts'

const BEGUN = Date.UTC(2030, 0, 1)
const at = (seconds: number): string => new Date(BEGUN + seconds * 1000).toISOString()

describe('the figures of kinds', () => {
  it('count what waits, runs and failed, and take percentiles of the last runs', async () => {
    const fixture = createFixture()
    const { store, service, submit } = fixture
    for (let seconds = 1; seconds <= 10; seconds += 1) {
      const { id } = await submit('echo', seconds)
      const claimed = await store.claim(id, start('worker', at(0)))
      assert.ok(claimed)
      const error = { code: 'KIND_FAILED', message: 'no', detail: null }
      await store.move(
        id,
        claimed.claim,
        seconds > 8 ? fail(error, null, at(seconds)) : succeed(1, null, at(seconds)),
      )
    }
    await submit('echo', 'waits')
    // the file of its kind is gone; one that has ended asks for nobody
    await store.create(newTaskOf({ kind: 'gone', createdAt: at(0) }), null)
    await store.create(revoke(at(9))(newTaskOf({ kind: 'past', createdAt: at(0) })), null)
    await fixture.run((await submit('calcpi', { digits: 1 })).id)
    const clock = (): number => BEGUN + 60_000
    const figures = createKindFigures({
      service,
      store,
      failures: createFailureBook({ store, clock }),
      clock,
    })
    assert.deepEqual(await figures(), {
      since: at(60 - 86_400),
      isWhole: true,
      kinds: [
        { name: 'calcpi', waiting: 0, running: 1, failures: 0, runs: null },
        { name: 'echo', waiting: 1, running: 0, failures: 2, runs: { count: 10, p50: 5, p90: 9 } },
        { name: 'gone', waiting: 1, running: 0, failures: 0, runs: null },
      ],
    })
    await fixture.close()
  })

  it('are null where the store is away', async () => {
    const away = async () => Promise.reject(new Error('gone'))
    const figures = createKindFigures({
      service: createFixture().service,
      store: { list: away, counts: away },
      failures: away,
      clock: () => BEGUN,
    })
    const { kinds, isWhole } = await figures()
    assert.deepEqual(kinds[0], { name: 'calcpi', waiting: null, running: null, failures: null, runs: null })
    assert.equal(isWhole, false)
  })
})
