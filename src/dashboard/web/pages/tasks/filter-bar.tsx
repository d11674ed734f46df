// The filter bar: what the list is narrowed to, as chips, and a field with suggestions for more.
import { useId, useRef, useState } from 'preact/hooks'
import { useKeys } from '../../frame/keys.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { useQuery } from '../../router.tsx'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import {
  chipsOf,
  completed,
  type FilterName,
  isKnown,
  readWord,
  suggestionsFor,
  TIMES,
  withValue,
} from './filter.ts'

export interface FilterBarProps {
  known: { kinds: readonly string[]; owners: readonly string[]; codes: readonly string[] }
}

export const FilterBar = ({ known }: FilterBarProps) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.tasks
  const [query, change] = useQuery()
  const [text, setText] = useState('')
  const [isOpen, setOpen] = useState(false)
  const [at, setAt] = useState(-1)
  const [refused, setRefused] = useState<string | null>(null)
  const field = useRef<HTMLInputElement>(null)
  const listId = useId()
  const suggestions = suggestionsFor(text, known)
  const chips = chipsOf(query)
  const isShown = isOpen && suggestions.length > 0

  useKeys({ '/': { label: t.keys.search, run: () => field.current?.focus() } })

  const add = (word: string): void => {
    const read = readWord(word)
    if (!read) return
    if (!isKnown(read)) {
      setOpen(false)
      setRefused(read.value)
      return
    }
    change({ [read.name]: withValue(query, read), cursor: null })
    setText('')
    setAt(-1)
    setRefused(null)
    // it would lie over the rows that were asked for
    setOpen(false)
  }
  const labels: Readonly<Record<string, string>> = words.chips
  const labelOf = (name: string): string => labels[name] ?? name
  const timeOf = (name: FilterName, value: string): number => (TIMES.includes(name) ? Date.parse(value) : NaN)
  const shown = (name: FilterName, value: string): string => {
    const at = timeOf(name, value)
    return Number.isNaN(at) ? value : f.time(at)
  }
  const titleOf = (name: FilterName, [value = '']: readonly string[]): string | undefined => {
    const at = timeOf(name, value)
    return Number.isNaN(at) ? undefined : f.fullTime(at)
  }

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      setOpen(true)
      const step = event.key === 'ArrowDown' ? 1 : -1
      setAt(Math.min(suggestions.length - 1, Math.max(-1, at + step)))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      add((isShown && suggestions[at]) || completed(text, known))
    } else if (event.key === 'Escape') {
      if (isShown) setOpen(false)
      else field.current?.blur()
    } else if (event.key === 'Backspace' && text === '') {
      const last = chips.at(-1)
      if (last) change({ [last.name]: null, cursor: null })
    }
  }

  return (
    <div class="card filter-bar">
      {chips.map(({ name, values }) => (
        <span key={name} class="chip" title={titleOf(name, values)}>
          <SafeText text={`${labelOf(name)}: ${values.map(value => shown(name, value)).join(', ')}`} />
          <button
            type="button"
            class="bare"
            aria-label={words.remove(labelOf(name))}
            onClick={() => change({ [name]: null, cursor: null })}
          >
            ×
          </button>
        </span>
      ))}
      <input
        ref={field}
        type="text"
        role="combobox"
        aria-label={words.filter}
        aria-expanded={isShown}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={isShown && at >= 0 ? `${listId}-${at}` : undefined}
        title={words.filterHelp}
        placeholder={words.placeholder}
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        value={text}
        onInput={event => {
          setText(event.currentTarget.value)
          setRefused(null)
          setOpen(true)
          setAt(-1)
        }}
        onFocus={() => setOpen(true)}
        onClick={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      <span class="error-text small" role="status">
        {refused === null ? null : <SafeText text={words.noStatus(refused)} />}
      </span>
      {chips.length > 0 ? (
        <button
          type="button"
          class="bare underlined"
          onClick={() =>
            change({ ...Object.fromEntries(chips.map(({ name }) => [name, null])), cursor: null })
          }
        >
          {words.clear}
        </button>
      ) : (
        <span class="soft small">
          <kbd>/</kbd>
        </span>
      )}
      <div id={listId} role="listbox" aria-label={words.suggestions} class="suggestions" hidden={!isShown}>
        {suggestions.map((suggestion, index) => (
          <div
            key={suggestion}
            id={`${listId}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            // before the field loses the focus, which closes the list
            onMouseDown={event => {
              event.preventDefault()
              add(suggestion)
            }}
          >
            <SafeText text={suggestion} />
          </div>
        ))}
      </div>
    </div>
  )
}
