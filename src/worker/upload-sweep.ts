// Removes uploads that nobody needs: whose tasks are gone, that no task ever named in time, whose bytes stopped coming,
// and bytes that have no document, which a killed process has left. Each step does a bounded piece of the work, from
// where the one before ended; any number of workers may do the same.

import type { TypedDocument } from '../core/collection.ts'
import { isMadhavaError } from '../core/errors.ts'
import type { Upload } from '../core/upload-forms.ts'
import { createUploadUses, openUploads, openUploadUses, type UploadStore } from '../core/upload-uses.ts'

export interface UploadSweep {
  /** How long an upload stays that no task names, milliseconds. */
  readonly ttlMs: number
  /**
   * A bounded piece; whether it has removed anything. `mayExpire`: the clock can be trusted with what is old.
   * @throws STORE_UNAVAILABLE
   */
  step(mayExpire: boolean): Promise<boolean>
  /** Uploads and leftovers removed since the start. */
  removed(): number
}

interface UploadSweepDeps {
  store: UploadStore
  clock: () => Date
  /** How long an upload stays that no task names, milliseconds. */
  ttlMs: number
  /** How much one step looks at, of each sort. */
  each?: number
}

const EACH = 200
/** An upload in one request that has brought nothing for so long has no request any more. */
const STALLED_MS = 24 * 60 * 60_000

export const createUploadSweep = ({ store, clock, ttlMs, each = EACH }: UploadSweepDeps): UploadSweep => {
  const uploads = openUploads(store)
  const useDocuments = openUploadUses(store)
  const uses = createUploadUses(store, clock)
  let removed = 0
  const places = { uploads: null, bytes: null, uses: null } as Record<string, string | null>

  const isOver = async ({ name, data }: TypedDocument<Upload>, mayExpire: boolean): Promise<boolean> => {
    const ageMs = clock().getTime() - Date.parse(data.touchedAt)
    if (data.state === 'going') return true
    if (data.state === 'open' && !data.resumable)
      return data.holder === null || !(await uses.isAlive(data.holder)) || (mayExpire && ageMs > STALLED_MS)
    if (data.state === 'open') {
      const isWritten = data.holder !== null && (await uses.isAlive(data.holder))
      return mayExpire && ageMs > ttlMs && !isWritten
    }
    // in this order: what is stale of its uses goes too
    if (await uses.isUsed(name, clock())) return false
    return data.usedAt !== null || (mayExpire && ageMs > ttlMs)
  }

  const sweepUploads = async (mayExpire: boolean): Promise<void> => {
    const page = await uploads.list({ limit: each, cursor: places.uploads ?? null })
    for (const upload of page.documents)
      if ((await isOver(upload, mayExpire)) && (await uses.removeUnused(upload.name))) removed += 1
    places.uploads = page.next
  }

  /** A document that cannot be read may be somebody's all the same. */
  const hasDocument = async (id: string): Promise<boolean> => {
    try {
      return (await store.documents.get('uploads', id)) !== null
    } catch (error) {
      if (isMadhavaError(error, 'DOCUMENT_INVALID')) return true
      throw error
    }
  }

  const sweepBytes = async (): Promise<void> => {
    const page = await store.uploads.list({ limit: each, cursor: places.bytes ?? null })
    for (const { id } of page.uploads) {
      if (await hasDocument(id)) continue
      await store.uploads.remove(id)
      removed += 1
    }
    places.bytes = page.next
  }

  const sweepUses = async (): Promise<void> => {
    const page = await useDocuments.list({ limit: each, cursor: places.uses ?? null })
    const ids = new Set(page.documents.map(({ name }) => name.slice(0, name.indexOf('.'))))
    // of an upload that is there, its own sweep looks after the uses
    for (const id of ids) if (!(await hasDocument(id))) await uses.isUsed(id, clock())
    places.uses = page.next
  }

  return {
    ttlMs,
    async step(mayExpire) {
      const before = removed
      await sweepUploads(mayExpire)
      await sweepBytes()
      await sweepUses()
      return removed > before
    },
    removed: () => removed,
  }
}
