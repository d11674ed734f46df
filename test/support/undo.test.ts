// `undo`: the order in which a test undoes what it has made, and what becomes of errors.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Ends, undo } from './undo.ts'

/** What stands for a test, and its end. */
const standIn = (): { ends: Ends; end(): Promise<void> } => {
  const hooks: (() => Promise<void>)[] = []
  return {
    ends: { after: work => void hooks.push(work) },
    async end() {
      for (const hook of hooks) await hook()
    },
  }
}

it('undoes the last first, each after the one before it is done, and one test apart from another', async () => {
  const done: string[] = []
  const [one, other] = [standIn(), standIn()]
  undo(one.ends, () => done.push('folder'))
  undo(other.ends, () => done.push("the other's folder"))
  undo(one.ends, async () => {
    await new Promise(resolve => setImmediate(resolve))
    done.push('store')
  })
  await one.end()
  assert.deepEqual(done, ['store', 'folder'])
  await other.end()
  assert.deepEqual(done, ['store', 'folder', "the other's folder"])
})

it('undoes all of it where one fails, and fails with the first error', async () => {
  const done: string[] = []
  const { ends, end } = standIn()
  undo(ends, () => {
    done.push('folder')
    throw new Error('the folder stays')
  })
  undo(ends, () => Promise.reject(new Error('the store does not close')))
  await assert.rejects(end(), /the store does not close/)
  assert.deepEqual(done, ['folder'])
})
