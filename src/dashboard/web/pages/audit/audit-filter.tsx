// The filter of the audit: fields that write into the address, and the actions as chips.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { fieldTimeOf, instantIn } from '../../format/field-time.ts'
import { shownText } from '../../format/hidden-characters.ts'
import { useKeys } from '../../frame/keys.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { useQuery } from '../../router.tsx'
import { useCell } from '../../state/cell.ts'
import { zone } from '../../state/preferences.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { FILTERS, filterIn } from './audit.ts'

const Labelled = ({ id, label, children }: { id: string; label: string; children: ComponentChildren }) => (
  <span class="audit-field">
    <label for={id}>{label}</label>
    {children}
  </span>
)

/** A text of the address, written when the reader leaves the field or presses Enter. */
const useField = (name: 'actor' | 'target' | 'outcome' | 'from' | 'to', shown: (value: string) => string) => {
  const [query, change] = useQuery()
  const [text, setText] = useState('')
  const value = query.get(name)
  const of = value === null ? '' : shown(value)
  useEffect(() => setText(of), [of])
  return {
    id: `audit-${name}`,
    value: text,
    onInput: (event: { currentTarget: HTMLInputElement }) => setText(event.currentTarget.value),
    put: (next: string | null) => {
      if (next !== value) change({ [name]: next, cursor: null })
    },
  }
}

const TextOf = ({
  name,
  label,
  help,
  list,
}: {
  name: 'actor' | 'target' | 'outcome'
  label: string
  help: string
  list?: readonly string[]
}) => {
  const { put, ...field } = useField(name, value => value)
  const input = useRef<HTMLInputElement>(null)
  const t = useTexts()
  useKeys(name === 'actor' ? { '/': { label: t.keys.search, run: () => input.current?.focus() } } : {})
  return (
    <Labelled id={field.id} label={label}>
      <input
        {...field}
        ref={input}
        type="text"
        title={help}
        maxLength={200}
        autocomplete="off"
        spellcheck={false}
        {...(list ? { list: `${field.id}-list` } : {})}
        onChange={event => put(event.currentTarget.value.trim() || null)}
      />
      {list ? (
        <datalist id={`${field.id}-list`}>
          {list.map(each => (
            <option key={each} value={each} />
          ))}
        </datalist>
      ) : null}
    </Labelled>
  )
}

const TimeOf = ({ name, label }: { name: 'from' | 'to'; label: string }) => {
  const isUtc = useCell(zone) === 'utc'
  const { put, ...field } = useField(name, value => fieldTimeOf(value, isUtc))
  return (
    <Labelled id={field.id} label={label}>
      <input
        {...field}
        type="datetime-local"
        step={1}
        onChange={event => {
          const { value } = event.currentTarget
          put(value === '' ? null : instantIn(value, isUtc))
        }}
      />
    </Labelled>
  )
}

export const AuditFilter = ({ again }: { again: () => void }) => {
  const words = useTexts().audit
  const [query, change] = useQuery()
  const actions = query.getAll('action').filter(Boolean)
  const isFiltered = filterIn(query).length > 0
  return (
    <form
      class="card audit-filter"
      aria-label={words.filter}
      onSubmit={event => {
        event.preventDefault()
        again()
      }}
    >
      <TextOf name="actor" label={words.actor} help={words.actorHelp} />
      <Labelled id="audit-action" label={words.action}>
        <select
          id="audit-action"
          value=""
          onChange={event => {
            const { value } = event.currentTarget
            event.currentTarget.value = ''
            if (value !== '') change({ action: [...new Set([...actions, value])], cursor: null })
          }}
        >
          <option value="">{words.anyAction}</option>
          {Object.entries(words.actions).map(([action, meaning]) => (
            <option key={action} value={action}>
              {meaning}
            </option>
          ))}
        </select>
      </Labelled>
      <TextOf name="target" label={words.target} help={words.targetHelp} />
      <TextOf
        name="outcome"
        label={words.outcome}
        help={words.outcomeHelp}
        list={Object.keys(words.outcomes)}
      />
      <TimeOf name="from" label={words.from} />
      <TimeOf name="to" label={words.to} />
      <span class="audit-field">
        <button type="submit" class="button">
          {words.refresh}
        </button>
      </span>
      {isFiltered ? (
        <p class="audit-chips">
          {actions.map(action => (
            <span key={action} class="chip">
              <SafeText text={words.actions[action] ?? action} />
              <button
                type="button"
                class="bare"
                aria-label={words.without(shownText(words.actions[action] ?? action))}
                onClick={() => change({ action: actions.filter(one => one !== action), cursor: null })}
              >
                ×
              </button>
            </span>
          ))}
          <button
            type="button"
            class="bare underlined"
            onClick={() => change({ ...Object.fromEntries(FILTERS.map(name => [name, null])), cursor: null })}
          >
            {words.clear}
          </button>
        </p>
      ) : null}
    </form>
  )
}
