// Tables that fit a terminal: columns shrink and go by their rank, and stay aligned whatever signs are in them. Pure.
import { oneLine } from './safe-text.ts'
import { cutTo, padTo, widthOf } from './width.ts'

export interface Column {
  head: string
  align?: 'left' | 'right'
  /** Where there is too little room, it shrinks to so many terminal columns; left out: not below its content. */
  min?: number
  /** Where there is still too little, the highest goes first; left out: it stays. */
  drop?: number
}

/** A cell: its text, which may come from a server, and a paint for after it is laid out. */
export type Cell = string | { text: string; paint: (text: string) => string }

const GAP = 2
const textOf = (cell: Cell): string => oneLine(typeof cell === 'string' ? cell : cell.text)

const total = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width, 0) + GAP * Math.max(0, widths.length - 1)

/** The width of each column; null: it is left out. `natural` are those of the widest cells. */
export const fitColumns = (
  columns: readonly Column[],
  natural: readonly number[],
  room: number,
): (number | null)[] => {
  const least = columns.map(({ min }, at) => Math.min(natural[at] ?? 0, min ?? natural[at] ?? 0))
  const shown = new Set(columns.keys())
  const sum = (widths: readonly number[]): number => total([...shown].map(at => widths[at] ?? 0))
  const goes = [...columns.keys()]
    .filter(at => columns[at]?.drop !== undefined)
    .sort((one, other) => (columns[other]?.drop ?? 0) - (columns[one]?.drop ?? 0))
  for (const at of goes) {
    if (sum(least) <= room) break
    shown.delete(at)
  }
  const widths = [...least]
  // more than the terminal has: the widest gives way
  while (sum(widths) > room) {
    const widest = [...shown].reduce((best, at) => ((widths[at] ?? 0) > (widths[best] ?? 0) ? at : best))
    if ((widths[widest] ?? 0) <= 1) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  let left = room - sum(widths)
  for (const at of shown) {
    const more = Math.max(0, Math.min(left, (natural[at] ?? 0) - (widths[at] ?? 0)))
    widths[at] = (widths[at] ?? 0) + more
    left -= more
  }
  return columns.map((_, at) => (shown.has(at) ? (widths[at] ?? 0) : null))
}

/**
 * The lines of a table, the first one the heads.
 * @param room terminal columns; Infinity: nothing is cut
 */
export const layTable = (
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  room: number,
  paintHead: (text: string) => string = text => text,
): string[] => {
  const texts = rows.map(row => columns.map((_, at) => textOf(row[at] ?? '')))
  const natural = columns.map(({ head }, at) =>
    texts.reduce((most, row) => Math.max(most, widthOf(row[at] ?? '')), widthOf(head)),
  )
  const widths = fitColumns(columns, natural, room)
  const last = widths.findLastIndex(width => width !== null)
  const lay = (cells: readonly string[], paints: ((text: string) => string)[]): string =>
    columns
      .flatMap(({ align = 'left' }, at) => {
        const width = widths[at]
        if (width === null || width === undefined) return []
        const text = cutTo(cells[at] ?? '', width)
        const padded = at === last && align === 'left' ? text : padTo(text, width, align)
        return [paints[at]?.(padded) ?? padded]
      })
      .join(' '.repeat(GAP))
      .trimEnd()
  return [
    lay(
      columns.map(({ head }) => head),
      columns.map(() => paintHead),
    ),
    ...texts.map((cells, row) =>
      lay(
        cells,
        columns.map((_, at) => {
          const cell = rows[row]?.[at] ?? ''
          return typeof cell === 'string' ? (text: string) => text : cell.paint
        }),
      ),
    ),
  ]
}
