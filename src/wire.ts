// Config -> the parts of a process. The only file that knows the adapters' names; they are imported when they are
// needed, so that a process carries only what its configuration asks for.
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from './config.ts'
import { MadhavaError } from './core/errors.ts'
import {
  checkExample,
  createKinds,
  type KindSettings,
  type Kinds,
  loadKind,
  type NamedKind,
} from './core/kind.ts'
import { judgeKinds } from './core/kind-files.ts'
import { troublesInWords } from './core/kind-trouble.ts'
import type { TaskQueue } from './core/queue.ts'
import { createService, type Service } from './core/service.ts'
import type { PresenceDetails, SeenPresence, TaskStore } from './core/store.ts'
import type { Log } from './platform/log.ts'
import { loadModules, ModuleLoadError, tryModules } from './platform/modules.ts'
import { createProcessFigures } from './platform/process-figures.ts'
import { describePlace } from './platform/redis-url.ts'
import { createSharedClock, type SharedClock, steadyNow } from './platform/shared-clock.ts'
import type { TakeInOptions, VerifyOptions } from './stores/shared/import.ts'

const BUILT_IN_KINDS = fileURLToPath(new URL('./kinds/', import.meta.url))

export interface LoadedKinds {
  kinds: Kinds
  /** The file that each kind was read from, by the kind's name. */
  files: ReadonlyMap<string, string>
}

/** The kinds that come with Madhava: one that is broken stops everything. @throws KIND_INVALID */
const loadOurKinds = async (settings: KindSettings): Promise<[NamedKind, string][]> => {
  try {
    const kinds: [NamedKind, string][] = []
    for (const { name, file, exported } of await loadModules(BUILT_IN_KINDS)) {
      const kind = loadKind(name, exported, path.basename(file), settings)
      await checkExample(kind, path.basename(file))
      kinds.push([kind, file])
    }
    return kinds
  } catch (error) {
    if (error instanceof ModuleLoadError)
      throw new MadhavaError('KIND_INVALID', error.message, { cause: error })
    throw error
  }
}

const refuseFolder = (folder: string) => (error: NodeJS.ErrnoException) => {
  if (error.syscall === undefined) throw error
  const text = `The folder of KINDS_DIR, ${folder}, cannot be read (${error.code}): this user needs the right to`
  throw new MadhavaError('KIND_INVALID', text, { cause: error })
}

/**
 * What stops a start: a broken kind of ours, a folder that cannot be read. No file of a user's is run for it: what it does
 * is the affair of the processes that can be started again. @throws KIND_INVALID
 */
export const checkKinds = async ({
  kindsDir,
  kindSettings,
}: Pick<Config, 'kindsDir' | 'kindSettings'>): Promise<void> => {
  await loadOurKinds(kindSettings)
  if (kindsDir !== null) await readdir(kindsDir).catch(refuseFolder(kindsDir))
}

/** The kinds of a user's folder, and those of which nothing can be used. @throws KIND_INVALID for the folder itself */
const loadUsersKinds = async (folder: string, ours: ReadonlySet<string>, settings: KindSettings) => {
  const { loaded, failed } = await tryModules(folder).catch(refuseFolder(folder))
  const short = <T extends { file: string }>(one: T) => ({ ...one, shown: path.basename(one.file) })
  return judgeKinds({ loaded: loaded.map(short), failed: failed.map(short), ours, settings })
}

/**
 * The built-in kinds and those of KINDS_DIR. A broken file there is a kind in trouble, and the others run.
 * @throws KIND_INVALID with the file's name and the reason when a kind of ours is broken, or the folder cannot be read
 */
export const loadKinds = async ({
  kindsDir,
  kindSettings,
}: Pick<Config, 'kindsDir' | 'kindSettings'>): Promise<LoadedKinds> => {
  const ours = await loadOurKinds(kindSettings)
  const users =
    kindsDir === null
      ? { kinds: [], troubles: [] }
      : await loadUsersKinds(kindsDir, new Set(ours.map(([{ name }]) => name)), kindSettings)
  const all = [...ours, ...users.kinds]
  return {
    kinds: createKinds(
      all.map(([kind]) => kind),
      users.troubles,
    ),
    files: new Map(all.map(([{ name }, file]) => [name, file])),
  }
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

/** Whether a presence is of the bundle of these settings: a folder belongs to one alone, a Redis to many. */
const isOwnOf =
  (config: Config) =>
  ({ details }: SeenPresence): boolean =>
    !config.redis || details.bundle === bundleOf(config)

const ofBundle =
  (config: Config, presences: () => Promise<SeenPresence[]>) => async (): Promise<SeenPresence[]> =>
    (await presences()).filter(isOwnOf(config))

/** Where Redis tells the time, a step of this host's own clock is nobody's business. */
const openClock = ({ redis }: Config): SharedClock => createSharedClock(redis ? steadyNow : Date.now)

/** Owns the data folder until this process ends. @throws DATA_DIR_IN_USE, STORE_UNAVAILABLE */
export const ownData = async (config: Config, log: Log): Promise<Ownership> => {
  const { lockFolder } = await import('./stores/files/folder-lock.ts')
  const sharedClock = openClock(config)
  const clock = sharedClock.now
  const folder = await lockFolder({ dir: config.dataDir, clock, log, patienceMs: config.drainMs + 8_000 })
  if (!config.redis) return { presences: () => folder.presences(), started: async () => {} }
  // what is wrong with it is said here, once, and not by every role again and again
  const store = await openStore(config, sharedClock, log)
  return { presences: ofBundle(config, () => store.presences()), started: () => store.close() }
}

/**
 * All processes of the store, and which are of this bundle, for one who only looks: bin/healthcheck. Nothing is written,
 * nothing stays open.
 */
export const seePresences = async (
  config: Config,
): Promise<{ presences: SeenPresence[]; isOwn: (presence: SeenPresence) => boolean }> => {
  const { redis } = config
  const isOwn = isOwnOf(config)
  if (redis) {
    const { seeRedisPresences } = await import('./stores/redis/open.ts')
    return { presences: await seeRedisPresences(redis), isOwn }
  }
  const { seeInstances } = await import('./stores/files/claims/instances.ts')
  return { presences: await seeInstances(path.join(config.dataDir, 'run')), isOwn }
}

/** What bin/fsck does with a data folder. */
export const folderTools = async () => {
  const { checkFolder } = await import('./stores/files/tools/fsck.ts')
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
  const { exportFolder } = await import('./stores/files/tools/export.ts')
  const { importFolder, verifyFolder } = await import('./stores/files/tools/import.ts')
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
  { writerThread = false }: WireOptions = {},
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
    writerThread,
  })
}

