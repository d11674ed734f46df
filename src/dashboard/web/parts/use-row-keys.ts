// Moving through the rows of a table by keys: j and k, Enter opens, x selects.
import { useEffect, useState } from 'preact/hooks'
import { useKeys } from '../frame/keys.ts'
import { useTexts } from '../texts/use-texts.ts'

export interface RowKeys {
  /** The row that the keys act on. */
  activeId: string | null
}

export const useRowKeys = (
  ids: readonly string[],
  { open, select }: { open: (id: string) => void; select?: (id: string) => void },
): RowKeys => {
  const t = useTexts()
  const [activeId, setActive] = useState<string | null>(null)
  const at = activeId === null ? -1 : ids.indexOf(activeId)
  useEffect(() => {
    if (activeId !== null) document.querySelector('tr.active')?.scrollIntoView({ block: 'nearest' })
  }, [activeId])
  const move = (step: number): void =>
    setActive(ids[Math.min(ids.length - 1, Math.max(0, at === -1 ? 0 : at + step))] ?? null)
  const act = (what: (id: string) => void) => () => {
    if (activeId !== null && at !== -1) what(activeId)
  }
  useKeys({
    j: { label: t.keys.next, run: () => move(1) },
    k: { label: t.keys.previous, run: () => move(-1) },
    Enter: { label: t.keys.open, run: act(open) },
    ...(select ? { x: { label: t.keys.select, run: act(select) } } : {}),
  })
  return { activeId: at === -1 ? null : activeId }
}
