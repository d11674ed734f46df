// A table of tasks in columns: typed arrays by row number instead of an object per task, so that a hundred thousand
// tasks take some eight megabytes. It stores and finds; what rows mean is the index's business.
import { randomInt } from 'node:crypto'
import type { Due } from '../../../core/due.ts'
import { FILTER_VALUES, type ValueCompared, valuesCompared } from '../../../core/filter.ts'
import type { SortKey, SortTime } from '../../../core/sort.ts'
import type { Summary } from '../../../core/summary.ts'
import { isSuspect, STATUSES, type Status } from '../../../core/task.ts'
import { createCounts, createRareNumbers, type NumberColumn } from './number-columns.ts'
import { createTextColumn, type TextColumn } from './text-column.ts'

/** Values that lists are filtered by: words that many tasks share, and times. The status has its own column. */
export type WordValue = Exclude<ValueCompared<'in' | 'is' | 'among'>, 'status'>
type TimeValue = ValueCompared<'from' | 'before'>
const WORD_VALUES = valuesCompared('in', 'is', 'among').filter(value => value !== 'status')
const TIME_VALUES = valuesCompared('from', 'before')

/** A status column's entry for a row whose task was removed. */
export const GONE = 255
/** The place of a status in `STATUSES`. */
export const statusNumber = (status: Status): number => STATUSES.indexOf(status)

const ID_WORDS = 4
const GROW = 1.25
const FIRST_ROWS = 256

/** The four 32-bit words of a UUID, written to `into` at `at`; as unsigned numbers they sort like the text. */
const HEX = new Uint8Array(128)
for (let digit = 0; digit < 16; digit += 1) HEX[digit.toString(16).charCodeAt(0)] = digit
const packId = (id: string, into: Uint32Array, at: number): void => {
  let word = 0
  let digits = 0
  let to = at
  for (let place = 0; place < id.length; place += 1) {
    const code = id.charCodeAt(place)
    if (code === 45) continue
    word = (word << 4) | (HEX[code & 127] as number)
    digits += 1
    if (digits % 8 === 0) {
      into[to] = word
      to += 1
    }
  }
}
const hex8 = (word: number): string => word.toString(16).padStart(8, '0')

/** Words that many rows share, each stored once under a number; 0 stands for null. */
export interface WordTable {
  number(word: string | null): number
  /** -1 when no row has had it. */
  find(word: string): number
  word(number: number): string | null
  /** Numbers of the words of which `test` says so. */
  where(test: (word: string) => boolean): Set<number>
}

const createWordTable = (): WordTable => {
  const numbers = new Map<string, number>()
  const list: (string | null)[] = [null]
  return {
    number(word) {
      if (word === null) return 0
      const known = numbers.get(word)
      if (known !== undefined) return known
      list.push(word)
      numbers.set(word, list.length - 1)
      return list.length - 1
    },
    find: word => numbers.get(word) ?? -1,
    word: number => list[number] ?? null,
    where: test => new Set(list.flatMap((word, number) => (word !== null && test(word) ? [number] : []))),
  }
}

/** With what is read of a task: it compiles only where a summary has it. */
type Values<V> = readonly (readonly [V, (task: Summary) => string | null])[]
const TIMES: Values<TimeValue> = TIME_VALUES.map(value => [value, FILTER_VALUES[value]])
const WORDS: Values<WordValue> = WORD_VALUES.map(value => [value, FILTER_VALUES[value]])

const forEach = <N extends string, T>(names: readonly N[], make: () => T): Record<N, T> =>
  Object.fromEntries(names.map(name => [name, make()])) as Record<N, T>

const makeArrays = (rows: number) => ({
  ids: new Uint32Array(rows * ID_WORDS),
  status: new Uint8Array(rows).fill(GONE),
  priority: new Uint8Array(rows),
  /** 1: a suspect. */
  suspect: new Uint8Array(rows),
  /** 1: it waits for a time or for a worker, and `from` and `till` say when it is due. */
  waits: new Uint8Array(rows),
  /** Milliseconds of Unix time; NaN for null. Exact: a record's times have milliseconds. */
  ...forEach(TIME_VALUES, () => new Float64Array(rows)),
  /** The numbers of words. */
  ...forEach(WORD_VALUES, () => new Uint32Array(rows)),
})
type Arrays = ReturnType<typeof makeArrays>

/** The others are numbers of words, or ids. */
const SAME_IN_EVERY_TABLE = ['status', 'priority', 'suspect', 'waits', ...TIME_VALUES] as const
const NUMBERS_IN_EVERY_TABLE = ['claim', 'rev', 'from', 'till'] as const

export interface Columns {
  /** The arrays as they are now: they are replaced when the table grows, so they are not to be kept. */
  readonly at: Readonly<Arrays>
  readonly claim: NumberColumn
  readonly rev: NumberColumn
  /** When one that waits is due (core/due.ts). Milliseconds of Unix time; NaN for null. */
  readonly from: NumberColumn
  readonly till: NumberColumn
  /** The text that is searched: title and description, in lower case; null when there is neither. */
  readonly texts: TextColumn
  readonly words: Readonly<Record<WordValue, WordTable>>
  /** Rows in use, those whose task is gone included. */
  readonly rows: number
  /** The row of a task, or -1. */
  find(id: string): number
  /** Writes a task, and when it is due, into its row, or a new one; answers the row. */
  put(task: Summary, due: Due | null): number
  /** Takes over a row of another table, whose task is not in this one; answers the new row. */
  copy(from: Columns, row: number): number
  /** The row stays, with status GONE; its id is no longer found. */
  remove(row: number): void
  id(row: number): string
  /** The last two hex digits of the id. */
  shard(row: number): number
  /** Negative when the first stands before the second: by this time, then id. */
  compare(a: number, b: number, by: SortTime): number
  /** As `compare`, of a row and a key. */
  compareTo(row: number, key: SortKey, by: SortTime): number
}

