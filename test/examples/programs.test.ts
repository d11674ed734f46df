// The examples that are programs, in a worker: a file in, a file or a result out.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { artifactsOf } from '../../src/core/artifacts.ts'
import { requireService } from '../support/services.ts'
import { putUpload } from '../support/whole-upload.ts'
import { openPool } from '../worker/runner-fixture.ts'
import { startWorker } from './around.ts'

const threads = openPool(1)
after(() => threads.close())

describe('the examples that are programs', { timeout: 300_000 }, () => {
  it('sort-lines sorts the lines of an upload and keeps them', async t => {
    const world = await startWorker(t, threads)
    const file = { $upload: await putUpload(world.client, Buffer.from('b\na\nä\nc d\n'), 'text/plain') }
    const id = await world.submit('sort-lines', { file })
    await world.attempt()
    const task = await world.get(id)
    assert.deepEqual([task.status, task.result, task.error], ['SUCCESS', 4, null])
    const [artifact] = artifactsOf(task)
    assert.equal(artifact?.name, 'sorted.txt')
    assert.equal(String(await world.blob(id, artifact?.file ?? '')), 'a\nb\nc d\nä\n')
  })

  it('top-words finds the most frequent words of an upload', { skip: requireService('python') }, async t => {
    const world = await startWorker(t, threads)
    const text = 'To be or not to be: that is the question.\nÄpfel äpfel äpfel to \n'
    const file = { $upload: await putUpload(world.client, Buffer.from(text), 'text/plain') }
    const id = await world.submit('top-words', { file, most: 2 })
    await world.attempt()
    const { status, result, error } = await world.get(id)
    assert.deepEqual([status, error], ['SUCCESS', null])
    assert.deepEqual(result, [
      { word: 'to', count: 3 },
      { word: 'äpfel', count: 3 },
    ])
    assert.match(await world.log(id), /14 words, 9 different ones/)
  })
})
