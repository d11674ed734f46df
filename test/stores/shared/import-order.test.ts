// What an import does with records that concern each other, on a store that is slow with some of them.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { start, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { createMemoryStore } from '../../../src/stores/memory/open.ts'
import { exportStore } from '../../../src/stores/shared/export.ts'
import { importAll } from '../../../src/stores/shared/import.ts'
import { add, at, keyed, newTask, take } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'

const clock = () => new Date(at(100))
const open = (test: TestContext): TaskStore => {
  const store = createMemoryStore({ clock })
  undo(test, () => store.close())
  return store
}
const exported = async (store: TaskStore): Promise<string> => {
  let text = ''
  const options = { clock, fingerprintOf: async () => 'print', onLeftOut: assert.fail }
  for await (const line of exportStore(store, options)) text += line
  return text
}
const bring = async (store: TaskStore, text: string, replace = false) => {
  const refused: string[] = []
  const input = (async function* () {
    yield Buffer.from(text)
  })()
  const onRefused = (id: string) => void refused.push(id)
  const summary = await importAll(store, {
    input,
    replace,
    onRefused,
    refusal: () => null,
    clock: () => new Date(),
  })
  return { ...summary, refused }
}

describe('an import', () => {
  it('gives a key to the first of two tasks that have it, however long the store takes', async test => {
    const sources = [open(test), open(test)]
    const tasks: TaskRecord[] = []
    for (const source of sources) tasks.push((await source.create(...keyed('one', 'print'))).task)
    const [first = '', second = ''] = await Promise.all(sources.map(exported))
    // one file of both, without the counts and the hash of its parts
    const lines = [...first.split('\n').slice(0, -2), second.split('\n')[1]]
    const text = [...lines, JSON.stringify({ type: 'end', tasks: 2, blobs: 0 }), ''].join('\n')
    const target = open(test)
    let letGo = (): void => {}
    const gate = new Promise<void>(resolve => {
      letGo = resolve
    })
    let creates = 0
    const slow: TaskStore = {
      ...target,
      async create(...args) {
        creates += 1
        // the first waits for whatever may overtake it
        if (creates === 1) {
          setImmediate(() => setImmediate(letGo))
          await gate
        }
        return target.create(...args)
      },
    }
    const { created, refused, problem } = await bring(slow, text)
    assert.deepEqual([problem, created, refused], [null, 1, [tasks[1]?.id]])
    assert.equal((await target.get(tasks[0]?.id ?? ''))?.idempotencyKey, 'one')
  })

  it('that replaces a task takes away the blobs that it has no more, also where it has none at all', async test => {
    for (const blobs of [[], ['log.txt']]) {
      const [source, target] = [open(test), open(test)]
      const task = newTask()
      for (const store of [source, target]) await store.create(task, null)
      await target.claim(task.id, start('w', at(1)))
      for (const name of ['log.txt', 'checkpoint.bin'])
        await target.putBlob(task.id, name, Buffer.from('of before'))
      await target.move(task.id, 1, succeed(1, null, at(2)))
      await source.claim(task.id, start('w', at(1)))
      await source.move(task.id, 1, succeed(1, null, at(2)))
      await source.claim(task.id, current => ({ ...current, title: 'newer' }))
      for (const name of blobs) await source.putBlob(task.id, name, Buffer.from('of the newer'))
      await add(source)
      const { problem, replaced, created } = await bring(target, await exported(source), true)
      assert.deepEqual([problem, replaced, created], [null, 1, 1])
      assert.deepEqual(
        (await target.listBlobs(task.id)).map(({ name }) => name),
        blobs,
      )
    }
  })

  it('takes what ran as waiting: it can be begun at once', async test => {
    const [source, target] = [open(test), open(test)]
    const { id } = await add(source)
    await take(source, id)
    assert.equal((await bring(target, await exported(source))).givenBack, 1)
    assert.equal((await take(target, id)).attempt, 1)
  })
})
