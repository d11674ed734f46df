// What a JSON Schema asks for, as fields of a form: an object's fields, those of objects in it, and lists of plain
// values. Everything else is a field for JSON. Pure.
import { type ExactJson, ExactNumber, printExact } from '../../format/exact-json.ts'
import { type ExactObject, fieldOf, isObject, textField } from '../../format/exact-object.ts'
import { type FileRule, fileRuleOf, uploadIn } from '../../format/file-rule.ts'

export type Control =
  | 'integer'
  | 'number'
  | 'text'
  | 'choice'
  | 'switch'
  | 'instant'
  | 'list'
  | 'file'
  | 'json'

export interface Field {
  /** The names that lead to it from the whole submission. */
  path: readonly string[]
  label: string
  control: Control
  isRequired: boolean
  /** Empty means null where it is required. */
  takesNull: boolean
  help: string | null
  /** What stands in its place when it is left out. */
  fallback: ExactJson | undefined
  choices: readonly ExactJson[]
  /** As digits. */
  least: string | null
  most: string | null
  /** A text of several lines. */
  isLong: boolean
  /** What a list is made of. */
  item: Field | null
  /** What a file must be; null: it is no field for a file. */
  file: FileRule | null
  /** Whether the object around it goes when its last field goes. */
  isInOptional: boolean
}

/** An object in the object: its fields under its name. */
export interface FieldGroup {
  path: readonly string[]
  label: string
  help: string | null
  fields: readonly Field[]
}
export type FormEntry = Field | FieldGroup

export const isGroup = (entry: FormEntry): entry is FieldGroup => 'fields' in entry
export const keyOf = (path: readonly string[]): string => path.join('.')
export const fieldsOf = (entries: readonly FormEntry[]): Field[] =>
  entries.flatMap(entry => (isGroup(entry) ? entry.fields : [entry]))

const REFERENCES = 10
/** A text that may be longer gets several lines. */
const LINE = 200
/** What JavaScript can count to is no bound that anybody has set. */
const NO_BOUNDS = ['9007199254740991', '-9007199254740991']

const isPlain = (value: ExactJson): boolean =>
  typeof value !== 'object' || value instanceof ExactNumber || value === null
const isNull = (schema: ExactJson): boolean =>
  fieldOf(schema, 'type') === 'null' || fieldOf(schema, 'const') === null

/** Behind its references. */
const resolved = (schema: ExactJson | undefined, root: ExactJson): ExactJson | undefined => {
  let found = schema
  for (let turns = 0; turns < REFERENCES; turns += 1) {
    const reference = textField(found, '$ref')
    if (reference === null || !reference.startsWith('#')) return found
    const target = reference
      .slice(1)
      .split('/')
      .slice(1)
      .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce(fieldOf, root as ExactJson | undefined)
    // what stands beside a reference says more of it: a description, a default
    found = isObject(target) && isObject(found) ? { ...target, ...without(found, '$ref') } : target
  }
  return undefined
}
const without = (object: ExactObject, name: string): ExactObject =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))

/** The schema without its alternative `null`. */
const withoutNull = (
  schema: ExactJson | undefined,
  root: ExactJson,
): { schema: ExactJson | undefined; takesNull: boolean } => {
  const type = fieldOf(schema, 'type')
  if (isObject(schema) && Array.isArray(type) && type.length === 2 && type.includes('null'))
    return { schema: { ...schema, type: type.find(each => each !== 'null') ?? null }, takesNull: true }
  const any = fieldOf(schema, 'anyOf') ?? fieldOf(schema, 'oneOf')
  if (!isObject(schema) || !Array.isArray(any)) return { schema, takesNull: false }
  const others = any.filter(each => !isNull(each))
  const [only] = others
  if (others.length !== 1 || others.length === any.length) return { schema, takesNull: false }
  const inner = resolved(only, root)
  const outer = without(without(schema, 'anyOf'), 'oneOf')
  return { schema: isObject(inner) ? { ...inner, ...outer } : inner, takesNull: true }
}

const choicesOf = (schema: ExactJson | undefined): ExactJson[] => {
  const listed = fieldOf(schema, 'enum')
  if (Array.isArray(listed) && listed.every(isPlain)) return listed
  const constant = fieldOf(schema, 'const')
  if (constant !== undefined && isPlain(constant)) return [constant]
  const any = fieldOf(schema, 'anyOf') ?? fieldOf(schema, 'oneOf')
  if (!Array.isArray(any) || any.length === 0) return []
  const constants = any.map(each => fieldOf(each, 'const'))
  return constants.every(each => each !== undefined && isPlain(each)) ? (constants as ExactJson[]) : []
}

