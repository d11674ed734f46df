// The comparison of a store with an export: every sort of difference is told, by its task, and nothing else.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { EXPORTED_COLLECTIONS } from '../../../src/core/documents.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { createMemoryStore } from '../../../src/stores/memory/open.ts'
import { exportStore } from '../../../src/stores/shared/export.ts'
import { importAll } from '../../../src/stores/shared/import.ts'
import { verifyAll } from '../../../src/stores/shared/verify.ts'
import { add, addEnded, at } from '../../suites/store/world.ts'
import { accountOf, fillDocuments } from '../../support/sample-documents.ts'
import { undo } from '../../support/undo.ts'
import { fillUploads } from '../../support/upload-sample.ts'

const clock = () => new Date(at(100))

/** A store with an ended task that has a blob, and one that waits; its export, and another store that took it in. */
const setUp = async (test: TestContext) => {
  const [from, to] = [createMemoryStore({ clock }), createMemoryStore({ clock })]
  undo(test, () => Promise.all([from.close(), to.close()]))
  const [ended, waiting] = [await addEnded(from), await add(from)]
  await from.putBlob(ended.id, 'log.txt', Buffer.from('four'))
  await fillDocuments(from.documents)
  const { whole, large } = await fillUploads(from, waiting.id)
  const lines: Buffer[] = []
  const options = { clock, fingerprintOf: async () => null, onLeftOut: assert.fail }
  for await (const line of exportStore(from, options)) lines.push(Buffer.from(line))
  const input = async function* () {
    yield* lines
  }
  const done = await importAll(to, {
    input: input(),
    replace: false,
    accounts: true,
    onRefused: assert.fail,
    refusal: () => null,
    clock: () => new Date(),
  })
  assert.deepEqual([done.created, done.blobs, done.accounts, done.problem], [2, 1, 2, null])
  assert.equal(done.uploads, 2)
  const verify = async () => {
    const told: [string, string][] = []
    const summary = await verifyAll(to, {
      input: input(),
      accounts: true,
      onDifference: (id, what) => told.push([id, what]),
    })
    return { told, summary }
  }
  return { to, ended, waiting, verify, whole, large }
}
type Change = (store: TaskStore, ended: string, waiting: string, upload: string) => Promise<unknown>

describe('a store that is compared with an export', () => {
  it('is the same as long as nothing has changed, whatever else is in it', async test => {
    const { to, verify } = await setUp(test)
    await addEnded(to)
    await to.documents.put('accounts', 'another', accountOf('viewer'), null)
    const { told, summary } = await verify()
    assert.deepEqual(told, [])
    assert.deepEqual(summary, {
      ...{ tasks: 2, blobs: 1, accounts: 2, audit: 0, uploads: 2, missing: 0, different: 0 },
      ...{ inStore: 3, problem: null },
    })
  })

  const differences: Record<string, [Change, RegExp]> = {
    'a document of an upload that is gone': [
      (store, _, __, upload) => store.documents.remove('uploads', upload, 'any'),
      /^it is not there/,
    ],
    'a document of a use that is gone': [
      (store, _, waiting, upload) => store.documents.remove('upload-uses', `${upload}.${waiting}`, 'any'),
      /^it is not there/,
    ],
    'an upload without bytes': [
      (store, _, __, upload) => store.uploads.remove(upload),
      /^its bytes are not there$/,
    ],
    'an upload with other bytes': [
      (store, _, __, upload) => store.uploads.write(upload, 3, Readable.from([Buffer.from('x')])),
      /^it has other bytes$/,
    ],
    'a task that is gone': [(store, ended) => store.remove(ended), /^it is not there$/],
    'a record that says something else': [
      (store, _, waiting) => store.revoke(waiting, at(9)),
      /^its record says something else$/,
    ],
    'a blob that is gone': [(store, ended) => store.removeBlob(ended, 'log.txt'), /log\.txt is not there/],
    'a blob of another size': [
      (store, ended) => store.putBlob(ended, 'log.txt', Buffer.from('three')),
      /log\.txt .* has another size/,
    ],
    'a blob with other bytes': [
      (store, ended) => store.putBlob(ended, 'log.txt', Buffer.from('FOUR')),
      /log\.txt has other bytes/,
    ],
    'a blob that was not exported': [
      (store, ended) => store.putBlob(ended, 'further', Buffer.from('x')),
      /further is not in the export/,
    ],
    'a document that is gone': [
      store => store.documents.remove('accounts', 'viewer', 'any'),
      /^it is not there, or cannot be used$/,
    ],
    'a document that says something else': [
      store => store.documents.put('accounts', 'viewer', accountOf('viewer', 'b3RoZXIgc2FsdA00'), 'any'),
      /^it says something else$/,
    ],
    'a blob of a task that had none': [
      (store, _, waiting) => store.putBlob(waiting, 'further', Buffer.from('x')),
      /further is not in the export/,
    ],
  }
  for (const [what, [change, words]] of Object.entries(differences))
    it(`differs by ${what}`, async test => {
      const { to, ended, waiting, verify, whole } = await setUp(test)
      await change(to, ended.id, waiting.id, whole)
      const { told, summary } = await verify()
      assert.equal(told.length, 1)
      assert.match(told[0]?.[1] ?? '', words)
      assert.equal(summary.missing + summary.different, 1)
      assert.equal(summary.missing, /^a (task|document)( of .*)? that is gone$/.test(what) ? 1 : 0)
    })

  it('names what is no document in an export', async test => {
    const store = createMemoryStore({ clock })
    undo(test, () => store.close())
    const leftOut: string[] = []
    const lines: string[] = []
    const broken: TaskStore['documents']['list'] = async () => ({
      documents: [],
      leftOut: [{ name: 'operator', why: 'it is none' }],
      next: null,
    })
    const options = {
      clock,
      fingerprintOf: async () => null,
      onLeftOut: (what: string, why: string) => leftOut.push(`${what}: ${why}`),
    }
    const spoiled = { ...store, documents: { ...store.documents, list: broken } }
    for await (const line of exportStore(spoiled, options)) lines.push(line)
    assert.equal(new Set(leftOut).size, leftOut.length)
    assert.deepEqual(
      [new Set(leftOut), lines.length],
      [
        new Set(
          EXPORTED_COLLECTIONS.filter(name => name !== 'upload-uses').map(
            name => `${name}/operator: it is none`,
          ),
        ),
        2,
      ],
    )
  })
})
