// Carries out a change and says what became of it, in the reader's words.

import { ProblemError } from '../state/api.ts'
import type { Texts } from '../texts/texts.ts'
import { tell } from './toasts.tsx'

/** In the reader's language where the code is known. */
export const wordsOf = (t: Texts, error: unknown): string => {
  if (error instanceof ProblemError) return t.problems[error.code] ?? error.message
  return error instanceof Error ? error.message : String(error)
}

/** @param good what is said when it is done. @returns whether it is */
export const doIt = async (t: Texts, act: () => Promise<unknown>, good: string): Promise<boolean> => {
  try {
    await act()
  } catch (error) {
    tell(wordsOf(t, error), 'bad')
    return false
  }
  tell(good, 'good')
  return true
}
