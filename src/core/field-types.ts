// The types of a record's fields. Each is a schema, which decides, and a quick check for plainly valid values. A
// check accepts nothing that its schema would refuse or change (test/core/task-check.test.ts).
import { z } from 'zod'

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
/** Any JSON value. */
export const jsonSchema = z.json() as z.ZodType<Json>
/**
 * How deep JSON values may nest in a record. Values from APIs and kinds stay far below; an import can bring deeper
 * ones.
 */
export const RECORD_DEPTH_LIMIT = 500

export type QuickCheck = (value: unknown) => boolean

export interface FieldType<S extends z.ZodType = z.ZodType> {
  readonly schema: S
  readonly check: QuickCheck
  /** The field may be missing. */
  readonly optional?: true
}

/** A type whose schema is defined elsewhere. */
export const typeOf = <S extends z.ZodType>(schema: S, check: QuickCheck): FieldType<S> => ({ schema, check })

export const text = typeOf(z.string(), value => typeof value === 'string')

export const literal = <const T extends string | number>(only: T) =>
  typeOf(z.literal(only), value => value === only)

export const oneOf = <T extends string>(words: readonly T[]) => {
  const known: ReadonlySet<unknown> = new Set(words)
  return typeOf(z.enum(words), value => known.has(value))
}

const timePattern = z.regexes.datetime({ precision: 3 })
/** ISO-8601, UTC, milliseconds: sorts as text in order of time. */
export const time = typeOf(
  z.iso.datetime({ precision: 3 }),
  value => typeof value === 'string' && timePattern.test(value),
)

export const isNumber =
  (min = -Number.MAX_VALUE, max = Number.MAX_VALUE): QuickCheck =>
  value =>
    typeof value === 'number' && value >= min && value <= max

export const anyNumber = typeOf(z.number(), isNumber())

const isInt =
  (min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): QuickCheck =>
  value =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
/** Any whole number. */
export const anyInt = typeOf(z.int(), isInt())
export const intFrom = (min: number) => typeOf(z.int().min(min), isInt(min))
export const intBetween = (min: number, max: number) => typeOf(z.int().min(min).max(max), isInt(min, max))

/** As deep as a record may nest. The schema decides about deeper values of older versions. */
const isJson = (value: unknown, depth = RECORD_DEPTH_LIMIT): boolean => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || depth === 0) return false
  if (Array.isArray(value)) {
    for (const each of value) if (!isJson(each, depth - 1)) return false
    return true
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  // JSON has no symbols, and the schema drops this one name
  if (Object.getOwnPropertySymbols(value).length > 0 || Object.hasOwn(value, '__proto__')) return false
  for (const each of Object.values(value)) if (!isJson(each, depth - 1)) return false
  return true
}
export const json = typeOf(jsonSchema, value => isJson(value))

export const orNull = <S extends z.ZodType>({ schema, check }: FieldType<S>) =>
  typeOf(schema.nullable(), value => value === null || check(value))

/** May be missing, such as a field that older records do not have. */
export const optional = <S extends z.ZodType>({ schema, check }: FieldType<S>) => ({
  ...typeOf(schema.optional(), check),
  optional: true as const,
})

/** Exactly these fields, of which some may be missing. */
export const isObject = (
  fields: Readonly<Record<string, QuickCheck>>,
  mayBeMissing: readonly string[] = [],
): QuickCheck => {
  const checks = Object.entries(fields).map(
    ([name, check]) => [name, check, mayBeMissing.includes(name)] as const,
  )
  return value => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    let missing = 0
    for (const [name, check, optional] of checks)
      if (!Object.hasOwn(value, name)) {
        if (!optional) return false
        missing += 1
      } else if (!check((value as Record<string, unknown>)[name])) return false
    return Object.keys(value).length === checks.length - missing
  }
}

/** These fields. The schema drops all others. */
export const object = <T extends Readonly<Record<string, FieldType>>>(fields: T) => {
  const part = <K extends keyof FieldType>(key: K) =>
    Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, type[key]]))
  return typeOf(
    z.object(part('schema') as { [K in keyof T]: T[K]['schema'] }),
    isObject(
      part('check') as Record<string, QuickCheck>,
      Object.keys(fields).filter(name => fields[name]?.optional),
    ),
  )
}

export const array = <S extends z.ZodType>({ schema, check }: FieldType<S>) =>
  typeOf(z.array(schema), value => Array.isArray(value) && value.every(check))
