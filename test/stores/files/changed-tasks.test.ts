// Which tasks entries of journals name, and which of them are removed, in whatever order the journals are read.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { gatherChangedTasks } from '../../../src/stores/files/log/changed-tasks.ts'
import { type JournalEntry, LOST } from '../../../src/stores/files/log/journal-files.ts'
import { newTask } from '../../suites/store/world.ts'

const ID = newTask().id
const task = (claim: number): JournalEntry => ({ type: 'task', task: { ...newTask(), id: ID, claim } })
const removal = (claim: number, owner?: string | null, kind?: string): JournalEntry => ({
  type: 'removed',
  id: ID,
  claim,
  ...(owner === undefined ? {} : { owner }),
  ...(kind === undefined ? {} : { kind }),
})
const found = (...entries: JournalEntry[]) => {
  const gathering = gatherChangedTasks()
  for (const entry of entries) gathering.take(entry)
  const { ids, removed } = gathering.found()
  return { ids, removed: [...removed] }
}

describe('what changed in the journals', () => {
  it('names a removed task with its owner and its kind, however late the earlier entries are read', () => {
    for (const owner of ['ann', null]) {
      const entries = [
        task(1),
        removal(2, owner, 'echo'),
        { type: 'revoke', id: ID, at: '' } as const,
        task(0),
      ]
      fc.assert(
        fc.property(fc.shuffledSubarray(entries, { minLength: entries.length }), shuffled => {
          assert.deepEqual(found(...shuffled), { ids: [ID], removed: [[ID, { owner, kind: 'echo' }]] })
        }),
      )
    }
  })

  it('names no task as removed that came again, whose owner is not known, or that was lost', () => {
    for (const entries of [[removal(2, 'ann'), task(3)], [removal(2), task(1)], [removal(LOST)]]) {
      assert.deepEqual(found(...entries), { ids: [ID], removed: [] })
      assert.deepEqual(found(...entries.toReversed()), { ids: [ID], removed: [] })
    }
  })

  it('keeps what is known where one removal is told several times, with less knowledge before or after', () => {
    const ofVersions = [removal(2), removal(2, 'ann'), removal(2, 'ann', 'echo')]
    fc.assert(
      fc.property(fc.shuffledSubarray(ofVersions, { minLength: ofVersions.length }), shuffled => {
        assert.deepEqual(found(...shuffled).removed, [[ID, { owner: 'ann', kind: 'echo' }]])
      }),
    )
    assert.deepEqual(found(removal(2), removal(2, 'ann')).removed, [[ID, { owner: 'ann', kind: undefined }]])
  })

  it('passes documents by', () => {
    assert.deepEqual(found({ type: 'document', collection: 'accounts', name: 'a' }), { ids: [], removed: [] })
  })
})
