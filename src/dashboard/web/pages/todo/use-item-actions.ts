// What can be done with an item besides editing it. Where somebody was quicker, the page says who, and shows it.
import { useState } from 'preact/hooks'
import type { TaskView } from '../../../../client/task.ts'
import { doneOf } from '../../../../client/task.ts'
import { shownText } from '../../format/hidden-characters.ts'
import { wordsOf } from '../../frame/do-it.ts'
import { askReader } from '../../frame/question.tsx'
import { tell } from '../../frame/toasts.tsx'
import { ask, ProblemError, post, remove } from '../../state/api.ts'
import type { Texts } from '../../texts/texts.ts'
import { useTexts } from '../../texts/use-texts.ts'
import type { Item, Todo } from './use-todo.ts'

export interface ItemActions {
  /** Ids of items that something is under way with. */
  busy: ReadonlySet<string>
  complete(item: Item, note?: string): Promise<boolean>
  assign(item: Item, assignee: string): Promise<boolean>
  reopen(item: Item): Promise<boolean>
  remove(item: Item): Promise<boolean>
}

/** As If-Match names the version that the reader has seen. */
export const tagOf = ({ claim, rev }: Item): string => `"${claim}-${rev}"`

/** How it is now, where somebody was quicker. */
export const stateInWords = (item: Item | undefined, t: Texts): string => {
  const words = t.todo.meanwhile
  if (!item || item.isRemoved) return words.removed
  if (item.status === 'SUCCESS') {
    const by = doneOf(item)?.by ?? null
    return by === null ? words.done : words.doneBy(shownText(by))
  }
  return item.status === 'PENDING' ? words.changed : words.cancelled
}

/** Answers that mean that the item is no longer as the page showed it. */
const isOutdated = (error: unknown): boolean =>
  error instanceof ProblemError && [404, 409, 412].includes(error.status) && error.code !== 'TASK_BUSY'

export const useItemActions = (todo: Todo): ItemActions => {
  const t = useTexts()
  const words = t.todo
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set())
  const mark = (id: string, is: boolean): void =>
    setBusy(before => {
      const next = new Set(before)
      if (is) next.add(id)
      else next.delete(id)
      return next
    })

  const run = async (item: Item, act: () => Promise<void>, good: string): Promise<boolean> => {
    if (busy.has(item.id)) return false
    mark(item.id, true)
    try {
      await act()
      tell(good, 'good')
      return true
    } catch (error) {
      const now = isOutdated(error) ? await todo.refresh(item.id).catch(() => item) : null
      tell(now === null ? wordsOf(t, error) : stateInWords(now, t), 'bad')
      return false
    } finally {
      mark(item.id, false)
    }
  }
  const address = ({ id }: Item): string => `/api/task/${id}`
  return {
    busy,
    complete: (item, note = '') =>
      run(
        item,
        async () => {
          const body = { note: note.trim() || null }
          const headers = { 'If-Match': tagOf(item) }
          todo.put(await post<TaskView>(`${address(item)}/complete`, { body, headers }))
        },
        words.completed(shownText(item.title ?? '')),
      ),
    assign: (item, assignee) =>
      run(
        item,
        async () => {
          const headers = { 'If-Match': tagOf(item) }
          const answer = await ask('PATCH', address(item), { body: { assignee }, headers })
          todo.put((await answer.json()) as TaskView)
        },
        words.assigned(shownText(assignee)),
      ),
    reopen: item =>
      run(
        item,
        async () => todo.put(await post<TaskView>(`${address(item)}/retry`)),
        words.reopened(shownText(item.title ?? '')),
      ),
    async remove(item) {
      const agreed = await askReader({
        title: words.askDelete,
        quote: item.title ?? '',
        text: words.askDeleteText,
        confirm: words.delete,
        isDanger: true,
      })
      if (!agreed) return false
      return run(
        item,
        async () => {
          await remove(address(item), { query: { purge: '1' } })
          todo.noteRemoved(item.id)
        },
        words.deleted,
      )
    },
  }
}
