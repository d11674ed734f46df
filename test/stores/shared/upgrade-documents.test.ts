// Documents of earlier versions: read in the present form, and written in it by the migrations.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { z } from 'zod'
import { type DocumentForm, openCollection } from '../../../src/core/collection.ts'
import { FORMS } from '../../../src/core/document-forms.ts'
import type { DocumentData } from '../../../src/core/documents.ts'
import { createMemoryStore } from '../../../src/stores/memory/open.ts'
import { type StoreChange, upgradeDocuments } from '../../../src/stores/shared/upgrade-documents.ts'
import { content } from '../../suites/documents.ts'
import { at, refused } from '../../suites/store/world.ts'

/** Version 1 had `name`, version 2 `title`, version 3 has also `tags`. */
const FORM: DocumentForm<{ title: string; tags: string[] }> = {
  version: 3,
  steps: {
    1: ({ data, ...rest }) => {
      const { name, ...others } = data as DocumentData
      return { ...rest, data: { ...others, title: name } }
    },
    2: ({ data, ...rest }) => ({ ...rest, data: { ...(data as DocumentData), tags: [] } }),
  },
  schema: z.object({ title: z.string().min(1), tags: z.array(z.string()) }),
}
const forms = { ...FORMS, 'ended-sessions': FORM }

const setUp = async (test: TestContext) => {
  const store = createMemoryStore({ clock: () => new Date() })
  test.after(() => store.close())
  const { documents } = store
  const put = (name: string, version: number, data: DocumentData) =>
    documents.put('ended-sessions', name, content(data, { version, expiresAt: at(9) }), null)
  await put('first', 1, { name: 'one' })
  await put('second', 2, { title: 'two' })
  await put('third', 3, { title: 'three', tags: ['a'] })
  await put('broken', 1, { name: '' })
  await put('later', 4, { of: 'another program' })
  const upgrade = async (writes: boolean) => {
    const [changed, left]: [StoreChange[], StoreChange[]] = [[], []]
    const told = { onChange: (c: StoreChange) => changed.push(c), onLeft: (c: StoreChange) => left.push(c) }
    await upgradeDocuments(documents, writes ? documents.put : null, told, forms)
    return { changed: changed.map(({ place }) => place), left }
  }
  return { documents, upgrade }
}

describe('documents of earlier versions', () => {
  it('are upgraded when they are read, and nothing is written', async test => {
    const { documents } = await setUp(test)
    const collection = openCollection(documents, 'ended-sessions', FORM)
    const first = await collection.get('first')
    assert.deepEqual([first?.data, first?.expiresAt], [{ title: 'one', tags: [] }, at(9)])
    assert.deepEqual((await collection.get('second'))?.data, { title: 'two', tags: [] })
    assert.deepEqual((await collection.get('third'))?.data, { title: 'three', tags: ['a'] })
    assert.equal((await documents.get('ended-sessions', 'first'))?.version, 1)
    assert.equal(await collection.get('none'), null)
    const { documents: listed } = await collection.list({ limit: 10, cursor: null })
    assert.deepEqual(
      listed.map(({ name }) => name),
      ['first', 'second', 'third'],
    )
    for (const name of ['broken', 'later']) await refused(() => collection.get(name), 'DOCUMENT_INVALID')
    // with its next write it is of the present version
    const written = await collection.put('first', { data: { title: 'uno', tags: [] } }, first?.rev ?? 0)
    assert.deepEqual([written.data, written.expiresAt], [{ title: 'uno', tags: [] }, null])
    assert.equal((await documents.get('ended-sessions', 'first'))?.version, 3)
    await collection.remove('first', written.rev)
    assert.equal(await collection.get('first'), null)
  })

  it('are told without a change, then written, then there is nothing to tell', async test => {
    const { documents, upgrade } = await setUp(test)
    const wanted = ['ended-sessions/first', 'ended-sessions/second']
    const asked = await upgrade(false)
    assert.deepEqual(asked.changed, wanted)
    assert.deepEqual([asked.left.length, asked.left[0]?.place], [1, 'ended-sessions/broken'])
    assert.match(asked.left[0]?.text ?? '', /cannot be used: title/)
    assert.equal((await documents.get('ended-sessions', 'second'))?.version, 2)
    assert.deepEqual((await upgrade(true)).changed, wanted)
    const second = await documents.get('ended-sessions', 'second')
    assert.deepEqual(
      { ...second, rev: 0 },
      { name: 'second', version: 3, rev: 0, expiresAt: at(9), data: { title: 'two', tags: [] } },
    )
    assert.deepEqual((await documents.get('ended-sessions', 'broken'))?.data, { name: '' })
    assert.deepEqual((await documents.get('ended-sessions', 'later'))?.version, 4)
    assert.deepEqual((await upgrade(true)).changed, [])
  })

  it('leave a write of another process as it is', async test => {
    const { documents } = await setUp(test)
    const changed: StoreChange[] = []
    const put: typeof documents.put = async (collection, name, ...rest) => {
      if (name === 'first')
        await documents.put(collection, name, content({ title: 'newer', tags: [] }, { version: 3 }), 'any')
      return documents.put(collection, name, ...rest)
    }
    await upgradeDocuments(documents, put, { onChange: c => changed.push(c), onLeft: () => {} }, forms)
    assert.deepEqual(
      changed.map(({ place }) => place),
      ['ended-sessions/second'],
    )
    assert.deepEqual((await documents.get('ended-sessions', 'first'))?.data, { title: 'newer', tags: [] })
  })
})
