// The head of a page: its title, which is the document's too, a line beside it, and what can be done.
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { shownText } from '../format/hidden-characters.ts'
import { useCell } from '../state/cell.ts'
import { me } from '../state/me.ts'
import { troubles } from '../state/overview.ts'

export interface PageHeadProps {
  title: string
  /** Before the title: a status. */
  before?: ComponentChildren
  /** Beside the title, quiet. */
  note?: ComponentChildren
  /** Buttons. */
  children?: ComponentChildren
}

export const PageHead = ({ title, before, note, children }: PageHeadProps) => {
  const installation = useCell(me)?.installation.name
  const count = useCell(troubles)?.length ?? 0
  useEffect(() => {
    // in front, since a tab shows no more
    const sign = count > 0 ? `⚠ ${count} ` : ''
    document.title = sign + [shownText(title), installation, 'Madhava'].filter(Boolean).join(' · ')
  }, [title, installation, count])
  return (
    <div class="page-head">
      {before}
      <h1>
        <bdi>{shownText(title)}</bdi>
      </h1>
      {note === undefined ? null : <div class="page-note">{note}</div>}
      <div class="page-actions">{children}</div>
    </div>
  )
}
