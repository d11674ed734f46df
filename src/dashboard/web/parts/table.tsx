// A table: columns say what stands in them, rows are drawn again only when they are other objects.
import type { ComponentChildren } from 'preact'
import { memo } from './memo.ts'

export interface Column<Row> {
  key: string
  head: ComponentChildren
  /** The same function at every drawing, or all rows are drawn again. */
  cell: (row: Row, isSelected: boolean) => ComponentChildren
  /** Numbers and times stand at the right. */
  align?: 'right'
  /** It takes what room is left, and its text ends in dots. */
  isWide?: boolean
  /** It takes room as `isWide`, and breaks its text into lines instead. */
  isWrapped?: boolean
  /** Left out on narrow screens. */
  isMinor?: boolean
  /** The rows stand in the order of it. */
  sorted?: 'ascending' | 'descending'
  /** The name of the row: what its cells belong to. */
  isHead?: boolean
}

const classOf = <Row,>({ align, isWide, isWrapped, isMinor }: Column<Row>): string =>
  [align === 'right' ? 'right' : '', isWide ? 'wide' : '', isWrapped ? 'wrapped' : '', isMinor ? 'minor' : '']
    .filter(Boolean)
    .join(' ')

interface RowProps<Row> {
  row: Row
  columns: readonly Column<Row>[]
  /** For scripts and tests. */
  id: string
  /** Undefined where keys act on no row. */
  isActive: boolean | undefined
  isSelected: boolean
}

const TableRow = memo(({ row, columns, id, isActive, isSelected }: RowProps<unknown>) => (
  <tr
    data-id={id}
    class={isActive ? 'active' : undefined}
    aria-selected={isSelected ? true : undefined}
    tabIndex={isActive === undefined ? undefined : -1}
  >
    {columns.map(column =>
      column.isHead ? (
        <th key={column.key} scope="row" class={classOf(column)}>
          {column.cell(row, isSelected)}
        </th>
      ) : (
        <td key={column.key} class={classOf(column)}>
          {column.cell(row, isSelected)}
        </td>
      ),
    )}
  </tr>
))

export interface TableProps<Row> {
  /** What the table holds, for those who do not see it. */
  label: string
  /** The same array at every drawing, or all rows are drawn again. */
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  idOf: (row: Row) => string
  isCompact?: boolean
  /** The row that keys act on; undefined where they act on none. */
  activeId?: string | null | undefined
  isSelected?: (id: string) => boolean
}

export const Table = <Row,>({
  label,
  columns,
  rows,
  idOf,
  isCompact = false,
  activeId,
  isSelected = () => false,
}: TableProps<Row>) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
  <section class="card table-card" tabIndex={0} aria-label={label}>
    <table class={isCompact ? 'compact' : undefined}>
      <thead>
        <tr>
          {columns.map(column => (
            <th key={column.key} scope="col" class={classOf(column)} aria-sort={column.sorted}>
              {column.head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(row => {
          const id = idOf(row)
          return (
            <TableRow
              key={id}
              id={id}
              row={row}
              columns={columns as readonly Column<never>[] as readonly Column<unknown>[]}
              isActive={activeId === undefined ? undefined : id === activeId}
              isSelected={isSelected(id)}
            />
          )
        })}
      </tbody>
    </table>
  </section>
)
