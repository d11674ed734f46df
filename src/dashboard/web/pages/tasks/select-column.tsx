// The column of the list in which rows are chosen. It is the same column at every drawing, so that a choice draws one row
// again and not all of them.
import { useMemo, useRef } from 'preact/hooks'
import type { Column } from '../../parts/table.tsx'
import { useTexts } from '../../texts/use-texts.ts'
import { titleOf } from './columns.tsx'
import type { Row } from './use-live-tasks.ts'

export interface SelectColumnProps {
  allShown: boolean
  isEmpty: boolean
  toggle: (id: string) => void
  toggleShown: () => void
}

export const useSelectColumn = (props: SelectColumnProps): Column<Row> => {
  const t = useTexts()
  const { allShown, isEmpty } = props
  const latest = useRef(props)
  latest.current = props
  return useMemo(
    () => ({
      key: 'select',
      head: (
        <input
          type="checkbox"
          aria-label={t.tasks.selectAllShown}
          checked={allShown}
          disabled={isEmpty}
          onChange={() => latest.current.toggleShown()}
        />
      ),
      cell: (row, isSelected) => (
        <input
          type="checkbox"
          aria-label={t.tasks.selectRow(titleOf(row, t))}
          checked={isSelected}
          onChange={() => latest.current.toggle(row.id)}
        />
      ),
    }),
    [t, allShown, isEmpty],
  )
}
