// Which tasks name which uploads, and when an upload may go. A use is written before its task, and an upload is marked
// before it goes: whichever comes first, the other sees it. Nothing is counted, so nothing can be miscounted: what a
// killed process has left is found by the sweep (worker/upload-sweep.ts), which asks here.
import { openCollection, orIfInvalid, type TypedDocument } from './collection.ts'
import { isMadhavaError, MadhavaError } from './errors.ts'
import type { Json } from './field-types.ts'
import type { TaskStore } from './store.ts'
import { UPLOAD_USES, UPLOADS, type Upload, type UploadUse } from './upload-forms.ts'
import { findUploads, idsOf } from './upload-params.ts'

/** A use whose task never came is stale after this, even while the process lives that wrote it. */
const ABANDONED_MS = 60 * 60_000
const PAGE = 50
/** How often a write begins again that others have overtaken. */
const TRIES = 20

export type UploadStore = Pick<TaskStore, 'instance' | 'documents' | 'uploads' | 'get' | 'presences'>

/** The uses of a task that is about to be created. */
export interface HeldUploads {
  /** The task is there. Never rejects: without this the sweep finds out later. */
  made(): Promise<void>
  /** There will be no task. Never rejects. */
  undo(): Promise<void>
}

export interface UploadUses {
  /**
   * Nobody removes these uploads from now on, while the task is there or may still come.
   * @throws UPLOAD_NOT_FOUND when one is not there for this owner
   */
  hold(task: string, owner: string | null, ids: readonly string[]): Promise<HeldUploads>
  /** The task was removed: its uploads go unless others name them. Never rejects: else the sweep finds them. */
  release(task: { id: string; params: Json }): Promise<void>
  /** Whether a task names it, or is about to. Removes what is stale of its uses. */
  isUsed(id: string, now: Date): Promise<boolean>
  /** Removes an upload with its bytes unless a task names it. False: one does, or somebody else has changed it. */
  removeUnused(id: string): Promise<boolean>
  isAlive(instance: string): Promise<boolean>
}

/** `<upload>.<task>` -> the task. */
const taskOf = (name: string): string => name.slice(name.indexOf('.') + 1)

export const openUploads = (store: Pick<TaskStore, 'documents'>) =>
  openCollection(store.documents, 'uploads', UPLOADS)
export const openUploadUses = (store: Pick<TaskStore, 'documents'>) =>
  openCollection(store.documents, 'upload-uses', UPLOAD_USES)

const unlessChanged = async (writing: Promise<unknown>): Promise<boolean> => {
  try {
    await writing
    return true
  } catch (error) {
    if (isMadhavaError(error, 'DOCUMENT_CHANGED')) return false
    throw error
  }
}

export const createUploadUses = (
  store: UploadStore,
  clock: () => Date,
  onFailed: (error: unknown, what: string) => void = () => {},
): UploadUses => {
  const uploads = openUploads(store)
  const uses = openUploadUses(store)
  const quietly = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      onFailed(error, what)
    }
  }

  const isAlive = async (instance: string): Promise<boolean> =>
    instance === store.instance ||
    (await store.presences()).some(presence => presence.alive && presence.instance === instance)

  const isStale = async ({ name, data }: TypedDocument<UploadUse>, now: Date): Promise<boolean> => {
    if (await store.get(taskOf(name))) return false
    if (data.made) return true
    if (now.getTime() - Date.parse(data.createdAt) > ABANDONED_MS) return true
    return data.holder !== null && !(await isAlive(data.holder))
  }

  const isUsed: UploadUses['isUsed'] = async (id, now) => {
    let cursor: string | null = `${id}.`
    while (cursor !== null) {
      const page: Awaited<ReturnType<typeof uses.list>> = await uses.list({ limit: PAGE, cursor })
      for (const use of page.documents) {
        if (!use.name.startsWith(`${id}.`)) return false
        if (!(await isStale(use, now))) return true
        await unlessChanged(uses.remove(use.name, use.rev))
      }
      cursor = page.next
    }
    return false
  }

  const removeUnused: UploadUses['removeUnused'] = async id => {
    let found: TypedDocument<Upload> | null = await uploads.get(id)
    if (!found) {
      await store.uploads.remove(id)
      return true
    }
    const set = async (state: Upload['state']): Promise<boolean> => {
      const { data, rev } = found as TypedDocument<Upload>
      return unlessChanged(
        uploads.put(id, { data: { ...data, state } }, rev).then(document => {
          found = document
        }),
      )
    }
    if (found.data.state !== 'going') {
      if (await isUsed(id, clock())) return false
      if (!(await set('going'))) return false
    }
    // a use that came before the mark has seen the upload whole; one that came after it is taken back by its writer, as
    // is one of an upload that never was whole
    if (found.data.sha256 !== null && (await isUsed(id, clock()))) {
      await set('whole')
      return false
    }
    if (!(await unlessChanged(uploads.remove(id, found.rev)))) return false
    await store.uploads.remove(id)
    return true
  }

  const noteUsed = async (id: string): Promise<void> => {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const found = await uploads.get(id)
      if (!found || found.data.usedAt !== null) return
      const data = { ...found.data, usedAt: clock().toISOString() }
      if (await unlessChanged(uploads.put(id, { data }, found.rev))) return
    }
  }

  return {
    isAlive,
    isUsed,
    removeUnused,

    async hold(task, owner, ids) {
      const names = ids.map(id => `${id}.${task}`)
      const data = { createdAt: clock().toISOString(), holder: store.instance, made: false }
      const undo = (): Promise<void> =>
        quietly('a use of an upload could not be taken back', () =>
          Promise.all(names.map(name => uses.remove(name, 'any'))),
        )
      try {
        await Promise.all(names.map(name => uses.put(name, { data }, 'any')))
        // only now: see removeUnused
        for (const id of ids) {
          const found = await orIfInvalid(uploads.get(id), () => null)
          if (found?.data.state === 'whole' && found.data.owner === owner) continue
          throw new MadhavaError('UPLOAD_NOT_FOUND', `There is no upload ${id} any more`)
        }
      } catch (error) {
        await undo()
        throw error
      }
      return {
        undo,
        made: () =>
          quietly('a use of an upload could not be noted', async () => {
            await Promise.all(names.map(name => uses.put(name, { data: { ...data, made: true } }, 'any')))
            await Promise.all(ids.map(noteUsed))
          }),
      }
    },

    async release({ id: task, params }) {
      for (const id of idsOf(findUploads(params, {})))
        await quietly('an upload could not be removed', async () => {
          await uses.remove(`${id}.${task}`, 'any')
          await removeUnused(id)
        })
    },
  }
}
