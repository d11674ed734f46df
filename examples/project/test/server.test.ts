// Both kinds in a whole server, which runs in a temporary folder and leaves nothing behind.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Json, startMadhava } from 'madhava/testing'

let app: Awaited<ReturnType<typeof startMadhava>>
before(async () => {
  app = await startMadhava({ kinds: new URL('../kinds', import.meta.url), builtInKinds: 'none' })
})
after(() => app?.stop())

const run = async (kind: string, params: Json) => {
  const { id } = await app.client.submit({ kind, params })
  const { status, result, error } = await app.client.wait(id)
  assert.equal(status, 'SUCCESS', JSON.stringify(error))
  return result
}

test('similar, in TypeScript', async () => {
  assert.deepEqual(await run('similar', { names: ['Ada', 'ada', 'Alan'], distance: 0 }), [['Ada', 'ada']])
})

test('outliers, in Python', async () => {
  assert.deepEqual(await run('outliers', { values: [1, 2, 3, 40] }), { median: 2.5, outliers: [40] })
})

test('a wrong param is refused at the submit', async () => {
  await assert.rejects(app.client.submit({ kind: 'similar', params: { name: 'Ada' } }), {
    code: 'PARAMS_INVALID',
  })
})
