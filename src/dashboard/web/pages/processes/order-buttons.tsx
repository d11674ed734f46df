// The buttons of one process. Stop and start share a place; what would not be done is not offered.

import type { Action, ProcessRow } from '../../state/answers.ts'
import { useCell } from '../../state/cell.ts'
import { mayOrder, me } from '../../state/me.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { giveOrder, pendingOrders } from './orders.ts'

export interface OrderButtonsProps {
  row: ProcessRow
  rows: readonly ProcessRow[]
  isSmall?: boolean
}

export const OrderButtons = ({ row, rows, isSmall = false }: OrderButtonsProps) => {
  const [t, who, pending] = [useTexts(), useCell(me), useCell(pendingOrders)]
  const words = t.processes
  const { name, can, isDashboard } = row
  const isBusy = pending.has(name) || pending.has('')
  const first: Action | null = can.start ? 'start' : isDashboard ? null : 'stop'
  const size = isSmall ? ' small' : ''
  return (
    <span class="row-actions">
      {([first, 'restart'] as const).map(action =>
        action === null ? null : (
          <button
            key={action}
            type="button"
            class={`button order${size}${action === 'stop' ? ' danger' : ''}`}
            aria-label={`${words.actions[action]} ${name}`}
            title={mayOrder(who) ? undefined : t.frame.viewer}
            disabled={!can[action] || isBusy || !mayOrder(who)}
            onClick={() => void giveOrder(t, { action, name, rows })}
          >
            {words.actions[action]}
          </button>
        ),
      )}
    </span>
  )
}
