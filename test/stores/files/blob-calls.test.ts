// Blobs that are written while their task goes, or the disk refuses: none is said to be there, and none is left.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { createFreeSpace } from '../../../src/stores/files/free-space.ts'
import { createBlobCalls } from '../../../src/stores/files/records/blob-calls.ts'
import { type Blobs, createBlobs } from '../../../src/stores/files/records/blobs.ts'
import { createParts } from './parts.ts'

const setUp = async (test: TestContext, over: (blobs: Blobs) => Partial<Blobs> = () => ({})) => {
  const failing = { rename: false }
  const parts = await createParts(test, {
    disk: disk => ({
      rename(from, to) {
        if (failing.rename) throw Object.assign(new Error('no room for a name'), { code: 'ENOSPC' })
        disk.rename(from, to)
      },
    }),
  })
  const { layout, disk, committer, records, mover } = parts
  const space = createFreeSpace({ dir: layout.dir, reserveBytes: 0 })
  let words = 0
  const unique = (): string => {
    words += 1
    return `word${words}`
  }
  const plain = createBlobs({ layout, disk, space, committer, instance: 'here', unique })
  const blobs = { ...plain, ...over(plain) }
  return {
    ...parts,
    failing,
    calls: createBlobCalls({ layout, blobs, records, mover, instances: { isAlive: async () => true } }),
  }
}

describe('a blob that is written', () => {
  it('is not there where its task was removed meanwhile, and is not said to be', async test => {
    let removed: () => void = () => {}
    const { put, records, layout, calls } = await setUp(test, ({ put: write }) => ({
      async put(...args) {
        const info = await write(...args)
        removed()
        return info
      },
    }))
    const { id } = put()
    removed = () => records.remove(id)
    await assert.rejects(calls.put(id, 'log.txt', Buffer.from('late')), { code: 'TASK_NOT_FOUND' })
    assert.equal(existsSync(layout.blobFolder(id)), false)
  })

  it('leaves nothing where it could not be put in its place, and the one before stays', async test => {
    const { put, layout, calls, failing } = await setUp(test)
    const { id } = put()
    mkdirSync(layout.blobFolder(id), { recursive: true })
    await calls.put(id, 'log.txt', Buffer.from('first'))
    failing.rename = true
    await assert.rejects(calls.put(id, 'log.txt', Buffer.from('second, longer')), { code: 'ENOSPC' })
    assert.deepEqual(readdirSync(layout.blobFolder(id)), ['log.txt'])
    assert.deepEqual(await calls.list(id), [{ name: 'log.txt', bytes: 5 }])
  })
})
