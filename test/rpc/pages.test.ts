// Pages of tasks over Thrift: filters, cursors, bounds.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import types from '../../gen/js/rpcinterface_types.js'
import { newTaskId } from '../../src/core/task.ts'
import { newTaskOf } from '../support/new-task.ts'
import { type Bench, openBench, openClient } from './fixture.ts'

describe('pages', () => {
  let own: Bench
  let rpc: ReturnType<typeof openClient>
  const ids: string[] = []
  before(async () => {
    own = await openBench()
    rpc = openClient(own.door)
    for (let i = 0; i < 120; i += 1) ids.unshift(await rpc.client.startCalcPi(i % 100))
  })
  after(async () => {
    rpc.close()
    await own.close()
  })
  const filter = (fields: object = {}) => new types.TaskFilter(fields)

  test('hold every task once, newest first', async () => {
    const seen: string[] = []
    for (let cursor = '', pages = 0; ; pages += 1) {
      const page = await rpc.client.pageTasks(filter(), 50, cursor)
      seen.push(...page.tasks.map(task => task.id))
      if (!page.nextCursor) {
        assert.equal(pages, 2)
        break
      }
      cursor = page.nextCursor
    }
    assert.deepEqual(seen, ids)
    assert.equal((await rpc.client.pageTasks(filter(), 0, '')).tasks.length, 50)
  })

  test('hold what the filter says', async () => {
    const all = async (fields: object) => (await rpc.client.pageTasks(filter(fields), 200, '')).tasks.length
    assert.equal(await all({ statuses: ['PENDING', 'STARTED'] }), 120)
    assert.equal(await all({ statuses: ['SUCCESS'] }), 0)
    assert.equal(await all({ kinds: ['calcpi'] }), 120)
    assert.equal(await all({ kinds: ['other'] }), 0)
    assert.equal(await all({ text: (ids[3] ?? '').toUpperCase() }), 1)
    assert.equal(await all({ createdFrom: '2031-01-01T00:00:00+02:00' }), 0)
    assert.equal(await all({ createdTo: '2031-01-01T00:00:00Z' }), 120)
    assert.equal(await all({ parentId: newTaskId() }), 0)
    assert.equal(await all({ errorCodes: ['KIND_FAILED'] }), 0)
    assert.equal(await all({ errorText: 'no answer' }), 0)
    assert.equal(await all({ finishedFrom: '2020-01-01T00:00:00Z', finishedTo: '2031-01-01T00:00:00Z' }), 0)
  })

  test('stand in the order that is asked for', async () => {
    const listed = async (fields: object, cursor = '') => {
      const page = await rpc.client.pageTasks(filter(fields), 100, cursor)
      return { ids: page.tasks.map(task => task.id), next: page.nextCursor }
    }
    const first = await listed({ sort: 'createdAt' })
    const rest = await listed({ sort: 'createdAt' }, first.next)
    assert.deepEqual([...first.ids, ...rest.ids], ids.toReversed())
    assert.deepEqual((await listed({ sort: '-createdAt' })).ids, ids.slice(0, 100))
    const revoked = [ids[7] ?? '', ids[3] ?? '']
    for (const id of revoked) await rpc.client.cancelTask(id)
    assert.deepEqual((await listed({ sort: 'finishedAt' })).ids.toSorted(), revoked.toSorted())
    const { tasks } = await rpc.client.pageTasksWhy(filter({ sort: '-finishedAt' }), 1, '')
    assert.equal(tasks.length, 1)
    assert.ok(revoked.includes(tasks[0]?.id ?? ''))
  })

  test('are Refused when they are asked for wrongly, with every problem', async () => {
    for (const [fields, path] of [
      [{ statuses: ['LOST'] }, 'statuses.0'],
      [{ parentId: 'x' }, 'parentId'],
      [{ createdFrom: 'yesterday' }, 'createdFrom'],
      [{ finishedTo: 'tomorrow' }, 'finishedTo'],
      [{ errorText: 'x'.repeat(201) }, 'errorText'],
      [{ text: 'x'.repeat(201) }, 'text'],
      [{ sort: 'kind' }, 'sort'],
      [{ kinds: Array(51).fill('a') }, 'kinds'],
    ] as const)
      await assert.rejects(
        rpc.client.pageTasks(filter(fields), 10, ''),
        (error: InstanceType<typeof types.Refused>) => {
          assert.equal(error.code, 'BAD_REQUEST')
          assert.equal(error.problems[0]?.path, path)
          return true
        },
      )
    for (const limit of [-1, 201, 2 ** 31 - 1])
      await assert.rejects(rpc.client.pageTasks(filter(), limit, ''), { code: 'BAD_REQUEST' })
    for (const cursor of ['x', 'y'.repeat(5000)])
      await assert.rejects(rpc.client.pageTasks(filter(), 10, cursor), { code: 'BAD_CURSOR' })
  })

  test('show the beginning of long params, and getTask the whole', async () => {
    const large = await openBench()
    const { client, close } = openClient(large.door)
    try {
      const params = JSON.stringify('x'.repeat(400_000))
      const { id } = await client.submitTask('echo', params, new types.SubmitOptions())
      await client.submitTask('echo', '1', new types.SubmitOptions())
      const { tasks } = await client.pageTasks(filter(), 200, '')
      assert.deepEqual(
        tasks.map(task => [task.params, task.paramsTruncated]),
        [
          ['1', false],
          [`"${'x'.repeat(256)}"`, true],
        ],
      )
      const whole = await client.getTask(id)
      assert.deepEqual([whole.params, whole.paramsTruncated], [params, false])
    } finally {
      close()
      await large.close()
    }
  })

  test('are cut short where their tasks are large, and lose none', async () => {
    const large = await openBench()
    const { client, close } = openClient(large.door)
    try {
      const sent: string[] = []
      for (let i = 0; i < 6; i += 1) {
        const createdAt = `2026-01-01T00:00:0${i}.000Z`
        // as another program may have written it
        const { task } = await large.store.create(
          newTaskOf({ createdAt, description: 'x'.repeat(400_000) }),
          null,
        )
        sent.unshift(task.id)
      }
      const seen: string[] = []
      for (let cursor = ''; ; ) {
        const page = await client.pageTasks(filter(), 200, cursor)
        assert.ok(page.tasks.length > 0 && page.tasks.length < 3)
        seen.push(...page.tasks.map(task => task.id))
        if (!page.nextCursor) break
        cursor = page.nextCursor
      }
      assert.deepEqual(seen, sent)
    } finally {
      close()
      await large.close()
    }
  })
})
