// What a kind takes for a file, as the JSON Schema of its params says, and how params name one. Pure.
import type { ExactJson } from './exact-json.ts'
import { fieldOf, isObject, textField } from './exact-object.ts'

export interface FileRule {
  /** Media types such as `image/png` or `image/*`; null: any. */
  types: readonly string[] | null
  maxBytes: number | null
}

/** Null: the schema asks for no file. */
export const fileRuleOf = (schema: ExactJson | undefined): FileRule | null => {
  const rule = fieldOf(schema, 'x-upload')
  if (!isObject(rule)) return null
  const [types, most] = [rule.types, Number(rule.maxBytes ?? Number.NaN)]
  return {
    types: Array.isArray(types) ? types.filter(each => typeof each === 'string') : null,
    maxBytes: Number.isFinite(most) ? most : null,
  }
}

const isOfType = (type: string, types: readonly string[]): boolean =>
  types.some(wanted => (wanted.endsWith('/*') ? type.startsWith(wanted.slice(0, -1)) : wanted === type))

/**
 * Why a file need not be sent at all; null: it may fit. The browser knows a type by the name alone, so where it names
 * none, or an application's for what may be text, the server decides by the bytes.
 */
export const refusalOf = (file: { type: string; size: number }, rule: FileRule): 'type' | 'size' | null => {
  const { types, maxBytes } = rule
  const mayBeText = types?.some(type => type.startsWith('text/')) && file.type.startsWith('application/')
  if (types !== null && file.type !== '' && !mayBeText && !isOfType(file.type, types)) return 'type'
  return maxBytes !== null && file.size > maxBytes ? 'size' : null
}

/** `JPEG, PNG`, as people call them. */
export const typeNames = (types: readonly string[]): string =>
  types.map(type => type.replace(/^image\/(?!\*)/, '').toUpperCase()).join(', ')

/** The id of an upload that a value names; null: it names none. */
export const uploadIn = (value: ExactJson | undefined): string | null =>
  isObject(value) && Object.keys(value).length === 1 ? textField(value, '$upload') : null

/** Every upload that a value names, each once. */
export const uploadsIn = (value: ExactJson | undefined): string[] => {
  const found = new Set<string>()
  const rest: (ExactJson | undefined)[] = [value]
  while (rest.length > 0) {
    const each = rest.pop()
    const id = uploadIn(each)
    if (id !== null) found.add(id.toLowerCase())
    else if (Array.isArray(each)) rest.push(...each.toReversed())
    else if (isObject(each)) rest.push(...Object.values(each).toReversed())
  }
  return [...found]
}

/** An example without its uploads: they are made up, and the reader has files of their own. */
export const withoutUploads = (value: ExactJson): ExactJson => {
  if (Array.isArray(value)) return value.filter(each => uploadIn(each) === null).map(withoutUploads)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => uploadIn(each) === null)
      .map(([name, each]) => [name, withoutUploads(each)]),
  )
}
