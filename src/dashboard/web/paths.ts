// The pages and their addresses, for the router, the menu, the go-to keys and the server.

/** What a reader may do, in the words of the server, which decides it. */
export type Right =
  | 'tasks.look'
  | 'tasks.change'
  | 'look'
  | 'processes.change'
  | 'logs.clear'
  | 'account'
  | 'accounts.change'

export interface PageRow {
  name: string
  /** `:word` stands for one segment. */
  path: string
  /** Whoever lacks it does not see the page. */
  needs: Right
  /** The built-in kind that it is for. If that is left out (BUILT_IN_KINDS), the page stands in no menu. */
  kind?: string
  /** The second of the two keys that lead there: g and this one. Null: it stands in no menu. */
  key: string | null
}

/** In the order of the menu. */
export const PAGES = [
  { name: 'overview', path: '/', needs: 'look', key: 'o' },
  { name: 'tasks', path: '/tasks', needs: 'tasks.look', key: 't' },
  { name: 'newTask', path: '/new', needs: 'tasks.look', key: 'n' },
  { name: 'todo', path: '/todo', needs: 'tasks.look', kind: 'manual', key: 'c' },
  { name: 'thumbnails', path: '/thumbnails', needs: 'tasks.look', kind: 'thumbnails', key: 'i' },
  { name: 'parse', path: '/parse', needs: 'tasks.look', kind: 'parse', key: 'r' },
  { name: 'dead', path: '/dead', needs: 'tasks.look', key: 'd' },
  { name: 'processes', path: '/processes', needs: 'look', key: 'p' },
  { name: 'workers', path: '/workers', needs: 'look', key: 'w' },
  { name: 'kinds', path: '/kinds', needs: 'tasks.look', key: 'k' },
  { name: 'settings', path: '/settings', needs: 'look', key: 's' },
  { name: 'people', path: '/people', needs: 'accounts.change', key: 'u' },
  { name: 'audit', path: '/audit', needs: 'accounts.change', key: 'l' },
  { name: 'account', path: '/account', needs: 'account', key: 'a' },
  { name: 'task', path: '/task/:id', needs: 'tasks.look', key: null },
  { name: 'process', path: '/process/:name', needs: 'look', key: null },
] as const satisfies readonly PageRow[]

/** The page of a shared task. It is for who has no login, so it stands apart: it has no frame, no menu and no rights. */
export const SHARED = '/shared/:token'

/** What stands in such an address behind its first part; null: it is another address. */
export const sharedTokenIn = (pathname: string): string | null =>
  /^\/shared\/([^/]+)\/?$/.exec(pathname)?.[1] ?? null

export type PageName = (typeof PAGES)[number]['name']
/** A page that stands in the menu. */
export type MenuName = Extract<(typeof PAGES)[number], { key: string }>['name']

export const MENU = PAGES.filter(page => page.key !== null) as readonly (PageRow & {
  name: MenuName
  key: string
})[]

/** The kinds that pages are for. */
export const KINDS_OF_PAGES = PAGES.flatMap(page => ('kind' in page ? [page.kind] : []))

/** Where a reader begins who does not see everything. */
export const OWN_TASKS = '/tasks'

/** The page of an address with the words in it; null where there is none. */
export const pageAt = (
  pathname: string,
): { name: PageName; needs: Right; words: Record<string, string> } | null => {
  const given = pathname.replace(/(?<=[^/])\/$/, '').split('/')
  for (const { name, path, needs } of PAGES) {
    const wanted = path.split('/')
    if (wanted.length !== given.length) continue
    const words: Record<string, string> = {}
    const isIt = wanted.every((part, at) => {
      const segment = given[at] ?? ''
      if (!part.startsWith(':')) return part === segment
      words[part.slice(1)] = decoded(segment)
      return segment !== ''
    })
    if (isIt) return { name, needs, words }
  }
  return null
}

/** A segment as the text that it stands for; as it is where it is malformed. */
const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
