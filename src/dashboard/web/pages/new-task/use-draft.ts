// The submission while it is written: its value, what stands in fields but is no value yet, and the same as JSON.
import { useState } from 'preact/hooks'
import { type ExactJson, printExact } from '../../format/exact-json.ts'
import { type ExactObject, isObject, readJson, valueAt, withValueAt } from '../../format/exact-object.ts'
import { useCell } from '../../state/cell.ts'
import { zone } from '../../state/preferences.ts'
import { type Fault, readText, textOf } from './field-text.ts'
import { type Field, type FormEntry, fieldsOf, keyOf } from './schema-form.ts'

interface State {
  value: ExactObject
  /** What the reader typed, by the field's key: digits and spaces stay as they were written. */
  texts: Readonly<Record<string, string>>
  /** What the reader typed as JSON; null: it follows the value. */
  json: string | null
}

export interface Draft {
  value: ExactObject
  valueOf(field: Field): ExactJson | undefined
  textOf(field: Field): string
  type(field: Field, text: string): void
  put(field: Field, value: ExactJson | undefined): void
  json: string
  /** Whether what stands there as JSON is no object. */
  isJsonBroken: boolean
  typeJson(text: string): void
  /** Fields whose text is no value, by their keys. */
  faults(entries: readonly FormEntry[]): Map<string, Fault>
}

const withField = (value: ExactObject, field: Field, next: ExactJson | undefined): ExactObject => {
  const changed = withValueAt(value, field.path, next)
  const around = field.path.slice(0, -1)
  const held = valueAt(changed, around)
  const isEmpty = field.isInOptional && isObject(held) && Object.keys(held).length === 0
  return (isEmpty ? withValueAt(changed, around, undefined) : changed) as ExactObject
}

/** A list's fields, one for each value in it. */
export const itemsOf = (field: Field, value: ExactJson | undefined): Field[] => {
  const { item } = field
  if (!item || !Array.isArray(value)) return []
  return value.map((_, at) => ({
    ...item,
    path: [...field.path, String(at)],
    label: `${field.label} ${at + 1}`,
  }))
}

const brokenJson = (text: string): boolean => {
  try {
    return !isObject(readJson(text))
  } catch {
    return true
  }
}

export const useDraft = (first: () => ExactObject): Draft => {
  const isUtc = useCell(zone) === 'utc'
  const [state, setState] = useState<State>(() => ({ value: first(), texts: {}, json: null }))
  const { value, texts, json } = state

  const put = (field: Field, next: ExactJson | undefined): void =>
    setState(before => ({
      value: withField(before.value, field, next),
      // of the field, and of a list's values
      texts: Object.fromEntries(
        Object.entries(before.texts).filter(([key]) => !`${key}.`.startsWith(`${keyOf(field.path)}.`)),
      ),
      json: null,
    }))
  return {
    value,
    valueOf: ({ path }) => valueAt(value, path),
    textOf: field => texts[keyOf(field.path)] ?? textOf(field, valueAt(value, field.path), isUtc),
    type(field, text) {
      const read = readText(field, text, isUtc)
      setState(before => ({
        value: 'fault' in read ? before.value : withField(before.value, field, read.value),
        texts: { ...before.texts, [keyOf(field.path)]: text },
        json: null,
      }))
    },
    put,
    json: json ?? printExact(value),
    isJsonBroken: json !== null && brokenJson(json),
    typeJson(text) {
      const read = brokenJson(text) ? null : (readJson(text) as ExactObject)
      setState(before => ({ value: read ?? before.value, texts: read ? {} : before.texts, json: text }))
    },
    faults(entries) {
      const all = fieldsOf(entries).flatMap(field => [field, ...itemsOf(field, valueAt(value, field.path))])
      return new Map(
        all.flatMap(field => {
          const text = texts[keyOf(field.path)]
          const read = text === undefined ? null : readText(field, text, isUtc)
          return read && 'fault' in read ? [[keyOf(field.path), read.fault] as const] : []
        }),
      )
    },
  }
}
