// Reading and changing exact JSON by the names that lead to a value. Nothing is changed in place. Pure.
import { type ExactJson, ExactNumber, parseExact } from './exact-json.ts'

export type ExactObject = { [key: string]: ExactJson }

export const isObject = (value: ExactJson | undefined): value is ExactObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)

/** Its own fields alone: a name such as `toString` is none. */
export const fieldOf = (value: ExactJson | undefined, name: string): ExactJson | undefined =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined

export const textField = (value: ExactJson | undefined, name: string): string | null => {
  const found = fieldOf(value, name)
  return typeof found === 'string' ? found : null
}

/** A field of an object, or a value of a list by its place. */
const stepInto = (value: ExactJson | undefined, name: string): ExactJson | undefined =>
  Array.isArray(value) ? (/^\d+$/.test(name) ? value[Number(name)] : undefined) : fieldOf(value, name)

/** Undefined where nothing stands. */
export const valueAt = (value: ExactJson | undefined, path: readonly string[]): ExactJson | undefined =>
  path.reduce(stepInto, value)

const withPlaceAt = (list: readonly ExactJson[], at: number, next: ExactJson | undefined): ExactJson[] =>
  next === undefined ? list.filter((_, index) => index !== at) : list.with(at, next)

/** What is no object on the way becomes one. Undefined removes the field. */
export const withValueAt = (
  value: ExactJson | undefined,
  path: readonly string[],
  next: ExactJson | undefined,
): ExactJson | undefined => {
  const [name, ...rest] = path
  if (name === undefined) return next
  if (Array.isArray(value) && Number(name) < value.length)
    return withPlaceAt(value, Number(name), withValueAt(value[Number(name)], rest, next))
  const entries: [string, ExactJson][] = isObject(value) ? Object.entries(value) : []
  const inner = withValueAt(fieldOf(value, name), rest, next)
  const at = entries.findIndex(([key]) => key === name)
  if (inner === undefined) return Object.fromEntries(entries.filter((_, index) => index !== at))
  if (at === -1) entries.push([name, inner])
  else entries[at] = [name, inner]
  return Object.fromEntries(entries)
}

/** As `parseExact`, and as strict as JSON.parse. @throws SyntaxError with the browser's words */
export const readJson = (text: string): ExactJson => {
  JSON.parse(text)
  return parseExact(text)
}
