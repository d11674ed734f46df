// Collections with types: documents of earlier versions, documents of no form, and the forms themselves.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { ACCOUNTS } from '../../src/core/account-forms.ts'
import { openCollection, orIfInvalid, upgradeDocument } from '../../src/core/collection.ts'
import { FORMS, flawOfDocument } from '../../src/core/collections.ts'
import { COLLECTION_NAMES, type Document, type DocumentData } from '../../src/core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../src/core/errors.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { content } from '../suites/documents.ts'
import { at, refused } from '../suites/store/world.ts'
import { EARLIER_FORM, putEarlier } from '../support/earlier-documents.ts'
import { undo } from '../support/undo.ts'

const setUp = async (test: TestContext) => {
  const store = createMemoryStore({ clock: () => new Date() })
  undo(test, () => store.close())
  await putEarlier(store.documents)
  return {
    documents: store.documents,
    collection: openCollection(store.documents, 'ended-sessions', EARLIER_FORM),
  }
}
const documentOf = (data: DocumentData, version = 1): Document => ({
  name: 'operator',
  rev: 1,
  ...content(data, { version }),
})

describe('a collection', () => {
  it('reads documents of earlier versions in the present form, and writes nothing', async test => {
    const { documents, collection } = await setUp(test)
    const first = await collection.get('first')
    assert.deepEqual([first?.data, first?.expiresAt], [{ title: 'one', tags: [] }, at(9)])
    assert.deepEqual((await collection.get('second'))?.data, { title: 'two', tags: [] })
    assert.deepEqual((await collection.get('third'))?.data, { title: 'three', tags: ['a'] })
    assert.equal((await documents.get('ended-sessions', 'first'))?.version, 1)
    assert.equal(await collection.get('none'), null)
  })

  it('refuses what is not of its form or of a later version, and leaves it out of a list', async test => {
    const { collection } = await setUp(test)
    for (const name of ['broken', 'later']) await refused(() => collection.get(name), 'DOCUMENT_INVALID')
    const { documents: listed, next } = await collection.list({ limit: 10, cursor: null })
    assert.deepEqual([listed.map(({ name }) => name), next], [['first', 'second', 'third'], null])
  })

  it('writes the present version', async test => {
    const { documents, collection } = await setUp(test)
    const first = await collection.get('first')
    const data = { title: 'uno', tags: [] }
    const written = await collection.put('first', { data }, first?.rev ?? 0)
    assert.deepEqual([written.data, written.expiresAt], [data, null])
    assert.equal((await documents.get('ended-sessions', 'first'))?.version, 3)
    await refused(() => collection.put('first', { data }, first?.rev ?? 0), 'DOCUMENT_CHANGED')
    await collection.remove('first', written.rev)
    assert.equal(await collection.get('first'), null)
  })

  it('is asked for a document that may be broken', async test => {
    const { collection } = await setUp(test)
    assert.equal(await orIfInvalid(collection.get('broken'), () => 'broken'), 'broken')
    assert.match(await orIfInvalid(collection.get('later'), error => error.message).then(String), /version 4/)
    assert.equal(await orIfInvalid(collection.get('none'), () => 'broken'), null)
    const away = Promise.reject(new MadhavaError('STORE_UNAVAILABLE'))
    await refused(() => orIfInvalid(away, () => null), 'STORE_UNAVAILABLE')
  })
})

