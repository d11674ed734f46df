// One line in which items are added, as quickly as one types: Enter adds, and the line is free for the next one. What
// could not be saved stays, with the reason, until it is saved or thrown away.
import type { RefObject } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { TaskView } from '../../../../client/task.ts'
import { TODO_KIND } from '../../../../client/task.ts'
import { wordsOf } from '../../frame/do-it.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { post } from '../../state/api.ts'
import { newKey } from '../../state/submit-once.ts'
import { useTexts } from '../../texts/use-texts.ts'

export const TITLE_MOST = 200

interface Pending {
  /** One for one item: however often it is sent, one is made. */
  key: string
  title: string
  /** Null: it is being saved. */
  fault: string | null
}

export const NewLine = ({
  input,
  added,
}: {
  input: RefObject<HTMLInputElement | null>
  added: (task: TaskView) => void
}) => {
  const t = useTexts()
  const words = t.todo
  const [title, setTitle] = useState('')
  const [pending, setPending] = useState<readonly Pending[]>([])
  const latest = useRef(added)
  latest.current = added

  const send = async ({ key, title: text }: Pick<Pending, 'key' | 'title'>): Promise<void> => {
    const change = (to: Pending | null): void =>
      setPending(before => before.flatMap(each => (each.key !== key ? [each] : to ? [to] : [])))
    change({ key, title: text, fault: null })
    try {
      const body = { kind: TODO_KIND, title: text }
      latest.current(await post<TaskView>('/api/tasks', { body, headers: { 'Idempotency-Key': key } }))
      change(null)
    } catch (error) {
      change({ key, title: text, fault: wordsOf(t, error) })
    }
  }
  const add = (): void => {
    const text = title.trim()
    if (text === '') return
    const one = { key: newKey(), title: text, fault: null }
    setPending(before => [one, ...before])
    setTitle('')
    void send(one)
  }
  return (
    <>
      <form
        class="todo-new"
        onSubmit={event => {
          event.preventDefault()
          add()
        }}
      >
        <label class="unseen" for="todo-new">
          {words.newItem}
        </label>
        <input
          id="todo-new"
          ref={input}
          type="text"
          autocomplete="off"
          maxLength={TITLE_MOST}
          placeholder={words.newItem}
          value={title}
          onInput={event => setTitle(event.currentTarget.value)}
        />
        <button type="submit" class="button primary">
          {words.add}
        </button>
      </form>
      {pending.map(one => (
        <div key={one.key} class={one.fault === null ? 'todo-pending soft' : 'todo-pending note bad'}>
          <span role={one.fault === null ? 'status' : 'alert'}>
            <SafeText text={one.title} /> · {one.fault ?? words.saving}
          </span>
          {one.fault === null ? null : (
            <>
              <button type="button" class="button small" onClick={() => void send(one)}>
                {t.frame.again}
              </button>
              <button
                type="button"
                class="button small"
                onClick={() => setPending(before => before.filter(({ key }) => key !== one.key))}
              >
                {words.discard}
              </button>
            </>
          )}
        </div>
      ))}
    </>
  )
}
