// Which sets a list in Redis is read from: those of the owners it is for, and all tasks only where there is no other way.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Sort } from '../../../src/core/sort.ts'
import type { TaskFilter } from '../../../src/core/store.ts'
import { createLists } from '../../../src/stores/redis/lists.ts'

/** The sets of each page that was asked for. */
const setsOf = async (filter: TaskFilter, sort: Sort = '-createdAt', byOwner = true): Promise<string[][]> => {
  const asked: string[][] = []
  const lists = createLists({
    byOwner,
    scripts: {
      async run<Answer>(name: string, sets: unknown) {
        assert.equal(name, 'page')
        asked.push(JSON.parse(String(sets)))
        return ['0', '', []] as Answer
      },
    },
  })
  assert.deepEqual(await lists.list(filter, { limit: 10, cursor: null, sort }), { tasks: [], next: null })
  return asked
}
const many = Array.from({ length: 65 }, (_, n) => `owner-${n}`)

describe('a list in Redis', () => {
  it('is read from the sets of its owners, whatever else is asked', async () => {
    assert.deepEqual(await setsOf({ owners: ['ann', ''] }), [['owner:ann', 'owner:']])
    assert.deepEqual(await setsOf({ owners: ['ann', 'ann'], statuses: ['PENDING'], text: 'x' }), [
      ['owner:ann'],
    ])
    assert.deepEqual(await setsOf({ owners: ['ann', ''], owner: 'ann' }), [['owner:ann']])
    assert.deepEqual(await setsOf({ owners: ['ann', ''] }, 'finishedAt'), [['ends:ann', 'ends:']])
    assert.deepEqual(await setsOf({ owner: 'ann', statuses: ['SUCCESS'] }, '-finishedAt'), [['ends:ann']])
  })

  it('reads nothing where nothing can fit', async () => {
    for (const sort of ['createdAt', 'finishedAt'] as const) {
      assert.deepEqual(await setsOf({ owners: [] }, sort), [])
      assert.deepEqual(await setsOf({ owners: ['ann', ''], owner: 'bob' }, sort), [])
    }
  })

  it('is read from all tasks where the sets by owner are not whole, or would be too many', async () => {
    for (const byOwner of [true, false]) {
      const owners = byOwner ? many : ['ann', '']
      assert.deepEqual(await setsOf({ owners }, 'createdAt', byOwner), [['created']])
      assert.deepEqual(await setsOf({ owners }, 'finishedAt', byOwner), [['failed', 'ended']])
    }
  })

  it('without owners is read as ever', async () => {
    assert.deepEqual(await setsOf({}), [['created']])
    assert.deepEqual(await setsOf({ kinds: ['sleep'], statuses: ['PENDING'] }), [['in:sleep:PENDING']])
    assert.deepEqual(await setsOf({}, 'finishedAt'), [['failed', 'ended']])
    assert.deepEqual(await setsOf({ statuses: ['FAILURE'] }, 'finishedAt'), [['failed']])
  })
})
