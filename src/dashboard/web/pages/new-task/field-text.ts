// A value as the text in its field, and what a text in a field means. Pure.
import { type ExactJson, ExactNumber, parseExact, printExact } from '../../format/exact-json.ts'
import { readJson } from '../../format/exact-object.ts'
import type { Field } from './schema-form.ts'

/** Why a text cannot stand in its field; the texts have words for each. */
export type Fault = 'missing' | 'integer' | 'number' | 'json' | 'instant'

export type Read = { value: ExactJson | undefined } | { fault: Fault }

const INTEGER = /^-?(?:0|[1-9]\d*)$/
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

const two = (value: number): string => String(value).padStart(2, '0')

/** As the field for date and time has it: `2026-01-31T12:00:00`, in the zone of the reader. */
const localText = (instant: string, isUtc: boolean): string => {
  const ms = Date.parse(instant)
  if (Number.isNaN(ms)) return ''
  const date = new Date(ms)
  if (isUtc) return date.toISOString().slice(0, 19)
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

export const textOf = (
  { control }: Pick<Field, 'control'>,
  value: ExactJson | undefined,
  isUtc = false,
): string => {
  if (value === undefined) return ''
  if (control === 'json') return printExact(value)
  if (value === null) return ''
  if (control === 'instant') return typeof value === 'string' ? localText(value, isUtc) : ''
  if (control === 'text' && typeof value === 'string') return value
  if (typeof value === 'number' || value instanceof ExactNumber) return String(value)
  return printExact(value)
}

/** What it means that nothing stands there. */
const empty = ({ isRequired, takesNull }: Pick<Field, 'isRequired' | 'takesNull'>): Read =>
  isRequired ? (takesNull ? { value: null } : { fault: 'missing' }) : { value: undefined }

export const readText = (field: Field, text: string, isUtc = false): Read => {
  const { control, isRequired, takesNull } = field
  if (control === 'text') return text === '' && (!isRequired || takesNull) ? empty(field) : { value: text }
  const trimmed = text.trim()
  if (trimmed === '') return empty(field)
  if (control === 'integer' || control === 'number') {
    const fits = control === 'integer' ? INTEGER : NUMBER
    return fits.test(trimmed) ? { value: parseExact(trimmed) } : { fault: control }
  }
  if (control === 'instant') {
    const ms = Date.parse(isUtc ? `${trimmed}Z` : trimmed)
    return Number.isNaN(ms) ? { fault: 'instant' } : { value: new Date(ms).toISOString() }
  }
  try {
    return { value: readJson(trimmed) }
  } catch {
    return { fault: 'json' }
  }
}