const milliseconds = (iso: string | null): number => (iso === null ? Number.NaN : Date.parse(iso))

export const createColumns = (): Columns => {
  let at = makeArrays(FIRST_ROWS)
  let capacity = FIRST_ROWS
  let rows = 0
  /** Open addressing: row + 1, 0 for free. A removed row keeps its cell until the table is made anew. */
  let cells = new Int32Array(FIRST_ROWS * 2)
  const texts = createTextColumn()
  const numbers = {
    claim: createCounts(),
    rev: createCounts(),
    from: createRareNumbers(),
    till: createRareNumbers(),
  }
  const words = forEach(WORD_VALUES, createWordTable)
  // ids may come from outside: nobody can make up many that share a cell
  const seed = randomInt(2 ** 32)
  const wanted = new Uint32Array(ID_WORDS)

  const hash = (ids: Uint32Array, from: number): number => {
    let sum = seed
    for (let word = 0; word < ID_WORDS; word += 1) {
      sum = Math.imul(sum ^ (ids[from + word] as number), 0x9e3779b1)
      sum ^= sum >>> 15
    }
    return sum >>> 0
  }
  const same = (row: number): boolean => {
    const from = row * ID_WORDS
    for (let word = 0; word < ID_WORDS; word += 1) if (at.ids[from + word] !== wanted[word]) return false
    return true
  }
  const compareIds = (a: Uint32Array, fromA: number, b: Uint32Array, fromB: number): number => {
    for (let word = 0; word < ID_WORDS; word += 1) {
      const difference = (a[fromA + word] as number) - (b[fromB + word] as number)
      if (difference !== 0) return difference
    }
    return 0
  }

  const enter = (row: number): void => {
    const mask = cells.length - 1
    let cell = hash(at.ids, row * ID_WORDS) & mask
    while (cells[cell] !== 0) cell = (cell + 1) & mask
    cells[cell] = row + 1
  }

  const grow = (): void => {
    capacity = Math.ceil(capacity * GROW)
    const larger = makeArrays(capacity)
    for (const name of Object.keys(larger) as (keyof Arrays)[]) larger[name].set(at[name])
    at = larger
    if (capacity * 2 <= cells.length) return
    let size = cells.length
    while (size < capacity * 2) size *= 2
    cells = new Int32Array(size)
    for (let row = 0; row < rows; row += 1) if (at.status[row] !== GONE) enter(row)
  }

  const find = (id: string): number => {
    packId(id, wanted, 0)
    const mask = cells.length - 1
    for (let cell = hash(wanted, 0) & mask; ; cell = (cell + 1) & mask) {
      const row = (cells[cell] as number) - 1
      if (row < 0) return -1
      if (same(row) && at.status[row] !== GONE) return row
    }
  }

  /** A new row for the id that stands in `wanted`. */
  const add = (): number => {
    if (rows === capacity) grow()
    const row = rows
    rows += 1
    at.ids.set(wanted, row * ID_WORDS)
    enter(row)
    return row
  }

  return {
    get at() {
      return at
    },
    get rows() {
      return rows
    },
    ...numbers,
    texts,
    words,
    find,
    put(task, due) {
      const known = find(task.id)
      const row = known < 0 ? add() : known
      at.status[row] = statusNumber(task.status)
      at.priority[row] = task.priority
      at.suspect[row] = isSuspect(task) ? 1 : 0
      at.waits[row] = due ? 1 : 0
      numbers.from.set(row, milliseconds(due?.from ?? null))
      numbers.till.set(row, milliseconds(due?.till ?? null))
      for (const [value, read] of TIMES) at[value][row] = milliseconds(read(task))
      for (const [value, read] of WORDS) at[value][row] = words[value].number(read(task))
      numbers.claim.set(row, task.claim)
      numbers.rev.set(row, task.rev)
      const { title, description } = task
      const text =
        title !== null && description !== null ? `${title}\n${description}` : (title ?? description)
      texts.set(row, text === null ? null : text.toLowerCase())
      return row
    },
    copy(from, old) {
      wanted.set(from.at.ids.subarray(old * ID_WORDS, (old + 1) * ID_WORDS))
      const row = add()
      for (const name of SAME_IN_EVERY_TABLE) at[name][row] = from.at[name][old] as number
      for (const value of WORD_VALUES)
        at[value][row] = words[value].number(from.words[value].word(from.at[value][old] as number))
      for (const name of NUMBERS_IN_EVERY_TABLE) numbers[name].set(row, from[name].get(old))
      texts.set(row, from.texts.get(old))
      return row
    },
    remove(row) {
      at.status[row] = GONE
      texts.set(row, null)
    },
    id(row) {
      const from = row * ID_WORDS
      const [a, b, c, d] = [0, 1, 2, 3].map(word => hex8(at.ids[from + word] as number)) as [
        string,
        string,
        string,
        string,
      ]
      return `${a}-${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}-${c.slice(4)}${d}`
    },
    shard: row => (at.ids[row * ID_WORDS + ID_WORDS - 1] as number) & 255,
    compare: (a, b, by) =>
      (at[by][a] as number) - (at[by][b] as number) || compareIds(at.ids, a * ID_WORDS, at.ids, b * ID_WORDS),
    compareTo(row, key, by) {
      const difference = (at[by][row] as number) - milliseconds(key.at)
      if (difference !== 0) return difference
      packId(key.id, wanted, 0)
      return compareIds(at.ids, row * ID_WORDS, wanted, 0)
    },
  }
}
