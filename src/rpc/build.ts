// Generated structs from plain values: each field has to be named, and null means unset.
import thrift from 'thrift'

/** The fields of a generated struct; those that may be unset are null then. */
type Complete<A> = { [K in keyof A]-?: undefined extends A[K] ? Exclude<A[K], undefined> | null : A[K] }

/** A struct with these fields. */
export const build = <A extends object, S>(Struct: new (args?: A) => S, fields: Complete<A>): S =>
  new Struct(fields as A)

/** A whole number as Thrift's i64. */
export const i64 = (value: number): thrift.Int64 => new thrift.Int64(value)

/** The same of what may be null. */
export const i64OrNull = (value: number | null): thrift.Int64 | null => (value === null ? null : i64(value))

/** Numbers by name as a map of i64. */
export const i64s = (values: Readonly<Record<string, number>>): { [name: string]: thrift.Int64 } =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, i64(value)]))

/** JSON text, or null for what is not there. */
export const jsonOrNull = (value: unknown): string | null =>
  value === undefined || value === null ? null : JSON.stringify(value)