describe('the upgrade of a document', () => {
  it('goes step by step, keeps what it does not know, and says what is wrong', () => {
    const upgraded = upgradeDocument('accounts', EARLIER_FORM, documentOf({ name: 'one' }))
    assert.deepEqual(upgraded, {
      name: 'operator',
      rev: 1,
      expiresAt: null,
      data: { title: 'one', tags: [] },
    })
    for (const [data, version, why] of [
      [{ name: '' }, 1, /^The document accounts\/operator cannot be used: title/],
      [{ title: 'x' }, 3, /tags/],
      [{}, 4, /it has version 4, and this program knows 3/],
    ] as const)
      assert.throws(
        () => upgradeDocument('accounts', EARLIER_FORM, documentOf(data, version)),
        error => isMadhavaError(error, 'DOCUMENT_INVALID') && why.test(error.message),
      )
  })

  it('that is not possible tells a later version from a broken document', () => {
    const flawOf = (data: DocumentData, version?: number) =>
      flawOfDocument('ended-sessions', documentOf(data, version), EARLIER_FORM)
    assert.equal(flawOf({ name: 'one' }), null)
    assert.equal(flawOf({ name: '' })?.isLater, false)
    assert.equal(flawOf({}, 4)?.isLater, true)
    assert.match(flawOf({}, 4)?.why ?? '', /version 4/)
  })
})

describe('the forms', () => {
  const password = { scrypt: { N: 16_384, r: 8, p: 5 }, salt: 'A'.repeat(22), hash: 'B'.repeat(43) }
  const flawOfCost = (cost: object) =>
    flawOfDocument(
      'accounts',
      documentOf({
        role: 'operator',
        password: { ...password, scrypt: { ...password.scrypt, ...cost } },
        configured: null,
      }),
    )

  it('are there for every collection, of a version that every step leads to', () => {
    assert.deepEqual(Object.keys(FORMS).sort(), [...COLLECTION_NAMES].sort())
    for (const { version, steps } of Object.values(FORMS))
      assert.deepEqual(
        Object.keys(steps).map(Number),
        Array.from({ length: version - 1 }, (_, index) => index + 1),
      )
  })

  it('keep fields that they do not name', () => {
    const data = {
      role: 'viewer',
      password: { ...password, madeBy: 'a later program' },
      configured: { ...password, bundles: { abc: at(1) }, note: [1] },
      email: 'someone@example.org',
    }
    const parsed = upgradeDocument('accounts', ACCOUNTS, documentOf(data))
    assert.deepEqual(parsed.data, {
      ...data,
      name: 'operator',
      changes: 0,
      createdAt: null,
      disabledAt: null,
      deletedAt: null,
      identity: null,
    })
  })

  it('take the logins of version 1 for the accounts that they are', () => {
    for (const [login, role] of [
      ['operator', 'admin'],
      ['viewer', 'viewer'],
    ] as const) {
      const early = { ...documentOf({ role: login, password, configured: null, changes: 3 }), name: login }
      const { name, data } = upgradeDocument('accounts', ACCOUNTS, early)
      assert.deepEqual([name, data.name, data.role, data.changes], [login, login, role, 3])
    }
    for (const role of ['admin', 'user', undefined, 7])
      assert.ok(flawOfDocument('accounts', documentOf({ role: role ?? null, password, configured: null })))
  })

  it('refuse a bundle that has no name of one, or no time', () => {
    for (const bundles of [{ 'A b': at(1) }, { abc: 'yesterday' }, []])
      assert.ok(
        flawOfDocument(
          'accounts',
          documentOf({ role: 'operator', password: null, configured: { ...password, bundles } }),
        ),
      )
  })

  it('take hashes of bounded cost alone', () => {
    for (const cost of [
      {},
      { N: 1_024, r: 1, p: 1 },
      { N: 2 ** 17, r: 4, p: 16 },
      { N: 2 ** 15, r: 16, p: 16 },
      { N: 2 ** 16, r: 8 },
    ])
      assert.equal(flawOfCost(cost), null, JSON.stringify(cost))
    for (const cost of [
      { N: 512 },
      { N: 1_000 },
      { N: 16_385 },
      { N: 2 ** 18, r: 1 },
      { N: 1_024.5 },
      { r: 0 },
      { r: 17, N: 1_024 },
      { p: 0 },
      { p: 17 },
      // each within its bounds, and together too much memory
      { N: 2 ** 17, r: 8 },
      { N: 2 ** 16, r: 9 },
    ])
      assert.equal(flawOfCost(cost)?.isLater, false, JSON.stringify(cost))
  })
})
