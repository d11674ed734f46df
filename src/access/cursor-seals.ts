// Seals cursors with a key that is made once per store, so that a cursor of one host is good on all that share it.
import type { Actor } from '../core/actor.ts'
import type { CursorSeal } from '../core/cursor-seal.ts'
import type { Documents } from '../core/documents.ts'
import { createTextSeal } from './sealed-text.ts'
import { openedWithKey } from './secret-key.ts'

const KEY_NAME = 'cursor-key'

/** Whom a cursor is good for. */
const holderOf = ({ account, credential }: Actor): string =>
  JSON.stringify([account, account === null ? credential : null])

export const createCursorSeal = (key: Buffer): CursorSeal => {
  const { seal, open } = createTextSeal(key)
  return {
    holder: holderOf,
    seal: (cursor, actor) => seal(cursor, holderOf(actor)),
    open: (sealed, actor) => open(sealed, holderOf(actor)),
  }
}

/** The seal, read when it is first wanted. */
export const openCursorSeals = (documents: Documents): (() => Promise<CursorSeal>) =>
  openedWithKey(documents, KEY_NAME, createCursorSeal)
