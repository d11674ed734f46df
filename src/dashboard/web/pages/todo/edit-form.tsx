// An item that is being edited, in its place in the list. If somebody else changes it meanwhile, the form says so, and
// keeps what the reader has typed: what only the other changed is taken over, for the rest the reader chooses.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { isFinal, type TaskView } from '../../../../client/task.ts'
import { wordsOf } from '../../frame/do-it.ts'
import { askReader } from '../../frame/question.tsx'
import { tell } from '../../frame/toasts.tsx'
import { TextField } from '../../parts/form-field.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { ask, problemIn } from '../../state/api.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { changesOf, type ItemTexts, mergeEdit, TEXT_NAMES, type TextName, textsOf } from './merge-edit.ts'
import { TITLE_MOST } from './new-line.tsx'
import { stateInWords, tagOf } from './use-item-actions.ts'
import type { Item, Todo } from './use-todo.ts'

const DESCRIPTION_MOST = 2000
const ASSIGNEE_MOST = 100

interface Editing {
  /** What the reader began with, and the version of it. */
  base: ItemTexts
  tag: string
  drafts: ItemTexts
  /** What somebody else changed and the reader did not. */
  taken: readonly TextName[]
  /** What both changed. */
  conflicts: readonly TextName[]
}

const begin = (item: Item): Editing => {
  const texts = textsOf(item)
  return { base: texts, tag: tagOf(item), drafts: texts, taken: [], conflicts: [] }
}

const withTheirs = (editing: Editing, item: Item): Editing => {
  const theirs = textsOf(item)
  const { drafts, taken, conflicts } = mergeEdit(editing.base, editing.drafts, theirs)
  const all = [...new Set([...editing.taken, ...taken])]
  // where both have changed something, it is saved over the other's only when the reader has said so
  if (conflicts.length > 0) return { ...editing, drafts, taken: all, conflicts }
  return { base: theirs, tag: tagOf(item), drafts, taken: all, conflicts: [] }
}

const Meanwhile = ({
  editing,
  item,
  choose,
}: {
  editing: Editing
  item: Item
  choose: (mine: boolean) => void
}) => {
  const t = useTexts()
  const words = t.todo.meanwhile
  const { taken, conflicts } = editing
  const names = (of: readonly TextName[]): string => of.map(name => t.todo.fields[name]).join(', ')
  if (item.isRemoved || isFinal(item.status))
    return (
      <div class="note bad" role="alert">
        {stateInWords(item, t)} {words.stays}
      </div>
    )
  if (conflicts.length > 0) {
    const theirs = textsOf(item)
    return (
      <div class="note bad" role="alert">
        <p>
          <strong>{words.both(names(conflicts))}</strong> {words.now}
        </p>
        <dl class="todo-theirs">
          {conflicts.map(name => (
            <div key={name}>
              <dt>{t.todo.fields[name]}</dt>
              <dd>{theirs[name] === '' ? words.nothing : <SafeText text={theirs[name]} />}</dd>
            </div>
          ))}
        </dl>
        <button type="button" class="button" onClick={() => choose(true)}>
          {words.keepMine}
        </button>{' '}
        <button type="button" class="button" onClick={() => choose(false)}>
          {words.takeTheirs}
        </button>
      </div>
    )
  }
  return taken.length === 0 ? null : (
    <p class="note" role="status">
      {words.taken(names(taken))}
    </p>
  )
}

