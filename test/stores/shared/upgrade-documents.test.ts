// Documents of earlier versions, written in the present form by the migrations. test/core/collections.test.ts reads
// them.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { FORMS } from '../../../src/core/collections.ts'
import { createMemoryStore } from '../../../src/stores/memory/open.ts'
import { type StoreChange, upgradeDocuments } from '../../../src/stores/shared/upgrade-documents.ts'
import { content } from '../../suites/documents.ts'
import { at } from '../../suites/store/world.ts'
import { EARLIER_FORM, putEarlier } from '../../support/earlier-documents.ts'
import { undo } from '../../support/undo.ts'

const forms = { ...FORMS, 'ended-sessions': EARLIER_FORM }

const setUp = async (test: TestContext) => {
  const store = createMemoryStore({ clock: () => new Date() })
  undo(test, () => store.close())
  const { documents } = store
  await putEarlier(documents)
  const upgrade = async (writes: boolean) => {
    const [changed, left]: [StoreChange[], StoreChange[]] = [[], []]
    const told = { onChange: (c: StoreChange) => changed.push(c), onLeft: (c: StoreChange) => left.push(c) }
    await upgradeDocuments(documents, writes ? documents.put : null, told, forms)
    return { changed: changed.map(({ place }) => place), left }
  }
  return { documents, upgrade }
}

describe('documents of earlier versions', () => {
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
