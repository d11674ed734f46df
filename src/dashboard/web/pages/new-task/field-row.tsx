// One field of the form: its name, its control, what it takes, and what is wrong with it.
import type { ExactJson } from '../../format/exact-json.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { FileControl } from './file-control.tsx'
import { type Field, keyOf, shownValue } from './schema-form.ts'
import { type Draft, itemsOf } from './use-draft.ts'

export interface FieldRowProps {
  field: Field
  draft: Draft
  /** What is wrong with the value of this key, in words. */
  faultOf: (key: string) => string | null
}

/** Ids have no spaces. */
const idOf = (field: Field): string => `field-${encodeURIComponent(keyOf(field.path))}`

const rowsFor = (text: string, least: number): number =>
  Math.min(16, Math.max(least, text.split('\n').length))

/** What an input has in common, whatever its kind. */
const useParts = ({ field, draft, faultOf }: FieldRowProps) => {
  const id = idOf(field)
  const fault = faultOf(keyOf(field.path))
  const typed = (event: { currentTarget: { value: string } }): void =>
    draft.type(field, event.currentTarget.value)
  const about = {
    id,
    'aria-invalid': fault === null ? undefined : (true as const),
    'aria-describedby': `${id}-help`,
  }
  return { id, fault, typed, about }
}

const Choice = (props: FieldRowProps) => {
  const { field, draft } = props
  const t = useTexts()
  const { about } = useParts(props)
  const text = draft.textOf(field)
  const words = field.choices.map(shownValue)
  const value = draft.valueOf(field)
  const at = value === undefined ? -1 : words.indexOf(shownValue(value))
  const isOpen = !field.isRequired || field.takesNull || at === -1
  return (
    <select
      {...about}
      value={at === -1 ? '' : String(at)}
      onChange={event => {
        const chosen = event.currentTarget.value
        const none: ExactJson | undefined = field.isRequired && field.takesNull ? null : undefined
        draft.put(field, chosen === '' ? none : field.choices[Number(chosen)])
      }}
    >
      {isOpen ? (
        <option value="">
          {at === -1 && text !== ''
            ? text
            : field.fallback === undefined
              ? '–'
              : t.newTask.usual(shownValue(field.fallback))}
        </option>
      ) : null}
      {words.map((word, place) => (
        <option key={word} value={String(place)}>
          {word}
        </option>
      ))}
    </select>
  )
}

const Control = (props: FieldRowProps) => {
  const { field, draft } = props
  const { about, typed } = useParts(props)
  const text = draft.textOf(field)
  const usual = field.fallback === undefined || field.fallback === null ? '' : shownValue(field.fallback)
  switch (field.control) {
    case 'choice':
      return <Choice {...props} />
    case 'switch':
      return (
        <input
          {...about}
          type="checkbox"
          checked={(draft.valueOf(field) ?? field.fallback) === true}
          onChange={event => draft.put(field, event.currentTarget.checked)}
        />
      )
    case 'file':
      return field.file === null ? null : (
        <FileControl
          id={about.id}
          rule={field.file}
          isInvalid={about['aria-invalid'] ?? false}
          value={draft.valueOf(field)}
          put={value => draft.put(field, value ?? (field.isRequired && field.takesNull ? null : undefined))}
        />
      )
    case 'json':
      return (
        <textarea
          {...about}
          class="code-input"
          rows={rowsFor(text, 2)}
          spellcheck={false}
          value={text}
          onInput={typed}
        />
      )
    case 'instant':
      return <input {...about} type="datetime-local" step={1} value={text} onInput={typed} />
    case 'text':
      // a text that has lines must keep them
      return field.isLong || text.includes('\n') ? (
        <textarea {...about} rows={rowsFor(text, 3)} value={text} onInput={typed} />
      ) : (
        <input {...about} type="text" placeholder={usual} value={text} onInput={typed} />
      )
    default:
      return (
        <input
          {...about}
          type="text"
          class="number-input"
          inputMode={field.control === 'integer' ? 'numeric' : 'decimal'}
          autocomplete="off"
          placeholder={usual}
          value={text}
          onInput={typed}
        />
      )
  }
}

/** What a new value of the list begins as. */
const freshItem = ({ control, choices, fallback, least }: Field): ExactJson =>
  fallback ?? (control === 'choice' ? (choices[0] ?? null) : control === 'text' ? '' : Number(least ?? 0))

const ListControl = (props: FieldRowProps) => {
  const { field, draft, faultOf } = props
  const t = useTexts()
  const value = draft.valueOf(field)
  const items = itemsOf(field, value)
  return (
    <div class="list-field">
      {items.map((item, at) => (
        <div key={at} class="list-item">
          <label class="unseen" for={idOf(item)}>
            {item.label}
          </label>
          <Control field={item} draft={draft} faultOf={faultOf} />
          <button
            type="button"
            class="button small"
            aria-label={t.newTask.removeItem(item.label)}
            onClick={() => draft.put(field, (value as ExactJson[]).toSpliced(at, 1))}
          >
            ×
          </button>
          <FaultLine fault={faultOf(keyOf(item.path))} id={`${idOf(item)}-help`} />
        </div>
      ))}
      <button
        type="button"
        class="button small"
        id={idOf(field)}
        aria-label={t.newTask.addItem(field.label)}
        aria-describedby={`${idOf(field)}-help`}
        onClick={() =>
          field.item && draft.put(field, [...(Array.isArray(value) ? value : []), freshItem(field.item)])
        }
      >
        + {t.newTask.add}
      </button>
    </div>
  )
}

const FaultLine = ({ fault, id }: { fault: string | null; id?: string }) => (
  <span id={id} class="field-fault">
    {fault === null ? null : <SafeText text={fault} />}
  </span>
)

export const FieldRow = (props: FieldRowProps) => {
  const { field } = props
  const [t, f] = [useTexts(), useFormats()]
  const { id, fault } = useParts(props)
  const { fallback, help, control } = field
  // an exact number that JavaScript would round stays as it was sent
  const written = (bound: string | null): string | null =>
    bound !== null && Number.isSafeInteger(Number(bound)) ? f.number(Number(bound)) : bound
  const [least, most] = [written(field.least), written(field.most)]
  const bounds =
    least !== null && most !== null
      ? `${least} – ${most}`
      : least !== null
        ? t.newTask.least(least)
        : most !== null
          ? t.newTask.most(most)
          : null
  const facts = [
    help,
    bounds,
    fallback === undefined || fallback === null ? null : t.newTask.usual(shownValue(fallback)),
    control === 'json' ? 'JSON' : null,
  ].filter(fact => fact !== null)
  return (
    <div class={fault === null ? 'field' : 'field faulty'}>
      <label for={id}>
        <SafeText text={field.label} />
        {field.isRequired ? null : <span class="soft"> · {t.newTask.optional}</span>}
      </label>
      <div class="field-control">
        {control === 'list' ? <ListControl {...props} /> : <Control {...props} />}
        <div id={`${id}-help`} class="field-help">
          <FaultLine fault={fault} />
          {facts.length === 0 ? null : <SafeText text={facts.join(' · ')} />}
        </div>
      </div>
    </div>
  )
}