export const EditForm = ({ item, todo, close }: { item: Item; todo: Todo; close: () => void }) => {
  const t = useTexts()
  const words = t.todo
  const [editing, setEditing] = useState(() => begin(item))
  const [fault, setFault] = useState<{ name: TextName | null; text: string } | null>(null)
  const [isSending, setSending] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const { drafts, base, tag, conflicts } = editing
  const version = tagOf(item)
  const isOver = item.isRemoved === true || isFinal(item.status)

  useEffect(() => {
    if (version !== tag && !isOver) setEditing(now => withTheirs(now, item))
  }, [version])
  useLayoutEffect(() => form.current?.querySelector('input')?.focus(), [])

  const change = (name: TextName) => (value: string) => {
    setFault(null)
    setEditing(now => ({ ...now, drafts: { ...now.drafts, [name]: value } }))
  }
  const choose = (mine: boolean): void => {
    const theirs = textsOf(item)
    setEditing(now => ({
      base: theirs,
      tag: tagOf(item),
      drafts: mine
        ? now.drafts
        : { ...now.drafts, ...Object.fromEntries(now.conflicts.map(name => [name, theirs[name]])) },
      taken: [],
      conflicts: [],
    }))
    form.current?.querySelector('input')?.focus()
  }
  const hasChanged = Object.keys(changesOf(base, drafts)).length > 0

  const save = async (): Promise<void> => {
    if (isSending || isOver || conflicts.length > 0) return
    if (!hasChanged) return close()
    setSending(true)
    try {
      const answer = await ask('PATCH', `/api/task/${item.id}`, {
        body: changesOf(base, drafts),
        headers: { 'If-Match': tag },
      })
      todo.put((await answer.json()) as TaskView)
      tell(words.saved, 'good')
      close()
    } catch (error) {
      setSending(false)
      const problem = problemIn(error)
      // the form says what has become of the item as soon as that is known
      if ([404, 409, 412].includes(problem.status) && problem.code !== 'TASK_BUSY')
        return void (await todo
          .refresh(item.id)
          .catch(() => setFault({ name: null, text: wordsOf(t, error) })))
      const place = problem.problems[0]
      const name = TEXT_NAMES.find(one => place?.path.endsWith(one)) ?? null
      setFault({ name, text: place?.problem ?? wordsOf(t, error) })
    }
  }
  const leave = async (): Promise<void> => {
    if (
      hasChanged &&
      !(await askReader({
        title: words.askDiscard,
        confirm: words.discard,
        dismiss: words.goOn,
        isDanger: true,
      }))
    )
      return
    close()
  }
  const faultOf = (name: TextName): string | null => (fault?.name === name ? fault.text : null)
  const id = `todo-${item.id}`
  return (
    <form
      ref={form}
      class="todo-edit"
      aria-label={words.editing}
      onSubmit={event => {
        event.preventDefault()
        void save()
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.preventDefault()
          void leave()
        }
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          event.preventDefault()
          void save()
        }
      }}
    >
      <Meanwhile editing={editing} item={item} choose={choose} />
      <TextField
        id={`${id}-title`}
        label={words.fields.title}
        value={drafts.title}
        change={change('title')}
        fault={faultOf('title')}
        input={{ maxLength: TITLE_MOST, required: true, autocomplete: 'off' }}
      />
      <div class="field">
        <label for={`${id}-description`}>{words.fields.description}</label>
        <div class="field-control">
          <textarea
            id={`${id}-description`}
            rows={3}
            maxLength={DESCRIPTION_MOST}
            aria-describedby={`${id}-description-help`}
            value={drafts.description}
            onInput={event => change('description')(event.currentTarget.value)}
          />
          <div class="field-help" id={`${id}-description-help`}>
            <span class="field-fault" role="alert">
              {faultOf('description') ?? ''}
            </span>
            <span>{words.descriptionHelp}</span>
          </div>
        </div>
      </div>
      <TextField
        id={`${id}-assignee`}
        label={words.fields.assignee}
        help={words.assigneeHelp}
        value={drafts.assignee}
        change={change('assignee')}
        fault={faultOf('assignee')}
        input={{ maxLength: ASSIGNEE_MOST, autocomplete: 'off' }}
      />
      {fault && fault.name === null ? (
        <p class="note bad" role="alert">
          {fault.text}
        </p>
      ) : null}
      <div class="form-foot">
        <button type="submit" class="button primary" disabled={isSending || isOver || conflicts.length > 0}>
          {words.save}
        </button>
        <button type="button" class="button" onClick={() => void leave()}>
          {t.frame.cancel}
        </button>
      </div>
    </form>
  )
}
