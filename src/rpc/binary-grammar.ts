// The binary protocol with strict headers: types in one byte, sizes and lengths in four.
import { FIRST_BYTE } from './dialect.ts'
import type { Grammar } from './grammar.ts'

const TYPE = { stop: 0, string: 11, struct: 12, map: 13, set: 14, list: 15 } as const
/** Bytes of the types that have one size: bool, i8, double, i16, i32, i64, uuid. */
const SIZES: Readonly<Record<number, number>> = { 2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8, 16: 16 }

export const binaryGrammar: Grammar = {
  header(cursor, nameBytes) {
    if (!cursor.here(8)) return null
    if (cursor.byte(0) !== FIRST_BYTE.binary || cursor.byte(1) !== 1)
      throw cursor.refuse('The version of the binary protocol must be 1')
    const length = cursor.i32(4)
    if (length < 0 || length > nameBytes)
      throw cursor.refuse(`The name of a method has 0 to ${nameBytes} bytes`)
    const size = 8 + length + 4
    if (!cursor.here(size)) return null
    const header = { name: cursor.text(8, length), seqid: cursor.i32(8 + length), type: cursor.byte(3) }
    cursor.pass(size)
    return header
  },

  value(cursor, type) {
    const size = SIZES[type]
    if (size !== undefined) {
      cursor.skip(size)
    } else if (type === TYPE.string) {
      if (!cursor.here(4)) return false
      const length = cursor.i32(0)
      if (length < 0) throw cursor.refuse('A string has a negative length')
      cursor.pass(4)
      cursor.skip(length)
    } else if (type === TYPE.struct) {
      cursor.enter('struct')
    } else if (type === TYPE.list || type === TYPE.set) {
      if (!cursor.here(5)) return false
      const element = cursor.byte(0)
      const count = cursor.count(cursor.i32(1))
      cursor.pass(5)
      const elementSize = SIZES[element]
      if (elementSize === undefined) cursor.enter({ types: [element, element], left: count })
      else cursor.skip(elementSize * count)
    } else if (type === TYPE.map) {
      if (!cursor.here(6)) return false
      const types = [cursor.byte(0), cursor.byte(1)] as const
      const count = cursor.count(cursor.i32(2))
      cursor.pass(6)
      // `left` counts keys and values: while it is even, a key comes next
      cursor.enter({ types, left: 2 * count })
    } else {
      throw cursor.refuse(`There is no type ${type}`)
    }
    return true
  },

  field(cursor) {
    if (!cursor.here(1)) return false
    const type = cursor.byte(0)
    if (type === TYPE.stop) {
      cursor.pass(1)
      cursor.leave()
      return true
    }
    if (!cursor.here(3)) return false
    cursor.pass(3)
    cursor.expect(type)
    return true
  },
}
