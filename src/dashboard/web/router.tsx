// The address as state: where the reader is, links that lead elsewhere without loading the page anew, and the query.
// It is our own since wouter knows Preact up to 10, and its 60 lines are all that we need.
import type { ComponentChildren } from 'preact'
import { useCallback, useMemo } from 'preact/hooks'
import { createCell, useCell } from './state/cell.ts'

const here = (): string => location.pathname + location.search + location.hash
const place = createCell(here())

addEventListener('popstate', () => place.set(here()))

/** Which entry of the browser's history is shown: the same one again after the way back, another at every visit. */
export const entryOfHistory = (): string => String(history.state)

/** Leads to an address of ours. `replace`: the way back leads past the present one. */
export const navigate = (to: string, { replace = false }: { replace?: boolean } = {}): void => {
  if (to === here()) return
  if (replace) history.replaceState(history.state, '', to)
  else history.pushState(performance.timeOrigin + performance.now(), '', to)
  const before = new URL(place.get(), location.origin).pathname
  place.set(here())
  if (location.pathname !== before) scrollTo(0, 0)
}

export const usePathname = (): string => new URL(useCell(place), location.origin).pathname

/**
 * The query of the address, and a change of it: null removes a name. What a reader would want to go back to is pushed,
 * anything else replaces.
 */
export const useQuery = (): [
  URLSearchParams,
  (
    changes: Readonly<Record<string, string | readonly string[] | null>>,
    options?: { push?: boolean },
  ) => void,
] => {
  const { search } = new URL(useCell(place), location.origin)
  const query = useMemo(() => new URLSearchParams(search), [search])
  const change = useCallback(
    (
      changes: Readonly<Record<string, string | readonly string[] | null>>,
      { push = true }: { push?: boolean } = {},
    ) => {
      const next = new URLSearchParams(location.search)
      for (const [name, value] of Object.entries(changes)) {
        next.delete(name)
        for (const each of value === null ? [] : [value].flat()) next.append(name, each)
      }
      const text = next.toString()
      navigate(`${location.pathname}${text === '' ? '' : `?${text}`}`, { replace: !push })
    },
    [],
  )
  return [query, change]
}

export interface LinkProps {
  href: string
  class?: string
  title?: string
  id?: string
  'aria-current'?: 'page'
  'aria-label'?: string
  onClickCapture?: () => void
  children?: ComponentChildren
}

/** A link to a page of ours. With a modifier or another button it is a link like any other. */
export const Link = ({ href, ...rest }: LinkProps) => (
  <a
    {...rest}
    href={href}
    onClick={event => {
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
      event.preventDefault()
      navigate(href)
    }}
  />
)
