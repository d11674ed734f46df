// An open item: what is to be done, for whom, and the buttons that it takes.
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { assigneeOf } from '../../../../client/task.ts'
import { shownText } from '../../format/hidden-characters.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { Link } from '../../router.tsx'
import { useCell } from '../../state/cell.ts'
import { me } from '../../state/me.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { DeleteItem } from './delete-item.tsx'
import type { ItemActions } from './use-item-actions.ts'
import type { Item } from './use-todo.ts'

const NOTE_MOST = 1000

const NoteForm = ({ item, actions, close }: { item: Item; actions: ItemActions; close: () => void }) => {
  const t = useTexts()
  const [note, setNote] = useState('')
  const input = useRef<HTMLInputElement>(null)
  // a browser heeds `autofocus` once in a page's life
  useLayoutEffect(() => input.current?.focus(), [])
  return (
    <form
      class="todo-note"
      onSubmit={event => {
        event.preventDefault()
        // the note stays where it could not be saved
        void actions.complete(item, note).then(isDone => isDone && close())
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') close()
      }}
    >
      <label class="unseen" for={`note-${item.id}`}>
        {t.todo.note}
      </label>
      <input
        id={`note-${item.id}`}
        type="text"
        autocomplete="off"
        ref={input}
        maxLength={NOTE_MOST}
        placeholder={t.todo.note}
        value={note}
        onInput={event => setNote(event.currentTarget.value)}
      />
      <button type="submit" class="button small primary" disabled={actions.busy.has(item.id)}>
        {t.todo.complete}
      </button>
      <button type="button" class="button small" onClick={close}>
        {t.frame.cancel}
      </button>
    </form>
  )
}

export const OpenItem = ({
  item,
  actions,
  may,
  edit,
}: {
  item: Item
  actions: ItemActions
  may: boolean
  edit: () => void
}) => {
  const [t, who] = [useTexts(), useCell(me)]
  const words = t.todo
  const [isNoting, setNoting] = useState(false)
  const assignee = assigneeOf(item)
  const title = item.title ?? ''
  const shown = shownText(title)
  const isBusy = actions.busy.has(item.id)
  return (
    <>
      {may ? (
        <button
          type="button"
          class="todo-check"
          title={words.complete}
          aria-label={words.completeOf(shown)}
          disabled={isBusy}
          onClick={() => void actions.complete(item)}
        />
      ) : (
        <span class="todo-check" />
      )}
      <div class="todo-main">
        <Link class="todo-title" href={`/task/${item.id}`}>
          <SafeText text={title} />
        </Link>
        {item.description === null ? null : (
          <p class="todo-description">
            <SafeText text={item.description} />
          </p>
        )}
        <p class="todo-facts soft small">
          {assignee === null ? null : (
            <>
              <strong>
                <SafeText text={assignee} />
              </strong>
              {' · '}
            </>
          )}
          <RelativeTime at={item.createdAt} />
        </p>
        {isNoting ? <NoteForm item={item} actions={actions} close={() => setNoting(false)} /> : null}
      </div>
      {may ? (
        <div class="todo-buttons">
          {assignee === null && who ? (
            <button
              type="button"
              class="button small"
              aria-label={words.takeOf(shown)}
              disabled={isBusy}
              onClick={() => void actions.assign(item, who.name)}
            >
              {words.take}
            </button>
          ) : null}
          <button
            type="button"
            class="button small"
            aria-label={words.noteOf(shown)}
            aria-expanded={isNoting}
            onClick={() => setNoting(!isNoting)}
          >
            {words.withNote}
          </button>
          <button type="button" class="button small" aria-label={words.editOf(shown)} onClick={edit}>
            {words.edit}
          </button>
          <DeleteItem item={item} actions={actions} />
        </div>
      ) : null}
    </>
  )
}
