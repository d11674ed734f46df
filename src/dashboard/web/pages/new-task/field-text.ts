// A value as the text in its field, and what a text in a field means. Pure.
import { type ExactJson, ExactNumber, parseExact, printExact } from '../../format/exact-json.ts'
import { readJson } from '../../format/exact-object.ts'
import { fieldTimeOf, instantIn } from '../../format/field-time.ts'
import type { Field } from './schema-form.ts'

/** Why a text cannot stand in its field; the texts have words for each. */
export type Fault = 'missing' | 'integer' | 'number' | 'json' | 'instant'

export type Read = { value: ExactJson | undefined } | { fault: Fault }

const INTEGER = /^-?(?:0|[1-9]\d*)$/
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

export const textOf = (
  { control }: Pick<Field, 'control'>,
  value: ExactJson | undefined,
  isUtc = false,
): string => {
  if (value === undefined) return ''
  if (control === 'json') return printExact(value)
  if (value === null) return ''
  if (control === 'instant') return typeof value === 'string' ? fieldTimeOf(value, isUtc) : ''
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
    const instant = instantIn(trimmed, isUtc)
    return instant === null ? { fault: 'instant' } : { value: instant }
  }
  try {
    return { value: readJson(trimmed) }
  } catch {
    return { fault: 'json' }
  }
}
