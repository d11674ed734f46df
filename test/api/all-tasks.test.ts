// GET /alltasks holds bytes for a reader that takes its time, and no records.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { allTasksText } from '../../src/api/all-tasks.ts'
import { start, succeed } from '../../src/core/moves.ts'
import { at, newTask } from '../suites/store/world.ts'
import { anybody } from '../support/actors.ts'

describe('the text of all tasks', () => {
  it('lets the records of a page go before the first byte is taken, and is whole', async () => {
    setFlagsFromString('--expose_gc')
    const collect = runInNewContext('gc') as () => void
    const results: WeakRef<object>[] = []
    const ids: string[] = []
    const record = (n: number) => {
      const result = { text: `${n} `.repeat(10_000) }
      results.push(new WeakRef(result))
      const task = succeed(result, null, at(3))(start('w', at(2))(newTask()))
      ids.push(task.id)
      return task
    }
    const list = async (_actor: unknown, _filter: unknown, { cursor }: { cursor: string | null }) => ({
      tasks: Array.from({ length: 200 }, (_, n) => record(n)),
      next: cursor === null ? 'more' : null,
    })
    const text = allTasksText(
      { service: { list, whyEach: () => assert.fail() }, access: { namesOf: async () => new Map() } },
      anybody(),
      {},
      {
        lines: false,
        sort: '-createdAt',
        why: false,
        login: { signal: new AbortController().signal, close: () => undefined },
      },
    )
    const { value } = await text.next()
    await new Promise(resolve => setImmediate(resolve))
    collect()
    assert.equal(results.length, 200)
    assert.equal(results.filter(result => result.deref() !== undefined).length, 0)
    let whole = Buffer.from(value ?? []).toString()
    for await (const chunk of text) whole += Buffer.from(chunk).toString()
    assert.deepEqual(
      (JSON.parse(whole) as { id: string }[]).map(({ id }) => id),
      ids,
    )
  })
})
