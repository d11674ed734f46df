// What a scanner needs to know of a protocol: where its values begin and end. Types only; see binary-grammar and
// compact-grammar.
import type { MadhavaError } from '../core/errors.ts'

/** What a reply needs of a call. */
export interface MessageHeader {
  name: string
  seqid: number
}

/** What is open at one depth: a struct, or so many more values of a container, whose types alternate. */
export type Open = 'struct' | { types: readonly [number, number]; left: number }

/**
 * The bytes that have come, from the next one on. A step of a grammar moves on only when all that it needs is here.
 * Otherwise it returns false, and is called again from the same place when there is more.
 */
export interface Cursor {
  /** Whether so many bytes are here. @throws BODY_TOO_LARGE, before they are, when they cannot fit */
  here(bytes: number): boolean
  /** Unsigned, so many bytes after the next. */
  byte(offset: number): number
  i32(offset: number): number
  text(offset: number, length: number): string
  /** Skips bytes that are here. */
  pass(bytes: number): void
  /** Passes over a value of this size, however long its bytes take to come. @throws BODY_TOO_LARGE */
  skip(bytes: number): void
  /** @throws BAD_REQUEST when it lies too deep */
  enter(open: Open): void
  /** Leaves the innermost. */
  leave(): void
  /** A value of this type comes next. */
  expect(type: number): void
  /** A number of elements. @throws BAD_REQUEST when it is out of bounds */
  count(found: number): number
  refuse(reason: string): MadhavaError
}

export interface Grammar {
  /**
   * The header with the message's type, or null when more bytes are needed. `nameBytes`: how long a name may be.
   * @throws BAD_REQUEST
   */
  header(cursor: Cursor, nameBytes: number): (MessageHeader & { type: number }) | null
  /** The beginning of a value; false when more bytes are needed. @throws BAD_REQUEST */
  value(cursor: Cursor, type: number): boolean
  /** The next field of a struct, or its end; false when more bytes are needed. @throws BAD_REQUEST */
  field(cursor: Cursor): boolean
}

/** The type of a message that asks for a reply. */
export const CALL = 1