const openQueue = async (
  config: Config,
  store: TaskStore,
  clock: () => Date,
  log: Log,
): Promise<TaskQueue> => {
  if (config.amqpUrls.length > 0) {
    const { createRabbitQueue } = await import('./queues/rabbitmq/open.ts')
    return createRabbitQueue({ urls: config.amqpUrls, queue: config.amqpQueue, log, clock })
  }
  const { createEmbeddedQueue } = await import('./queues/embedded/open.ts')
  return createEmbeddedQueue({ store, log, clock })
}

/** Why somebody finds no place at the door of a process; beside what is wrong with its queue and its store. */
interface DoorTrouble {
  trouble?: string | null
}

/** What a role is built from. */
export interface Parts {
  store: TaskStore
  /** Where the store is, without a password: the same for all processes of this host that use it. */
  storePlace: string
  queue: TaskQueue
  kinds: Kinds
  kindFiles: ReadonlyMap<string, string>
  service: Service
  clock: () => Date
  /** Whether a process is of this bundle: a store may be shared with others. */
  isOwn(presence: SeenPresence): boolean
  /** Makes this process known to the others, with figures that are taken afresh at every beat. */
  announce(role: string, details?: () => Partial<PresenceDetails> & DoorTrouble): Promise<void>
  /** Idempotent; in the reverse order of opening. */
  close(): Promise<void>
}

export interface WireOptions {
  /** For a process that writes many tasks: the store's calls to the disk in a thread of their own, where it has such. */
  writerThread?: boolean
}

/** A presence is small: of a folder full of broken files it names so many. */
const TROUBLES_TOLD = 50

/** @throws KIND_INVALID, STORE_UNAVAILABLE */
export const wire = async (config: Config, log: Log, options: WireOptions = {}): Promise<Parts> => {
  const sharedClock = openClock(config)
  const clock = sharedClock.now
  const { kinds, files: kindFiles } = await loadKinds(config)
  const kindsInTrouble = kinds.troubles().slice(0, TROUBLES_TOLD)
  for (const { file, reason } of kindsInTrouble)
    log.error({ file, reason }, 'a file of kinds cannot be used; the other kinds run')
  const kindTroubles = kindsInTrouble.length === 0 ? {} : { kinds: troublesInWords(kindsInTrouble) }
  const store = await openStore(config, sharedClock, log, options)
  const queue = await openQueue(config, store, clock, log).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  const figures = createProcessFigures()
  let closing: Promise<void> | null = null
  return {
    store,
    storePlace: config.redis
      ? `${describePlace(config.redis.place)} ${config.redis.place.db} ${config.redis.prefix}`
      : config.dataDir,
    queue,
    kinds,
    kindFiles,
    service: createService({
      store,
      queue,
      kinds,
      clock,
      maxWaiting: config.maxWaiting,
      onCheckThrew: (kind, error) =>
        log.warn({ kind, error }, 'a check of a kind threw; the submit is refused'),
      allowances: config.taskLimits,
    }),
    clock,
    isOwn: isOwnOf(config),
    announce: (role, details = () => ({})) =>
      store.announce({
        role,
        details: () => {
          const { reason } = queue.state()
          const { trouble = null, ...own } = details()
          return {
            address: null,
            slots: 0,
            running: [],
            bundle: bundleOf(config),
            ...figures(),
            ...own,
            ...(kindsInTrouble.length === 0 ? {} : { kindsInTrouble }),
            troubles: {
              ...(reason === null ? {} : { queue: reason }),
              ...(trouble === null ? {} : { door: trouble }),
              ...kindTroubles,
              ...own.troubles,
            },
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
