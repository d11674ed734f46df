// Config -> the parts of a process. The only file that knows the adapters' names; they are imported when they are
// needed, so that a process carries only what its configuration asks for.
import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
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
import { createSharedClock, type SharedClock } from './platform/shared-clock.ts'
import type { TakeInOptions, VerifyOptions } from './stores/shared/take-in.ts'

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
    if (error instanceof ModuleLoadError)
      throw new MadhavaError('KIND_INVALID', error.message, { cause: error })
    const { syscall, code } = error as NodeJS.ErrnoException
    if (syscall === undefined) throw error
    const text = `The folder of KINDS_DIR, ${kindsDir}, cannot be read (${code}): this user needs the right to`
    throw new MadhavaError('KIND_INVALID', text, { cause: error })
  }
  return { kinds: createKinds(kinds), files }
}

/** What the start script needs of the store before any role runs: nobody else may use the data folder. */
export interface Ownership {
  /** Of this bundle alone. */
  presences(): Promise<SeenPresence[]>
  /** The start is over: what only it needed is closed; the folder stays owned. */
  started(): Promise<void>
}

/** The bundle that a process belongs to, for a store that several share: one folder on one host. */
const bundleOf = ({ dataDir }: Config): string =>
  createHash('sha256').update(`${hostname()}\0${dataDir}`).digest('hex').slice(0, 12)

const ofBundle =
  (config: Config, presences: () => Promise<SeenPresence[]>) => async (): Promise<SeenPresence[]> =>
    (await presences()).filter(({ details }) => details.bundle === bundleOf(config))

/** Owns the data folder until this process ends. @throws DATA_DIR_IN_USE, STORE_UNAVAILABLE */
export const ownData = async (config: Config, log: Log): Promise<Ownership> => {
  const { lockFolder } = await import('./stores/files/folder-lock.ts')
  const sharedClock = createSharedClock()
  const clock = sharedClock.now
  const folder = await lockFolder({ dir: config.dataDir, clock, log, patienceMs: config.drainMs + 8_000 })
  if (!config.redis) return { presences: () => folder.presences(), started: async () => {} }
  // what is wrong with it is said here, once, and not by every role again and again
  const store = await openStore(config, sharedClock, log)
  return { presences: ofBundle(config, () => store.presences()), started: () => store.close() }
}

/** The bundle's processes, for one who only looks: bin/healthcheck. Nothing is written, nothing stays open. */
export const seePresences = async (config: Config): Promise<SeenPresence[]> => {
  const { redis } = config
  if (redis) {
    const { seeRedisPresences } = await import('./stores/redis/open.ts')
    return ofBundle(config, () => seeRedisPresences(redis))()
  }
  const { seeInstances } = await import('./stores/files/instance.ts')
  return seeInstances(path.join(config.dataDir, 'run'))
}

/** What bin/fsck does with a data folder. */
export const folderTools = async () => {
  const { checkFolder } = await import('./stores/files/fsck.ts')
  return { checkFolder }
}

/** What bin/export and bin/import do with a store: that of the settings, or with a folder, files. */
export const transferTools = async ({ redis, dataDir: dir }: Pick<Config, 'redis' | 'dataDir'>) => {
  const clock = () => new Date()
  if (redis) {
    const { exportRedis, importRedis, verifyRedis } = await import('./stores/redis/transfer.ts')
    const target = { ...redis, clock }
    return {
      exportTasks: (options: { onLeftOut: (what: string, why: string) => void }) =>
        exportRedis(target, { clock, ...options }),
      importTasks: (options: TakeInOptions) => importRedis(target, options),
      verifyTasks: (options: VerifyOptions) => verifyRedis(target, options),
    }
  }
  const { exportFolder } = await import('./stores/files/transfer.ts')
  const { importFolder, verifyFolder } = await import('./stores/files/transfer-in.ts')
  return {
    exportTasks: (options: { onLeftOut: (what: string, why: string) => void }) =>
      exportFolder({ dir, clock, ...options }),
    importTasks: (options: TakeInOptions) => importFolder({ dir, clock, ...options }),
    verifyTasks: (options: VerifyOptions) => verifyFolder({ dir, clock, ...options }),
  }
}

const openStore = async (
  config: Config,
  sharedClock: SharedClock,
  log: Log,
  { scribeThread = false }: WireOptions = {},
): Promise<TaskStore> => {
  const clock = sharedClock.now
  if (config.redis) {
    const { openRedisStore } = await import('./stores/redis/open.ts')
    return openRedisStore({ ...config.redis, clock, sharedClock, log })
  }
  const { openFilesStore } = await import('./stores/files/open.ts')
  return openFilesStore({
    dir: config.dataDir,
    clock,
    log,
    reserveBytes: config.reserveBytes,
    scribeThread,
  })
}

const openQueue = async (
  config: Config,
  store: TaskStore,
  clock: () => Date,
  log: Log,
): Promise<TaskQueue> => {
  if (config.amqpUrls.length > 0) {
    const { createRabbitQueue } = await import('./queues/rabbitmq.ts')
    return createRabbitQueue({ urls: config.amqpUrls, queue: config.amqpQueue, log, clock })
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
  /** The processes of this bundle: a store may be shared with others. */
  ownPresences(): Promise<SeenPresence[]>
  /** Makes this process known to the others, with figures that are taken afresh at every beat. */
  announce(role: string, details?: () => Partial<PresenceDetails>): Promise<void>
  /** Idempotent; in the reverse order of opening. */
  close(): Promise<void>
}

export interface WireOptions {
  /** For a process that writes many tasks: the store's calls to the disk in a thread of their own, where it has such. */
  scribeThread?: boolean
}

/** @throws KIND_INVALID, STORE_UNAVAILABLE */
export const wire = async (config: Config, log: Log, options: WireOptions = {}): Promise<Parts> => {
  const sharedClock = createSharedClock()
  const clock = sharedClock.now
  const { kinds, files: kindFiles } = await loadKinds(config)
  const store = await openStore(config, sharedClock, log, options)
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
    service: createService({ store, queue, kinds, clock, maxWaiting: config.maxWaiting }),
    clock,
    ownPresences: config.redis ? ofBundle(config, () => store.presences()) : () => store.presences(),
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
            bundle: bundleOf(config),
            ...figures(),
            ...own,
            troubles: { ...(reason === null ? {} : { queue: reason }), ...own.troubles },
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
