// Lines of the audit out of an export: taken into a store, or compared with it. They come in any order; those of a day
// are handled together, so that what is there already is found without a search for each.
import { isDeepStrictEqual } from 'node:util'
import { type AuditEntry, type AuditPage, auditKey } from '../../core/audit.ts'
import type { TaskStore } from '../../core/store.ts'

/** Handles a line now or with later ones; `end` handles what is left. */
export interface AuditLines {
  take(entry: AuditEntry): Promise<void>
  end(): Promise<void>
}

/** Held in memory at a time. */
const TOGETHER = 20_000
const PAGE = 1_000

const dayOf = ({ at }: AuditEntry): string => at.slice(0, 10)

/** What the store has of the time that the entries span, by id. */
const thereBetween = async (
  audit: TaskStore['audit'],
  first: AuditEntry,
  last: AuditEntry,
): Promise<Map<string, AuditEntry>> => {
  const there = new Map<string, AuditEntry>()
  // `to` is exclusive
  const to = new Date(Date.parse(last.at) + 1).toISOString()
  let cursor: string | null = null
  do {
    const page: AuditPage = await audit.page({ from: first.at, to }, { limit: PAGE, cursor })
    for (const entry of page.entries) there.set(entry.id, entry)
    cursor = page.next
  } while (cursor !== null)
  return there
}

const inDays = (
  audit: TaskStore['audit'],
  handle: (entries: readonly AuditEntry[], there: ReadonlyMap<string, AuditEntry>) => Promise<void>,
): AuditLines => {
  let held: AuditEntry[] = []
  const end = async (): Promise<void> => {
    const entries = held.sort((a, b) => (auditKey(a) < auditKey(b) ? -1 : 1))
    held = []
    const [first, last] = [entries[0], entries.at(-1)]
    if (first && last) await handle(entries, await thereBetween(audit, first, last))
  }
  return {
    async take(entry) {
      const [before] = held
      if (held.length >= TOGETHER || (before && dayOf(before) !== dayOf(entry))) await end()
      held.push(entry)
    },
    end,
  }
}

/** Adds what is not there yet, the oldest first. @param onAdded called with how many */
export const createAuditImport = (audit: TaskStore['audit'], onAdded: (count: number) => void): AuditLines =>
  inDays(audit, async (entries, there) => {
    const known = new Set(there.keys())
    const added = entries.filter(({ id }) => !known.has(id) && known.add(id))
    await audit.add(added)
    onAdded(added.length)
  })

/** Compares each line with what is there. @param onDifferent `isThere`: it says something else */
export const createAuditCheck = (
  audit: TaskStore['audit'],
  onDifferent: (entry: AuditEntry, isThere: boolean) => void,
): AuditLines =>
  inDays(audit, async (entries, there) => {
    for (const entry of entries) {
      const found = there.get(entry.id)
      if (!found || !isDeepStrictEqual(found, entry)) onDifferent(entry, found !== undefined)
    }
  })
