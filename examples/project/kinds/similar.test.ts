import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runKind } from 'madhava/testing'
import similar from './similar.ts'

test('finds names that differ by a letter, an accent or a space', async () => {
  const names = ['José Silva', 'Jose  Silva', 'Josef Silva', 'Ada Lovelace']
  const { result, progress } = await runKind(similar, { names, distance: 1 })
  assert.deepEqual(result, [
    ['José Silva', 'Jose  Silva'],
    ['José Silva', 'Josef Silva'],
    ['Jose  Silva', 'Josef Silva'],
  ])
  assert.equal(progress.at(-1)?.percent, 100)
})

test('goes on where a lost attempt had come to', async () => {
  const resume = { done: 2, found: [['from', 'before']] }
  const { result } = await runKind(similar, { names: ['ab', 'ab', 'xyz'], distance: 0 }, { resume })
  assert.deepEqual(result, [['from', 'before']])
})

test('refuses a distance that makes no sense', async () => {
  await assert.rejects(runKind(similar, { names: [], distance: -1 }), { code: 'PARAMS_INVALID' })
})
