// The compact protocol: types in half a byte, numbers as varints, seven bits a byte with the lowest first.
import { FIRST_BYTE } from './dialect.ts'
import type { Cursor, Grammar } from './grammar.ts'

const TYPE = {
  stop: 0,
  true: 1,
  false: 2,
  i16: 4,
  i32: 5,
  i64: 6,
  string: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const
/** Bytes of the types that have one size: bool outside of a field's header, i8, double, uuid. */
const SIZES: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 1, 7: 8, 13: 16 }
const LAST_TYPE = 13
/** The longest varints of 32 and of 64 bits. */
const VARINT_32 = 5
const VARINT_64 = 10
const VERSION = 1

/** The unsigned varint at an offset and its size, or null when it is not all here. @throws BAD_REQUEST when too long */
const varintAt = (
  cursor: Cursor,
  offset: number,
  longest: number,
): { value: number; size: number } | null => {
  let value = 0
  let weight = 1
  for (let size = 1; size <= longest; size += 1) {
    if (!cursor.here(offset + size)) return null
    const byte = cursor.byte(offset + size - 1)
    value += (byte & 0x7f) * weight
    if (byte < 0x80) return { value, size }
    weight *= 0x80
  }
  throw cursor.refuse(`A number has more than ${longest} bytes`)
}

const passVarint = (cursor: Cursor, longest: number): boolean => {
  const found = varintAt(cursor, 0, longest)
  if (found) cursor.pass(found.size)
  return found !== null
}

/** The type of an element, which the library reads even if there is none. @throws BAD_REQUEST */
const element = (cursor: Cursor, type: number, count: number): number => {
  if (type <= LAST_TYPE && (type !== TYPE.stop || count === 0)) return type
  throw cursor.refuse(`There is no type ${type}`)
}

const list = (cursor: Cursor): boolean => {
  if (!cursor.here(1)) return false
  const [short, type] = [cursor.byte(0) >> 4, cursor.byte(0) & 0x0f]
  // 15: the count does not fit in half a byte and follows
  const long = short === 15 ? varintAt(cursor, 1, VARINT_32) : { value: short, size: 0 }
  if (!long) return false
  const count = cursor.count(long.value)
  element(cursor, type, count)
  cursor.pass(1 + long.size)
  const size = SIZES[type]
  if (size === undefined) cursor.enter({ types: [type, type], left: count })
  else cursor.skip(size * count)
  return true
}

const map = (cursor: Cursor): boolean => {
  const found = varintAt(cursor, 0, VARINT_32)
  if (!found) return false
  const count = cursor.count(found.value)
  if (count === 0) {
    cursor.pass(found.size)
    return true
  }
  if (!cursor.here(found.size + 1)) return false
  const types = [cursor.byte(found.size) >> 4, cursor.byte(found.size) & 0x0f] as const
  for (const type of types) element(cursor, type, count)
  cursor.pass(found.size + 1)
  // `left` counts keys and values: while it is even, a key comes next
  cursor.enter({ types, left: 2 * count })
  return true
}

export const compactGrammar: Grammar = {
  header(cursor, nameBytes) {
    if (!cursor.here(2)) return null
    const kind = cursor.byte(1)
    if (cursor.byte(0) !== FIRST_BYTE.compact || (kind & 0x1f) !== VERSION)
      throw cursor.refuse('The version of the compact protocol must be 1')
    const seqid = varintAt(cursor, 2, VARINT_32)
    if (!seqid) return null
    if (seqid.value > 0xffff_ffff) throw cursor.refuse('The number of a call has 32 bits')
    const length = varintAt(cursor, 2 + seqid.size, VARINT_32)
    if (!length) return null
    if (length.value > nameBytes) throw cursor.refuse(`The name of a method has 0 to ${nameBytes} bytes`)
    const begin = 2 + seqid.size + length.size
    if (!cursor.here(begin + length.value)) return null
    const name = cursor.text(begin, length.value)
    cursor.pass(begin + length.value)
    return { name, seqid: seqid.value | 0, type: kind >> 5 }
  },

  value(cursor, type) {
    const size = SIZES[type]
    if (size !== undefined) {
      cursor.skip(size)
      return true
    }
    switch (type) {
      case TYPE.i16:
      case TYPE.i32:
        return passVarint(cursor, VARINT_32)
      case TYPE.i64:
        return passVarint(cursor, VARINT_64)
      case TYPE.string: {
        const length = varintAt(cursor, 0, VARINT_32)
        if (!length) return false
        cursor.pass(length.size)
        cursor.skip(length.value)
        return true
      }
      case TYPE.struct:
        cursor.enter('struct')
        return true
      case TYPE.list:
      case TYPE.set:
        return list(cursor)
      case TYPE.map:
        return map(cursor)
      default:
        throw cursor.refuse(`There is no type ${type}`)
    }
  },

  field(cursor) {
    if (!cursor.here(1)) return false
    const type = cursor.byte(0) & 0x0f
    if (type === TYPE.stop) {
      cursor.pass(1)
      cursor.leave()
      return true
    }
    // without a step from the last field's id the id follows
    const id = cursor.byte(0) >> 4 === 0 ? varintAt(cursor, 1, VARINT_32) : { size: 0 }
    if (!id) return false
    cursor.pass(1 + id.size)
    // a bool stands in the type
    if (type !== TYPE.true && type !== TYPE.false) cursor.expect(type)
    return true
  },
}
