// Params on a command line: `digits=1000`, `sizes:=[[128,128]]`, `image=@photo.jpg`. The kind's JSON Schema says of which
// type a text is. Pure: files are named in the answer, and somebody else sends them.
import type { Json } from '../../client/task.ts'
import { usage } from '../exit.ts'
import { readJson } from './json-text.ts'
import { fieldsOf, isOpen, itemsOf, type Schema, type SchemaType, takesUpload, typesOf } from './schema.ts'

export interface FilePlace {
  /** Names of fields, and numbers of elements. */
  path: (string | number)[]
  file: string
}
export interface ReadParams {
  params: Json
  /** Where an upload's `{"$upload": id}` is to stand in the params. */
  files: FilePlace[]
}

type Fields = { [key: string]: Json }

const isFields = (value: Json | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/** `null`: the text is none of this type. */
const READERS: Readonly<Record<SchemaType, (text: string, what: string) => { value: Json } | null>> = {
  null: text => (text === 'null' ? { value: null } : null),
  boolean: text => (text === 'true' || text === 'false' ? { value: text === 'true' } : null),
  integer: (text, what) =>
    NUMBER.test(text) && Number.isInteger(Number(text)) ? { value: readJson(text, what) } : null,
  number: (text, what) => (NUMBER.test(text) ? { value: readJson(text, what) } : null),
  object: (text, what) => (text.startsWith('{') ? { value: readJson(text, what) } : null),
  array: (text, what) => (text.startsWith('[') ? { value: readJson(text, what) } : null),
  string: text => ({ value: text }),
}
/** A text fits everything, so it is tried last. */
const ORDER: readonly SchemaType[] = ['null', 'boolean', 'integer', 'number', 'object', 'array', 'string']
const CALLED: Readonly<Record<SchemaType, string>> = {
  null: 'null',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  object: 'JSON of an object',
  array: 'JSON of a list',
  string: 'a text',
}

/** A text as the value that its schema asks for. @throws ConsoleError */
const typedValue = (text: string, schema: Schema, root: Schema, what: string): Json => {
  const types = typesOf(schema, root)
  if (types.size === 0) return text
  for (const type of ORDER) {
    const found = types.has(type) ? READERS[type](text, what) : null
    if (found) return found.value
  }
  const wanted = ORDER.filter(type => types.has(type) && !(type === 'integer' && types.has('number')))
  throw usage(`${what} is ${wanted.map(type => CALLED[type]).join(' or ')}, not ${JSON.stringify(text)}`)
}

const PARAM = /^([^=]*?)(:?)=([\s\S]*)$/

/** The fields of a path: `a.b`, unless a field is called so itself. */
const pathOf = (name: string, schema: Schema): string[] =>
  fieldsOf(schema, schema).has(name) ? [name] : name.split('.')

/**
 * @param words of the command line
 * @param schema of the kind's params
 * @param base params of a file, which the words change; null: there is none
 * @throws ConsoleError for words that are no params, or do not fit the schema
 */
export const readParams = (words: readonly string[], schema: unknown, base: Json | null): ReadParams => {
  const root: Schema = typeof schema === 'object' && schema !== null ? (schema as Schema) : {}
  const files: FilePlace[] = []
  if (words.length === 0) return { params: base ?? {}, files }
  if (base !== null && !isFields(base))
    throw usage('The params of the file are no object, so that no field can be set in them')
  const params: Fields = structuredClone(base ?? {})
  /** Those that the words have set, which a word of the same name adds to. */
  const set = new Set<string>()

  for (const word of words) {
    const [, name = '', mark = '', text = ''] = PARAM.exec(word) ?? []
    if (name === '')
      throw usage(`${JSON.stringify(word)} is no param`, 'a param is name=value, name:=json or name=@file')
    const path = pathOf(name, root)
    if (path.includes('') || path.includes('__proto__'))
      throw usage(`${JSON.stringify(name)} is no name of a param`)
    let into = params
    let at: Schema = root
    for (const [depth, field] of path.entries()) {
      const fields = fieldsOf(at, root)
      if (!fields.has(field) && !isOpen(at, root)) {
        const has = [...fields.keys()].join(', ')
        const where = depth === 0 ? 'The kind' : path.slice(0, depth).join('.')
        throw usage(`${where} has no param ${field}${has === '' ? '' : `; it has ${has}`}`)
      }
      at = fields.get(field) ?? {}
      if (depth === path.length - 1) break
      const next = Object.hasOwn(into, field) ? into[field] : undefined
      if (next !== undefined && !isFields(next))
        throw usage(`${path.slice(0, depth + 1).join('.')} has no fields`)
      const inner: Fields = next ?? {}
      into[field] = inner
      into = inner
    }
    const last = path.at(-1) ?? ''
    const holder = into
    const put = (value: Json): void => {
      holder[last] = value
    }
    const key = JSON.stringify(path)
    if (mark === ':') {
      put(readJson(text, name))
      set.add(key)
      continue
    }
    const items = itemsOf(at, root)
    const types = typesOf(at, root)
    // a list by its elements, one or several times
    const isElement = items !== null && types.has('array') && !types.has('string') && !text.startsWith('[')
    const of = isElement ? items : at
    const before = isElement && set.has(key) ? into[last] : undefined
    const list = Array.isArray(before) ? before : []
    if (!isElement && set.has(key)) throw usage(`${name} stands there twice`)
    set.add(key)
    let value: Json
    if (takesUpload(of, root)) {
      if (text.startsWith('@') && text.length > 1) {
        files.push({ path: isElement ? [...path, list.length] : path, file: text.slice(1) })
        value = null
      } else if (UUID.test(text)) value = { $upload: text.toLowerCase() }
      else throw usage(`${name} is a file: ${name}=@FILE sends one, ${name}=ID names an upload`)
    } else value = typedValue(text, of, root, name)
    put(isElement ? [...list, value] : value)
  }
  return { params, files }
}

/** Puts an upload where its file was named. */
export const placeUpload = (params: Json, path: readonly (string | number)[], id: string): void => {
  let at = params as Fields | Json[]
  for (const part of path.slice(0, -1)) at = (at as Fields)[part as string] as Fields | Json[]
  ;(at as Fields)[path.at(-1) as string] = { $upload: id }
}
