// The shared list: things that people do. Added in one line, edited in their place, completed by one click; what others
// do shows as it happens.
import { useRef, useState } from 'preact/hooks'
import { doIt } from '../../frame/do-it.ts'
import { useKeys } from '../../frame/keys.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { tell } from '../../frame/toasts.tsx'
import { Empty, WhenAsked } from '../../parts/states.tsx'
import { useRowKeys } from '../../parts/use-row-keys.ts'
import { navigate } from '../../router.tsx'
import { useCell } from '../../state/cell.ts'
import { mayChange, me } from '../../state/me.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { DonePart } from './done-part.tsx'
import { EditForm } from './edit-form.tsx'
import { NewLine } from './new-line.tsx'
import { OpenItem } from './open-item.tsx'
import { type ItemActions, useItemActions } from './use-item-actions.ts'
import { type Item, type Todo, useTodo } from './use-todo.ts'

const NOBODY: ReadonlySet<string> = new Set()

const useItemKeys = (
  items: readonly Item[],
  {
    todo,
    actions,
    edit,
    may,
    line,
  }: {
    todo: Todo
    actions: ItemActions
    edit: (id: string) => void
    may: boolean
    line: { current: HTMLInputElement | null }
  },
): void => {
  const t = useTexts()
  const { activeId } = useRowKeys(
    items.map(({ id }) => id),
    { open: id => navigate(`/task/${id}`) },
  )
  const onActive = (act: (item: Item) => unknown, wanted: 'open' | 'any') => (): void => {
    if (!may) {
      tell(t.frame.viewer)
      return
    }
    const item = activeId === null ? undefined : todo.find(activeId)
    if (item && (wanted === 'any' || item.status === 'PENDING')) act(item)
  }
  useKeys({
    n: { label: t.todo.newItem, run: () => line.current?.focus() },
    x: { label: t.todo.complete, run: onActive(item => actions.complete(item), 'open') },
    e: { label: t.todo.edit, run: onActive(({ id }) => edit(id), 'open') },
    Delete: { label: t.keys.remove, run: onActive(item => actions.remove(item), 'any') },
  })
}

/**
 * An item that leaves its list takes the focus with it: then its neighbour has it, or else the line for new ones.
 */
const keepFocus = (actions: ItemActions, line: { current: HTMLInputElement | null }): ItemActions => {
  const leaving = async ({ id }: Item, act: () => Promise<boolean>): Promise<boolean> => {
    const row = document.querySelector(`li[data-id="${id}"]`)
    const neighbour = row?.nextElementSibling ?? row?.previousElementSibling
    const hasLeft = await act()
    if (hasLeft)
      requestAnimationFrame(() => {
        if (document.activeElement !== document.body) return
        const next = neighbour instanceof HTMLElement && neighbour.isConnected ? neighbour : line.current
        next?.focus()
      })
    return hasLeft
  }
  return {
    ...actions,
    complete: (item, note) => leaving(item, () => actions.complete(item, note)),
    reopen: item => leaving(item, () => actions.reopen(item)),
    remove: item => leaving(item, () => actions.remove(item)),
  }
}

export const TodoPage = () => {
  const [t, f, who] = [useTexts(), useFormats(), useCell(me)]
  const words = t.todo
  const todo = useTodo()
  const line = useRef<HTMLInputElement>(null)
  const actions = keepFocus(useItemActions(todo), line)
  const may = mayChange(who)
  // what is being edited keeps its place, whatever becomes of it
  const [editing, setEditing] = useState(NOBODY)
  const setEdited = (id: string, is: boolean): void =>
    setEditing(before => {
      const next = new Set(before)
      if (is) next.add(id)
      else next.delete(id)
      return next
    })
  const shownIds = new Set(todo.open.map(({ id }) => id))
  const kept = [...editing].flatMap(id => (shownIds.has(id) ? [] : (todo.find(id) ?? [])))
  const open = [...todo.open, ...kept].sort(
    (a, b) => b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id),
  )
  const done = todo.done.filter(({ id }) => !editing.has(id))
  useItemKeys([...open, ...done], { todo, actions, edit: id => setEdited(id, true), may, line })
  const moreOf = (part: 'open' | 'done') =>
    todo.hasMore[part] ? (
      <p class="page-line">
        <button
          type="button"
          class="button"
          onClick={() =>
            void todo.more(part).catch((error: unknown) => doIt(t, () => Promise.reject(error), ''))
          }
        >
          {words.more}
        </button>
      </p>
    ) : null
  return (
    <div class="todo">
      <PageHead
        title={t.menu.todo}
        note={
          todo.asked.value === null
            ? undefined
            : words.count(f.number(todo.open.length), todo.open.length, todo.hasMore.open)
        }
      />
      {may ? <NewLine input={line} added={todo.put} /> : null}
      <WhenAsked asked={todo.asked}>
        {() => (
          <>
            {open.length === 0 ? (
              <Empty text={words.none} />
            ) : (
              <ul class="todo-list" aria-label={words.open}>
                {open.map(item => (
                  <li key={item.id} data-id={item.id} tabIndex={-1} class="card todo-item">
                    {editing.has(item.id) ? (
                      <EditForm item={item} todo={todo} close={() => setEdited(item.id, false)} />
                    ) : (
                      <OpenItem
                        item={item}
                        actions={actions}
                        may={may}
                        edit={() => setEdited(item.id, true)}
                      />
                    )}
                  </li>
                ))}
              </ul>
            )}
            {moreOf('open')}
            {done.length === 0 ? null : <h2 class="part-head">{words.done}</h2>}
            <DonePart items={done} actions={actions} may={may} />
            {moreOf('done')}
          </>
        )}
      </WhenAsked>
      <p class="keys-hint soft small">{may ? words.hint : t.frame.viewer}</p>
    </div>
  )
}