const digitsOf = (value: ExactJson | undefined): string | null =>
  (typeof value === 'number' || value instanceof ExactNumber) && !NO_BOUNDS.includes(String(value))
    ? String(value)
    : null

const CONTROLS: Readonly<Record<string, Control>> = {
  integer: 'integer',
  number: 'number',
  string: 'text',
  boolean: 'switch',
  array: 'list',
}

interface Place {
  path: readonly string[]
  label: string
  isRequired: boolean
  isInOptional: boolean
}

const fieldFrom = (
  given: ExactJson | undefined,
  root: ExactJson,
  place: Place,
  value: ExactJson | undefined,
): Field => {
  const { schema, takesNull } = withoutNull(resolved(given, root), root)
  const type = textField(schema, 'type')
  const choices = choicesOf(schema)
  // what stands there and names no file can be mended as JSON alone
  const file = value === undefined || value === null || uploadIn(value) !== null ? fileRuleOf(schema) : null
  const usual = file ? 'file' : choices.length > 0 ? 'choice' : (CONTROLS[type ?? ''] ?? 'json')
  const item = usual === 'list' ? itemFrom(schema, root, place) : null
  const longest = fieldOf(schema, 'maxLength')
  const isList = item !== null && (value === undefined || Array.isArray(value))
  return {
    ...place,
    control: usual === 'list' && !isList ? 'json' : usual,
    takesNull,
    help: textField(schema, 'description'),
    fallback: fieldOf(schema, 'default'),
    choices,
    least: digitsOf(fieldOf(schema, 'minimum')) ?? digitsOf(fieldOf(schema, 'exclusiveMinimum')),
    most: digitsOf(fieldOf(schema, 'maximum')) ?? digitsOf(fieldOf(schema, 'exclusiveMaximum')),
    isLong: typeof longest === 'number' && longest > LINE,
    item,
    file,
  }
}

/** Null: what the list holds is no plain value. */
const itemFrom = (schema: ExactJson | undefined, root: ExactJson, place: Place): Field | null => {
  const items = fieldOf(schema, 'items')
  if (!isObject(items) || fieldOf(schema, 'prefixItems') !== undefined) return null
  const item = fieldFrom(items, root, { ...place, isRequired: true }, undefined)
  return ['integer', 'number', 'text', 'choice', 'file'].includes(item.control) ? item : null
}

/** The fields of an object, and those that its value has beyond its schema. Null: it has no fields of its own. */
const namesOf = (
  schema: ExactJson | undefined,
  value: ExactJson | undefined,
): [string, ExactJson | undefined][] | null => {
  const properties = fieldOf(schema, 'properties')
  if (fileRuleOf(schema) !== null) return null
  if (!isObject(properties) || (value !== undefined && !isObject(value))) return null
  const known = Object.entries(properties)
  if (known.length === 0) return null
  const more = Object.keys(value ?? {}).filter(name => !Object.hasOwn(properties, name))
  return [...known, ...more.map((name): [string, undefined] => [name, undefined])]
}

const requiredIn = (schema: ExactJson | undefined): readonly ExactJson[] => {
  const required = fieldOf(schema, 'required')
  return Array.isArray(required) ? required : []
}

/**
 * @param path where the value stands in the submission
 * @param value what stands there now: what does not fit its schema's shape is a field for JSON
 */
export const formOf = (
  given: ExactJson,
  path: readonly string[],
  value: ExactJson | undefined,
): FormEntry[] => {
  const schema = resolved(given, given)
  const names = namesOf(schema, value)
  const label = path.at(-1) ?? ''
  if (names === null)
    return [fieldFrom(schema, given, { path, label, isRequired: true, isInOptional: false }, value)]
  return names.map(([name, property]): FormEntry => {
    const isRequired = requiredIn(schema).includes(name)
    const place = { path: [...path, name], label: name, isRequired, isInOptional: false }
    const inner = resolved(property, given)
    const held = fieldOf(value, name)
    const innerNames = namesOf(inner, held)
    if (innerNames === null) return fieldFrom(property, given, place, held)
    const fields = innerNames.map(([innerName, innerProperty]) =>
      fieldFrom(
        innerProperty,
        given,
        {
          path: [...place.path, innerName],
          label: innerName,
          isRequired: requiredIn(inner).includes(innerName),
          isInOptional: !isRequired,
        },
        fieldOf(held, innerName),
      ),
    )
    return { path: place.path, label: name, help: textField(inner, 'description'), fields }
  })
}

/** A value as one writes it: texts without quotes. */
export const shownValue = (value: ExactJson): string =>
  typeof value === 'string' ? value : printExact(value, '')
