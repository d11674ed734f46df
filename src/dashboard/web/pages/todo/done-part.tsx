// What was done, or given up, by day: who did it, when, and what they noted.
import { doneOf } from '../../../../client/task.ts'
import type { Formats } from '../../format/formats.ts'
import { shownText } from '../../format/hidden-characters.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { Link } from '../../router.tsx'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { DeleteItem } from './delete-item.tsx'
import type { ItemActions } from './use-item-actions.ts'
import type { Item } from './use-todo.ts'

/** In their order, with the day in the reader's zone. */
const daysOf = (items: readonly Item[], f: Formats): [day: string, items: Item[]][] => {
  const days = new Map<string, Item[]>()
  for (const item of items) {
    const day = f.day(Date.parse(item.finishedAt ?? item.updatedAt))
    days.set(day, [...(days.get(day) ?? []), item])
  }
  return [...days]
}

const DoneItem = ({ item, actions, may }: { item: Item; actions: ItemActions; may: boolean }) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.todo
  const done = doneOf(item)
  const at = item.finishedAt ?? item.updatedAt
  const shown = shownText(item.title ?? '')
  const isBusy = actions.busy.has(item.id)
  return (
    <>
      <span class={done ? 'todo-mark' : 'todo-mark given-up'} aria-hidden="true">
        {done ? '✓' : '–'}
      </span>
      <div class="todo-main">
        <Link class="todo-title" href={`/task/${item.id}`}>
          <SafeText text={item.title ?? ''} />
        </Link>
        <p class="todo-facts soft small">
          {done === null ? (
            words.cancelled
          ) : done.by === null ? (
            words.doneBySomebody
          ) : (
            <SafeText text={done.by} />
          )}
          {' · '}
          <time dateTime={at} title={f.fullTime(Date.parse(at))}>
            {f.clock(Date.parse(at))}
          </time>
          {done?.note ? (
            <>
              {' · '}
              <SafeText text={done.note} />
            </>
          ) : null}
        </p>
      </div>
      {may ? (
        <div class="todo-buttons">
          <button
            type="button"
            class="button small"
            aria-label={words.reopenOf(shown)}
            disabled={isBusy}
            onClick={() => void actions.reopen(item)}
          >
            {words.reopen}
          </button>
          <DeleteItem item={item} actions={actions} />
        </div>
      ) : null}
    </>
  )
}

export const DonePart = ({
  items,
  actions,
  may,
}: {
  items: readonly Item[]
  actions: ItemActions
  may: boolean
}) => {
  const f = useFormats()
  return (
    <>
      {daysOf(items, f).map(([day, some]) => (
        <section key={day} aria-label={day}>
          <h3>{day}</h3>
          <ul class="todo-list done">
            {some.map(item => (
              <li key={item.id} data-id={item.id} tabIndex={-1} class="todo-item">
                <DoneItem item={item} actions={actions} may={may} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  )
}
