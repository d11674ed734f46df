// Makes a test of rows out of a filter of lists. Text is only searched where columns keep it, so a row that passes may
// still not fit: the caller reads its record.
import { FILTERS, type FilterName, type TaskFilter } from '../../../core/filter.ts'
import type { Status } from '../../../core/task.ts'
import { type Columns, statusNumber, type WordValue } from './columns.ts'

/** A text that can stand in an id. */
const HEX_TEXT = /^[0-9a-f-]{1,36}$/

export type RowTest = (row: number) => boolean

/** Whether a row has one of these words; null when none has. */
const hasWord = (
  table: Columns,
  value: WordValue,
  wanted: readonly string[],
  { emptyIsNull }: { emptyIsNull: boolean },
): RowTest | null => {
  const column = table.at[value]
  const numbers = new Set(wanted.map(word => table.words[value].find(word)))
  numbers.delete(-1)
  if (emptyIsNull && wanted.includes('')) numbers.add(0)
  const [only] = numbers
  if (only === undefined) return null
  return numbers.size === 1 ? row => column[row] === only : row => numbers.has(column[row] as number)
}

/** Whether a row may hold this text. */
const holdsText = (table: Columns, text: string): RowTest => {
  const { at, words, texts } = table
  const word = Buffer.from(text)
  const named = words.kind.where(kind => kind.includes(text))
  const inIds = HEX_TEXT.test(text)
  return row =>
    texts.holds(row, word) || named.has(at.kind[row] as number) || (inIds && table.id(row).includes(text))
}

/** Whether a row may fit, by one filter; null when none can. */
const compileOne = (table: Columns, name: FilterName, wanted: string | readonly string[]): RowTest | null => {
  const { at } = table
  const filter = FILTERS[name]
  if (filter.compare === 'from' || filter.compare === 'before') {
    const time = Date.parse(wanted as string)
    const column = at[filter.value]
    // null stands there as NaN, which is neither
    return filter.compare === 'from'
      ? row => (column[row] as number) >= time
      : row => (column[row] as number) < time
  }
  // the words of an error are not kept here
  if (filter.value === 'errorMessage') return row => at.errorCode[row] !== 0
  if (filter.compare === 'holds') return holdsText(table, (wanted as string).toLowerCase())
  if (filter.value !== 'status')
    return hasWord(table, filter.value, [wanted].flat(), { emptyIsNull: filter.compare === 'among' })
  const numbers = new Set((wanted as readonly Status[]).map(statusNumber))
  return row => numbers.has(at.status[row] as number)
}

/** Whether a row may fit; null when none can. */
export const compileFilter = (table: Columns, filter: TaskFilter): RowTest | null => {
  const tests: RowTest[] = []
  for (const [name, wanted] of Object.entries(filter)) {
    if (wanted === undefined) continue
    const test = compileOne(table, name as FilterName, wanted)
    if (!test) return null
    tests.push(test)
  }
  return row => tests.every(test => test(row))
}
