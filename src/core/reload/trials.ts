// The documents of a reload as they are read and written. It decides nothing.
import { type Collection, openCollection, orIfInvalid, type TypedDocument } from '../collection.ts'
import type { Documents } from '../documents.ts'
import { type Answer, answerName, CURRENT, KIND_RELOADS, type Trial } from './forms.ts'

/** An answer is of no use for longer; the sweep removes it. */
const ANSWER_MS = 10 * 60_000

/** What there is, with its rev. A document that cannot be used counts as none, and is written over. */
export interface Current {
  trial: Trial | null
  rev: number | null | 'any'
}

export interface Trials {
  /** @throws STORE_UNAVAILABLE */
  current(): Promise<Current>
  /** Of several writers that have read the same, one succeeds. @throws DOCUMENT_CHANGED, STORE_UNAVAILABLE, STORE_FULL */
  write(trial: Trial, rev: Current['rev']): Promise<void>
  /** @throws STORE_UNAVAILABLE */
  answerOf(id: string, instance: string): Promise<Answer | null>
  /** @throws STORE_UNAVAILABLE, STORE_FULL */
  answer(answer: Answer, instance: string): Promise<void>
}

export const openTrials = (documents: Documents, clock: () => Date): Trials => {
  const collection: Collection<Trial | Answer> = openCollection(documents, 'kind-reloads', KIND_RELOADS)
  return {
    async current() {
      const found = await orIfInvalid<TypedDocument<Trial | Answer> | null, 'invalid'>(
        collection.get(CURRENT),
        () => 'invalid',
      )
      if (found === null) return { trial: null, rev: null }
      if (found === 'invalid' || found.data.type !== 'trial') return { trial: null, rev: 'any' }
      return { trial: found.data as Trial, rev: found.rev }
    },
    async write(trial, rev) {
      await collection.put(CURRENT, { data: trial }, rev)
    },
    async answerOf(id, instance) {
      const found = await orIfInvalid(collection.get(answerName(id, instance)), () => null)
      return found?.data.type === 'answer' ? (found.data as Answer) : null
    },
    async answer(answer, instance) {
      const expiresAt = new Date(clock().getTime() + ANSWER_MS).toISOString()
      await collection.put(answerName(answer.id, instance), { data: answer, expiresAt }, 'any')
    },
  }
}
