// What stands of uploads in the store, summed up from their notes.

import type { StandingUploads } from './upload-room.ts'
import type { openUploads } from './upload-uses.ts'

/** Notes are small, and with files each page reads the names of all. */
const PAGE = 2_000

/** Reads all notes. @throws STORE_UNAVAILABLE */
export const readStanding = async (
  documents: Pick<ReturnType<typeof openUploads>, 'list'>,
): Promise<StandingUploads> => {
  const byOwner = new Map<string | null, number>()
  const unusedByOwner = new Map<string | null, number>()
  let [all, count, unused] = [0, 0, 0]
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof documents.list>> = await documents.list({ limit: PAGE, cursor })
    for (const { data } of page.documents) {
      const { owner, bytes, usedAt } = data
      byOwner.set(owner, (byOwner.get(owner) ?? 0) + bytes)
      all += bytes
      count += 1
      if (usedAt !== null) continue
      unusedByOwner.set(owner, (unusedByOwner.get(owner) ?? 0) + 1)
      unused += 1
    }
    cursor = page.next
  } while (cursor !== null)
  return { byOwner, all, count, unusedByOwner, unused }
}
