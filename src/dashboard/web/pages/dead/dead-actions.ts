// Runs what is dead again, or discards it, after a question. What somebody else did meanwhile is said, and the list is
// asked for anew.
import { askReader } from '../../frame/question.tsx'
import { tell } from '../../frame/toasts.tsx'
import { ProblemError, post, remove } from '../../state/api.ts'
import type { Texts } from '../../texts/texts.ts'

/** A task by its title; without a name it is a message. */
export interface DeadOne {
  id: string
  name: string | null
}

const done = async (
  t: Texts,
  act: () => Promise<unknown>,
  good: string,
  again: () => void,
): Promise<void> => {
  try {
    await act()
    tell(good, 'good')
  } catch (error) {
    const code = error instanceof ProblemError ? error.code : ''
    if (code === 'DEAD_NOT_FOUND') tell(t.dead.gone)
    else tell(t.problems[code] ?? (error instanceof Error ? error.message : String(error)), 'bad')
  }
  again()
}

export const replay = async (t: Texts, { id, name }: DeadOne, again: () => void): Promise<void> => {
  const words = t.dead
  const [title, text] =
    name === null
      ? [words.askReplayMessage, words.askReplayMessageText]
      : [words.askReplay(name), words.askReplayText]
  if (await askReader({ title, text, confirm: words.replay }))
    await done(t, () => post(`/api/dead/${id}/replay`), words.replayed, again)
}

export const discard = async (t: Texts, { id, name }: DeadOne, again: () => void): Promise<void> => {
  const words = t.dead
  const [title, text] =
    name === null
      ? [words.askDiscardMessage, words.askDiscardMessageText]
      : [words.askDiscard(name), words.askDiscardText]
  if (await askReader({ title, text, confirm: words.discard, isDanger: true }))
    await done(t, () => remove(`/api/dead/${id}`), words.discarded, again)
}
