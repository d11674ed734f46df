// What two people do to the texts of one item at once: what each changed alone is taken from both; what both changed is
// for the reader to decide. Pure.
import type { TaskView } from '../../../../client/task.ts'
import { assigneeOf } from '../../../../client/task.ts'

/** As they stand in the form: nothing is ''. */
export interface ItemTexts {
  title: string
  description: string
  assignee: string
}
export type TextName = keyof ItemTexts
export const TEXT_NAMES: readonly TextName[] = ['title', 'description', 'assignee']

export const textsOf = (task: Pick<TaskView, 'title' | 'description' | 'params'>): ItemTexts => ({
  title: task.title ?? '',
  description: task.description ?? '',
  assignee: assigneeOf(task) ?? '',
})

export interface Merged {
  /** What the form shows now. */
  drafts: ItemTexts
  /** What somebody else changed and the reader did not: it is in `drafts`. */
  taken: TextName[]
  /** What both changed, each to something else: the reader's words are in `drafts`. */
  conflicts: TextName[]
}

/**
 * @param base what the reader began with
 * @param drafts what they made of it
 * @param theirs what it is now
 */
export const mergeEdit = (base: ItemTexts, drafts: ItemTexts, theirs: ItemTexts): Merged => {
  const merged: Merged = { drafts: { ...drafts }, taken: [], conflicts: [] }
  for (const name of TEXT_NAMES) {
    if (theirs[name] === base[name] || theirs[name] === drafts[name]) continue
    if (drafts[name] === base[name]) {
      merged.drafts[name] = theirs[name]
      merged.taken.push(name)
    } else merged.conflicts.push(name)
  }
  return merged
}

/** What the server is asked to change: what differs, and '' as nothing. */
export const changesOf = (base: ItemTexts, drafts: ItemTexts): Partial<Record<TextName, string | null>> =>
  Object.fromEntries(
    TEXT_NAMES.flatMap(name => {
      if (drafts[name].trim() === base[name]) return []
      const text = drafts[name].trim()
      return [[name, text === '' && name !== 'title' ? null : text]]
    }),
  )
