// Cursors of the feed by their age, and what is no cursor at all.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeCursor, encodeCursor } from '../../../src/stores/files/index/cursor.ts'
import { CUT_KEPT_MS } from '../../../src/stores/files/log/journal.ts'
import { decodeSortKey, encodeSortKey } from '../../../src/stores/shared/page-cursor.ts'
import { at } from '../../suites/store/world.ts'
import { ME } from './parts.ts'

const MADE = Date.UTC(2026, 5, 1)
const positions = { [ME]: [3, 4_000] as [number, number] }
const made = encodeCursor(positions, new Date(MADE))
const after = (ms: number): Date => new Date(MADE + ms)

describe('a cursor of the feed', () => {
  it('is good as long as cuts are kept, and too old from then on', () => {
    for (const ms of [0, CUT_KEPT_MS]) assert.deepEqual(decodeCursor(made, after(ms)), positions)
    assert.throws(() => decodeCursor(made, after(CUT_KEPT_MS + 1)), { code: 'CURSOR_TOO_OLD' })
  })

  it('of a clock that went back since is good', () => {
    assert.deepEqual(decodeCursor(made, after(-30 * CUT_KEPT_MS)), positions)
  })

  it('is refused where it is none, or one of another kind', () => {
    const page = encodeSortKey({ at: at(1), id: '01890000-0000-7000-8000-0000000000ab' }, 'createdAt')
    for (const cursor of ['', 'x', `${made}A`, page, 'e'.repeat(70_000)])
      assert.throws(() => decodeCursor(cursor, after(0)), { code: 'BAD_CURSOR' }, cursor.slice(0, 50))
    assert.throws(() => decodeSortKey(made, 'createdAt'), { code: 'BAD_CURSOR' })
  })
})
