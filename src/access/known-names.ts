// The names of accounts by id, for people who read lists. What was read lately is answered again for some seconds.

import type { Access } from './access.ts'
import { type AccountDocument, isThere } from './account.ts'
import { type AccountStore, isAccountId } from './account-store.ts'
import type { Names } from './names.ts'

interface KnownNamesDeps {
  accounts: AccountStore
  names: Names
  /** Milliseconds of a monotonic clock. */
  steady: () => number
}

const REMEMBERED_MS = 5_000
const REMEMBERED_MAX = 10_000

const nameOf = (found: AccountDocument | null | 'broken'): string | null =>
  found !== null && found !== 'broken' && isThere(found.data) ? found.data.name : null

export const createKnownNames = ({
  accounts,
  names,
  steady,
}: KnownNamesDeps): Pick<Access, 'idOf' | 'namesOf'> => {
  /** By id; the one that was read last is the last. */
  const known = new Map<string, { name: Promise<string | null>; until: number }>()

  const read = (id: string): Promise<string | null> => {
    const before = known.get(id)
    if (before && before.until > steady()) return before.name
    const name = accounts.look(id).then(nameOf)
    const entry = { name, until: steady() + REMEMBERED_MS }
    known.delete(id)
    known.set(id, entry)
    for (const oldest of known.keys()) {
      if (known.size <= REMEMBERED_MAX) break
      known.delete(oldest)
    }
    name.catch(() => {
      if (known.get(id) === entry) known.delete(id)
    })
    return name
  }

  return {
    async idOf(nameOrId) {
      if (isAccountId(nameOrId) && (await accounts.look(nameOrId)) !== null) return nameOrId
      return (await names.find(nameOrId))?.name ?? null
    },

    async namesOf(ids) {
      const wanted = [...new Set(ids)]
      const found = await Promise.all(
        wanted.map(async id => [id, isAccountId(id) ? await read(id) : null] as const),
      )
      return new Map(found)
    },
  }
}
