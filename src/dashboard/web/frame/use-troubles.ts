// Follows what is wrong while any page is open: the menu shows how many troubles there are, and so does the title.
import { useEffect } from 'preact/hooks'
import type { Trouble } from '../state/answers.ts'
import { useCell } from '../state/cell.ts'
import { troubles } from '../state/overview.ts'
import { useMay } from '../state/rights.ts'
import { useTopic } from '../state/use-topic.ts'
import { useFormats } from '../texts/use-texts.ts'
import { setMenuCount } from './menu-counts.ts'

export const useTroubles = (): void => {
  const [f, known] = [useFormats(), useCell(troubles)]
  useTopic(useMay('look') ? 'troubles' : null, {
    troubles: (found: readonly Trouble[]) => troubles.set(found),
  })
  useEffect(() => setMenuCount('overview', known?.length ? f.number(known.length) : null), [known, f])
}
