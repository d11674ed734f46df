// Config -> the parts of a process. The only file that knows the adapters' names; they are imported when they are
// needed, so that a process carries only what its configuration asks for.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from './config.ts'
import { MadhavaError } from './core/errors.ts'
import { createKinds, type Kinds, loadKind, type NamedKind } from './core/kind.ts'
import type { TaskQueue } from './core/queue.ts'
import { createService, type Service } from './core/service.ts'
import type { PresenceDetails, SeenPresence, TaskStore } from './core/store.ts'
import type { Log } from './platform/log.ts'
import { loadModules, ModuleLoadError } from './platform/modules.ts'
import { createProcessFigures } from './platform/process-figures.ts'

const BUILT_IN_KINDS = fileURLToPath(new URL('./kinds/', import.meta.url))

export interface LoadedKinds {
  kinds: Kinds
  /** The file that each kind was read from, by the kind's name. */
  files: ReadonlyMap<string, string>
}

/** The built-in kinds and those of KINDS_DIR. @throws KIND_INVALID with the file's name and the reason */
export const loadKinds = async ({
  kindsDir,
  kindSettings,
}: Pick<Config, 'kindsDir' | 'kindSettings'>): Promise<LoadedKinds> => {
  const kinds: NamedKind[] = []
  const files = new Map<string, string>()
  try {
    for (const folder of kindsDir === null ? [BUILT_IN_KINDS] : [BUILT_IN_KINDS, kindsDir])
      for (const { name, file, exported } of await loadModules(folder)) {
        kinds.push(loadKind(name, exported, path.basename(file), kindSettings))
        files.set(name, file)
      }
  } catch (error) {
    if (!(error instanceof ModuleLoadError)) throw error
    throw new MadhavaError('KIND_INVALID', error.message, { cause: error })
  }
  return { kinds: createKinds(kinds), files }
}

/** What the start script needs of the store before any role runs: nobody else may use the data folder. */
export interface Ownership {
  presences(): Promise<SeenPresence[]>
}

/** Owns the data folder until this process ends. @throws DATA_DIR_IN_USE, STORE_UNAVAILABLE */
export const ownData = async (config: Config, log: Log): Promise<Ownership> => {
  const { lockFolder } = await import('./stores/files/folder-lock.ts')
  return lockFolder({ dir: config.dataDir, clock: () => new Date(), log, patienceMs: config.drainMs + 8_000 })
}

/** What bin/fsck, bin/export and bin/import do with a data folder. */
export const dataTools = async () => {
  const { checkFolder } = await import('./stores/files/fsck.ts')
  const { exportFolder } = await import('./stores/files/transfer.ts')
  const { importFolder } = await import('./stores/files/transfer-in.ts')
  return { checkFolder, exportFolder, importFolder }
}

const openStore = async (config: Config, clock: () => Date, log: Log): Promise<TaskStore> => {
  const { openFilesStore } = await import('./stores/files/open.ts')
  return openFilesStore({ dir: config.dataDir, clock, log, reserveBytes: config.reserveBytes })
}

const openQueue = async (
  config: Config,
  store: TaskStore,
  clock: () => Date,
  log: Log,
): Promise<TaskQueue> => {
  if (config.amqpUrls.length > 0) {
    const { createRabbitQueue } = await import('./queues/rabbitmq.ts')
    return createRabbitQueue({ urls: config.amqpUrls, queue: config.amqpQueue, log })
  }
  const { createEmbeddedQueue } = await import('./queues/embedded.ts')
  return createEmbeddedQueue({ store, log, clock })
}

/** What a role is built from. */
export interface Parts {
  store: TaskStore
  queue: TaskQueue
  kinds: Kinds
  kindFiles: ReadonlyMap<string, string>
  service: Service
  clock: () => Date
  /** Makes this process known to the others, with figures that are taken afresh at every beat. */
  announce(role: string, details?: () => Partial<PresenceDetails>): Promise<void>
  /** Idempotent; in the reverse order of opening. */
  close(): Promise<void>
}

/** @throws KIND_INVALID, STORE_UNAVAILABLE */
export const wire = async (config: Config, log: Log): Promise<Parts> => {
  const clock = () => new Date()
  const { kinds, files: kindFiles } = await loadKinds(config)
  const store = await openStore(config, clock, log)
  const queue = await openQueue(config, store, clock, log).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  const figures = createProcessFigures()
  let closing: Promise<void> | null = null
  return {
    store,
    queue,
    kinds,
    kindFiles,
    service: createService({ store, queue, kinds, clock }),
    clock,
    announce: (role, details = () => ({})) =>
      store.announce({
        role,
        details: () => {
          const { reason } = queue.state()
          const own = details()
          return {
            address: null,
            slots: 0,
            running: [],
            ...figures(),
            troubles: reason === null ? {} : { queue: reason },
            ...own,
            counters: { ...own.counters, ...store.counters(), ...queue.counters() },
          }
        },
      }),
    close() {
      closing ??= queue.close().finally(() => store.close())
      return closing
    },
  }
}
