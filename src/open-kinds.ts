// The kinds of a process, read at its start. Roles that share a process, as those of a test do, share that reading: the
// files are copied and imported once. Later readings are each role's own.
import type { Config } from './config.ts'
import { createKindSets, type KindReader, type KindSet, type KindSets } from './core/kind-sets.ts'
import type { Trials } from './core/reload/trials.ts'
import type { TaskStore } from './core/store.ts'
import { usedBefore } from './follow-kinds.ts'
import { createKindReader } from './load-kinds.ts'
import type { Log } from './platform/log.ts'
import { createModuleCopies, type ModuleCopies } from './platform/module-copies.ts'
import { storeHash } from './platform/process-mark.ts'

export interface OpenedKinds {
  kindSets: KindSets
  /** What all processes had agreed on before the files were read, as `usedBefore` says it. */
  before: string | null | undefined
  /** Texts for people and logs name the files where they lie, and not their copies. */
  plain: Pick<ModuleCopies, 'plain' | 'plainError'>
  /** Removes the copies, once no other role of this process needs them. Idempotent. */
  close(): Promise<void>
}

/** What the roles of one process share. */
interface Shared {
  copies: ModuleCopies
  reader: KindReader
  /** Null: all roles that had it use another set by now, and its copies are gone. */
  first: Promise<{ set: KindSet; before: string | null | undefined }> | null
  /** How many roles have the first set. */
  holders: number
  roles: number
}

const ofThisProcess = new Map<string, Shared>()

/** A presence is small: of a folder full of broken files it names so many. */
export const TROUBLES_TOLD = 50

const share = (
  key: string,
  create: () => Pick<Shared, 'copies' | 'reader'>,
  read: (reader: KindReader) => NonNullable<Shared['first']>,
): Shared & { first: NonNullable<Shared['first']> } => {
  let shared = ofThisProcess.get(key)
  if (!shared) {
    shared = { ...create(), first: null, holders: 0, roles: 0 }
    ofThisProcess.set(key, shared)
  }
  shared.first ??= read(shared.reader)
  shared.holders += 1
  shared.roles += 1
  return shared as ReturnType<typeof share>
}

/** Reads them, and says in the log what is wrong with the files of each set in use. @throws KIND_INVALID */
export const openKinds = async (deps: {
  config: Config
  /** Where attempts have their folders, and the files of kinds their copies. */
  scratchDir: string
  store: Pick<TaskStore, 'instance' | 'presences'>
  /** Of the store. */
  place: string
  trials: Trials
  clock: () => Date
  log: Log
}): Promise<OpenedKinds> => {
  const { config, scratchDir: dir, store, place, trials, clock, log } = deps
  const { kindsDir, kindSettings, builtInKinds } = config
  const living = async (): Promise<ReadonlySet<string>> => {
    const seen = await store.presences()
    return new Set(seen.flatMap(({ alive, instance }) => (alive ? [instance] : [])))
  }
  const key = JSON.stringify([dir, place, kindsDir, kindSettings, builtInKinds])
  const shared = share(
    key,
    () => {
      const { instance } = store
      const copies = createModuleCopies({ dir, instance, living, storeId: storeHash(place), clock, log })
      void copies.sweep()
      return { copies, reader: createKindReader(config, copies, log) }
    },
    async reader => {
      // before the folders are read: what is agreed on meanwhile is read again
      const before = await usedBefore(trials)
      return { set: await reader.read(), before }
    },
  )
  const { copies, reader } = shared

  let closed: Promise<void> | null = null
  const close = (): Promise<void> => {
    closed ??= (async () => {
      shared.roles -= 1
      if (shared.roles > 0) return
      ofThisProcess.delete(key)
      await copies.close()
    })()
    return closed
  }

  const { set: first, before } = await shared.first.catch(async (error: unknown) => {
    await close()
    throw error
  })
  const release = async (set: KindSet): Promise<void> => {
    if (set === first) {
      shared.holders -= 1
      if (shared.holders > 0) return
      ;(shared as Shared).first = null
    }
    await reader.release(set)
  }
  const kindSets = createKindSets(first, { read: () => reader.read(), release })
  const tell = ({ kinds }: KindSet): void => {
    for (const { file, reason } of kinds.troubles().slice(0, TROUBLES_TOLD))
      log.error({ file, reason }, 'a file of kinds cannot be used; the other kinds run')
  }
  tell(first)
  kindSets.onUse(tell)
  return { kindSets, before, plain: copies, close }
}
