// What two people do to one item at once: the merge of their texts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  changesOf,
  type ItemTexts,
  mergeEdit,
  TEXT_NAMES,
} from '../../../src/dashboard/web/pages/todo/merge-edit.ts'

const text = fc.constantFrom('', 'a', 'b', 'c', ' a ')
const texts: fc.Arbitrary<ItemTexts> = fc.record({ title: text, description: text, assignee: text })

describe('the merge of two edits', () => {
  it('loses nothing that either typed: each field is of one of the two, or a conflict with both at hand', () => {
    fc.assert(
      fc.property(texts, texts, texts, (base, drafts, theirs) => {
        const { drafts: merged, taken, conflicts } = mergeEdit(base, drafts, theirs)
        for (const name of TEXT_NAMES) {
          const [mine, other] = [drafts[name] !== base[name], theirs[name] !== base[name]]
          const isConflict = mine && other && drafts[name] !== theirs[name]
          assert.equal(conflicts.includes(name), isConflict)
          assert.equal(taken.includes(name), !mine && other)
          assert.equal(merged[name], mine ? drafts[name] : theirs[name])
        }
      }),
    )
  })

  it('asks for what differs alone, and for nothing where a text is empty', () => {
    fc.assert(
      fc.property(texts, texts, (base, drafts) => {
        const changes = changesOf(base, drafts)
        for (const name of TEXT_NAMES) {
          const now = drafts[name].trim()
          assert.equal(name in changes, now !== base[name])
          if (name in changes) assert.equal(changes[name], now === '' && name !== 'title' ? null : now)
        }
      }),
    )
  })
})
