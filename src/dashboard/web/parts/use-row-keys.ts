// Moving through the rows of a table by keys: j and k, Enter opens, x selects. The row that keys act on is the one that
// last had the focus, so that what is marked and what a key presses are never two things.
import { useEffect, useRef, useState } from 'preact/hooks'
import { useKeys } from '../frame/keys.ts'
import { entryOfHistory } from '../router.tsx'
import { useTexts } from '../texts/use-texts.ts'

export interface RowKeys {
  /** The row that the keys act on. */
  activeId: string | null
}

/** Of a table, or of a list. */
const ROWS = ':is(tr, li)[data-id]'

/** The active row by the entry of the history, for who comes back to it. */
const kept = new Map<string, string>()

const focusRow = (id: string | undefined): void => {
  const row = [...document.querySelectorAll<HTMLElement>(ROWS)].find(each => each.dataset.id === id)
  row?.focus({ preventScroll: true })
  row?.scrollIntoView({ block: 'nearest' })
}

/** @param ids of the rows; their table must be told the active one */
export const useRowKeys = (
  ids: readonly string[],
  { open, select }: { open: (id: string) => void; select?: (id: string) => void },
): RowKeys => {
  const t = useTexts()
  const [, draw] = useState(0)
  const entry = entryOfHistory()
  const activeId = kept.get(entry) ?? null
  const at = activeId === null ? -1 : ids.indexOf(activeId)
  const latest = useRef(ids)
  latest.current = ids
  useEffect(() => {
    const note = ({ target }: FocusEvent): void => {
      const id = target instanceof Element && target.closest<HTMLElement>(ROWS)?.dataset.id
      if (!id || !latest.current.includes(id)) return
      kept.set(entryOfHistory(), id)
      draw(count => count + 1)
    }
    addEventListener('focusin', note)
    return () => removeEventListener('focusin', note)
  }, [])
  // back on the list: to the row, once it is there, unless the reader is at something else by then
  const entered = useRef('')
  useEffect(() => {
    if (activeId === null || at === -1 || entered.current === entry) return
    entered.current = entry
    if (!document.querySelector('#content :focus')) focusRow(activeId)
  })
  const move = (step: number): void =>
    focusRow(ids[Math.min(ids.length - 1, Math.max(0, at === -1 ? 0 : at + step))])
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
