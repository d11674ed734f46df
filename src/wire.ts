// Config -> the parts of a process. The only file that names the adapters; each is imported when it is needed, so
// that a process carries only what its configuration asks for.
import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import path from 'node:path'
import type { Access } from './access/access.ts'
import { createAuditedAccess } from './access/audited-access.ts'
import { createCheckQueue } from './access/check-queue.ts'
import { openCursorSeals } from './access/cursor-seals.ts'
import { createLoginLimit, type LoginLimit } from './access/login-limit.ts'
import { openAccess } from './access/open.ts'
import type { Config } from './config.ts'
import type { Semaphore } from './core/async/semaphore.ts'
import { type AuditRecorder, createAuditRecorder } from './core/audit-recorder.ts'
import { createAuditedService } from './core/audited-service.ts'
import type { Documents } from './core/documents.ts'
import { codeOfSet, type KindSets } from './core/kind-sets.ts'
import { describeTroubles } from './core/kind-trouble.ts'
import type { Kinds } from './core/kinds.ts'
import type { TaskQueue } from './core/queue.ts'
import type { QuotaLimits } from './core/quotas.ts'
import { createReloadAsker } from './core/reload/ask.ts'
import { openTrials } from './core/reload/trials.ts'
import { createUnattendedReload, type UnattendedDeps } from './core/reload/unattended.ts'
import { createService, type Service } from './core/service.ts'
import type { PresenceDetails, SeenPresence, TaskStore } from './core/store.ts'
import { newTaskId as newId } from './core/task.ts'
import type { UploadLimits } from './core/upload-room.ts'
import { followKinds } from './follow-kinds.ts'
import { openKinds, TROUBLES_TOLD } from './open-kinds.ts'
import { clientKeyOf } from './platform/client-address.ts'
import type { Log } from './platform/log.ts'
import { createProcessFigures } from './platform/process-figures.ts'
import { createSharedClock, type SharedClock, steadyNow } from './platform/shared-clock.ts'
import { typeOfBytes } from './platform/type-of-bytes.ts'
import type { FilesAdapter } from './stores/files/adapter.ts'
import type { OpenOptions, StoreAdapter } from './stores/shared/adapter.ts'

type Place = Pick<Config, 'dataDir' | 'redis'> & Partial<Pick<Config, 'reserveBytes' | 'auditMs'>>

/** The data folder; with a Redis its tasks are there instead, and the folder is owned all the same. */
export const dataFolder = async ({ dataDir, reserveBytes }: Omit<Place, 'redis'>): Promise<FilesAdapter> => {
  const { filesAdapter } = await import('./stores/files/adapter.ts')
  return filesAdapter({ dir: dataDir, ...(reserveBytes === undefined ? {} : { reserveBytes }) })
}

/** The store that the settings name. */
export const chooseStore = async (place: Place): Promise<StoreAdapter> => {
  if (!place.redis) return dataFolder(place)
  const { redisAdapter } = await import('./stores/redis/adapter.ts')
  return redisAdapter(place.redis)
}

const openQueue = async (
  config: Config,
  deps: { store: TaskStore; clock: () => Date; log: Log },
): Promise<TaskQueue> => {
  if (config.amqpUrls.length > 0) {
    const { createRabbitQueue } = await import('./queues/rabbitmq/open.ts')
    return createRabbitQueue({ urls: config.amqpUrls, queue: config.amqpQueue, ...deps })
  }
  const { createEmbeddedQueue } = await import('./queues/embedded/open.ts')
  return createEmbeddedQueue(deps)
}

/** The bundle that a process belongs to, for a store that several share: one folder on one host. */
const bundleOf = ({ dataDir }: Config): string =>
  createHash('sha256').update(`${hostname()}\0${dataDir}`).digest('hex').slice(0, 12)

/** Whether a presence is of the bundle of these settings. */
const isOwnOf =
  (config: Config, { isShared }: StoreAdapter) =>
  ({ details }: SeenPresence): boolean =>
    !isShared || details.bundle === bundleOf(config)

/** A store that several hosts share tells the time: steps of this host's own clock do not matter then. */
const openClock = ({ isShared }: StoreAdapter): SharedClock =>
  createSharedClock(isShared ? steadyNow : Date.now)

/** This bundle, and who else may use its store. */
export interface Bundles {
  bundle: string
  /** Whether processes of a bundle live. Null: the store is this bundle's alone. */
  isAlive: ((bundle: string) => Promise<boolean>) | null
}

/** For a store that several bundles share: whether processes of one live. */
const isAliveIn =
  (store: Pick<TaskStore, 'presences'>) =>
  async (bundle: string): Promise<boolean> =>
    (await store.presences()).some(({ alive, details }) => alive && details.bundle === bundle)

/** For a folder: whether its dashboard runs, which has the settings of the bundle, whatever that is called. */
const isDashboardAliveIn = (store: Pick<TaskStore, 'presences'>) => async (): Promise<boolean> =>
  (await store.presences()).some(({ alive, role }) => alive && role === 'dashboard')

const bundlesOf = (
  config: Config,
  { isShared }: StoreAdapter,
  store: Pick<TaskStore, 'presences'>,
): Bundles => ({
  bundle: bundleOf(config),
  isAlive: isShared ? isAliveIn(store) : null,
})

/** What the start script needs of the store before any role runs. */
export interface Ownership {
  /** Of this bundle alone. */
  presences(): Promise<SeenPresence[]>
  /** Of the store, until `settled`. */
  documents: Documents
  bundles: Bundles
  /** The store's time. */
  clock: () => Date
  /**
   * Opens the documents of the data folder for `work`, where the store is another one: an earlier start may have kept
   * them there. Null: they are those of the store.
   */
  withFolder: ((work: (documents: Documents) => Promise<void>) => Promise<void>) | null
  /** The documents are no longer needed. Idempotent. */
  settled(): Promise<void>
  /** The start is over: what only it needed is closed; the folder stays owned. Idempotent. */
  started(): Promise<void>
}

/** What processes of an owner that died may take beyond their drain, milliseconds. */
const END_MS = 8_000

/** Owns the data folder until this process ends. @throws DATA_DIR_IN_USE, STORE_UNAVAILABLE */
export const ownData = async (config: Config, log: Log): Promise<Ownership> => {
  const adapter = await chooseStore(config)
  const sharedClock = openClock(adapter)
  const folder = await dataFolder(config)
  const lock = await folder.own({
    clock: sharedClock.now,
    log,
    patienceMs: config.drainMs + END_MS,
  })
  // what is wrong with it is said here, once, and not by every role again and again
  const store = await adapter.open({ sharedClock, log, isOwner: true })
  return {
    presences: adapter.isShared
      ? async () => (await store.presences()).filter(isOwnOf(config, adapter))
      : () => lock.presences(),
    documents: store.documents,
    bundles: bundlesOf(config, adapter, store),
    clock: sharedClock.now,
    withFolder: adapter.isShared
      ? async work => {
          const local = await folder.open({ sharedClock, log, isOwner: true })
          await work(local.documents).finally(() => local.close())
        }
      : null,
    settled: adapter.isShared ? async () => {} : () => store.close(),
    started: () => store.close(),
  }
}

/** Writes the audit, unless a setting says that there is none. */
const openRecorder = (
  { auditMs }: Partial<Pick<Config, 'auditMs'>>,
  store: Pick<TaskStore, 'audit'>,
  clock: () => Date,
  log: Log,
): AuditRecorder =>
  createAuditRecorder({
    trail: auditMs === null ? null : store.audit,
    clock,
    onFailed: (error, what) =>
      log.error({ error, ...what }, 'what was done could not be written to the audit'),
  })

const quotaLimitsOf = (quotas: Config['quotas']): QuotaLimits => ({
  submits: { account: quotas.submitsAccount, key: quotas.submitsKey, address: quotas.submitsAddress },
  waiting: { account: quotas.waitingAccount, key: quotas.waitingKey, address: quotas.waitingAddress },
})

const uploadLimitsOf = (files: Config['files']): UploadLimits => ({
  maxBytes: files.uploadMaxBytes,
  maxBytesPerOwner: files.uploadsMaxBytesPerAccount,
  maxBytesInAll: files.uploadsMaxBytes,
  types: files.uploadTypes.length > 0 ? files.uploadTypes : null,
})

export interface OpenedDocuments {
  documents: Documents
  /** Writes what the tool changes. */
  audit: AuditRecorder
  place: string
  /** Whether a bundle that a document names runs, with the settings of its start. */
  isAlive(bundle: string): Promise<boolean>
  /** The store's time. */
  clock: () => Date
  close(): Promise<void>
}

/**
 * The documents of a store, for a tool beside a bundle that may run or not. `place` is for people.
 * @param beforeOpening called when everything is loaded and the store is found; it may give up rights
 * @throws STORE_UNAVAILABLE, also where there is no data folder
 */
export const openDocuments = async (
  place: Place,
  log: Log,
  beforeOpening: () => void = () => {},
): Promise<OpenedDocuments> => {
  const adapter = await chooseStore(place)
  if (!place.redis) {
    const folder = await dataFolder(place)
    await folder.load()
    await folder.mustExist()
  }
  beforeOpening()
  const sharedClock = openClock(adapter)
  const store = await adapter.open({ sharedClock, log })
  return {
    documents: store.documents,
    audit: openRecorder(place, store, sharedClock.now, log),
    place: adapter.place,
    isAlive: adapter.isShared ? isAliveIn(store) : isDashboardAliveIn(store),
    clock: sharedClock.now,
    close: () => store.close(),
  }
}

/**
 * All processes of the store, and which are of this bundle, for bin/healthcheck. Nothing is written, nothing stays
 * open.
 */
export const seePresences = async (
  config: Config,
): Promise<{ presences: SeenPresence[]; isOwn: (presence: SeenPresence) => boolean }> => {
  const adapter = await chooseStore(config)
  return { presences: await adapter.presences(), isOwn: isOwnOf(config, adapter) }
}

/** Why the door of a process takes nobody in; beside what is wrong with its queue and its store. */
interface DoorTrouble {
  trouble?: string | null
}

/** What a role is built from. */
export interface Parts {
  store: TaskStore
  /** Where the store is, without a password: the same for all processes of this host that use it. */
  storePlace: string
  queue: TaskQueue
  /** Of the set in use. */
  kinds: Kinds
  kindSets: KindSets
  /** The names of the built-in kinds that are not left out: the same in every set. */
  builtInKinds: ReadonlySet<string>
  /** Names the files of kinds where they lie, and not their copies, in a text for people. */
  plainText(text: string): string
  /** Where attempts have their folders, and the files of kinds their copies. */
  scratchDir: string
  service: Service
  access: Access
  /** What guards the passwords that `access` checks, for whatever else of this process checks some. */
  checks: { inTurn: Semaphore; limit: LoginLimit }
  /** Writes the audit, for what changes neither tasks nor accounts. */
  audit: AuditRecorder
  clock: () => Date
  /** Whether a process is of this bundle: a store may be shared with others. */
  isOwn(presence: SeenPresence): boolean
  bundles: Bundles
  /** Has all processes read the kinds again; the log tells what became of it. Never throws. */
  reloadKinds(): void
  /** Makes this process known to the others, with figures that are taken afresh at every beat. */
  announce(role: string, details?: () => Partial<PresenceDetails> & DoorTrouble): Promise<void>
  /** Idempotent; in the reverse order of opening. */
  close(): Promise<void>
}

export type WireOptions = Pick<OpenOptions, 'writerThread'>

/**
 * Asks the processes of a store to read the kinds again, for a tool beside them that has no kinds itself. Its calls are
 * as those of a process that gets SIGHUP. @throws STORE_UNAVAILABLE
 */
export const openReloads = async (
  config: Config,
  log: Log,
  told: Pick<UnattendedDeps, 'onReloaded' | 'onFailed'>,
): Promise<{ reload(): void; close(): Promise<void> }> => {
  const adapter = await chooseStore(config)
  const sharedClock = openClock(adapter)
  const clock = sharedClock.now
  const store = await adapter.open({ sharedClock, log })
  const trials = openTrials(store.documents, clock)
  const presences = () => store.presences()
  return {
    reload: createUnattendedReload({
      ask: createReloadAsker({ trials, presences, instance: null, clock, newId }),
      audit: openRecorder(config, store, clock, log),
      ...told,
    }),
    close: () => store.close(),
  }
}

/** @throws KIND_INVALID, STORE_UNAVAILABLE */
export const wire = async (config: Config, log: Log, options: WireOptions = {}): Promise<Parts> => {
  const adapter = await chooseStore(config)
  const sharedClock = openClock(adapter)
  const clock = sharedClock.now
  const store = await adapter.open({ sharedClock, log, ...options })
  const scratchDir = path.join(config.dataDir, 'scratch')
  const trials = openTrials(store.documents, clock)
  const { place } = adapter
  const opened = await openKinds({ config, scratchDir, store, place, trials, clock, log }).catch(
    async (error: unknown) => {
      await store.close()
      throw error
    },
  )
  const { kindSets, before } = opened
  const { kinds } = kindSets
  const queue = await openQueue(config, { store, clock, log }).catch(async (error: unknown) => {
    await opened.close()
    await store.close()
    throw error
  })
  const checks = {
    inTurn: createCheckQueue(),
    limit: createLoginLimit({ clock: () => performance.now(), shared: store.rates }),
  }
  const access = openAccess({
    documents: store.documents,
    feed: store,
    anonymous: config.anonymous,
    registration: config.registration,
    oidc: config.oidc,
    clock,
    log,
    ...checks,
  })
  const audit = openRecorder(config, store, clock, log)
  const hasFolder = config.kindsDir !== null
  const reloads = followKinds({ store, trials, kindSets, hasFolder, before, audit, clock, log })
  const service = createService({
    store,
    queue,
    kinds,
    clock,
    maxWaiting: config.maxWaiting,
    onCheckThrew: (kind, error) =>
      log.warn(
        { kind, error: opened.plain.plainError(error) },
        'a check of a kind threw; the submit is refused',
      ),
    allowances: config.taskLimits,
    quotas: { limits: quotaLimitsOf(config.quotas), clientOf: clientKeyOf },
    uploads: {
      limits: uploadLimitsOf(config.files),
      ttlMs: config.files.uploadTtlMs,
      typeOf: typeOfBytes,
    },
    onUploadTrouble: (error, what) => log.warn({ error, what }, 'an upload is left to the sweep'),
    cursorSeal: openCursorSeals(store.documents),
    reloadKinds: reloads.ask,
  })
  const figures = createProcessFigures()
  let closing: Promise<void> | null = null
  return {
    store,
    storePlace: adapter.place,
    queue,
    kinds,
    kindSets,
    builtInKinds: kindSets.current().builtIn,
    plainText: opened.plain.plain,
    scratchDir,
    service: createAuditedService(service, audit),
    access: createAuditedAccess(access, audit),
    checks,
    audit,
    clock,
    isOwn: isOwnOf(config, adapter),
    bundles: bundlesOf(config, adapter, store),
    reloadKinds: reloads.reload,
    announce: (role, details = () => ({})) =>
      store.announce({
        role,
        details: () => {
          const { reason } = queue.state()
          const { trouble = null, ...own } = details()
          const older = reloads.trouble()
          const kindsInTrouble = kinds.troubles().slice(0, TROUBLES_TOLD)
          return {
            address: null,
            slots: 0,
            running: [],
            bundle: bundleOf(config),
            ...figures(),
            ...own,
            kindsCode: codeOfSet(kindSets.current()),
            ...(kindsInTrouble.length === 0 ? {} : { kindsInTrouble }),
            troubles: {
              ...(reason === null ? {} : { queue: reason }),
              ...(trouble === null ? {} : { door: trouble }),
              ...(kindsInTrouble.length === 0 ? {} : { kinds: describeTroubles(kindsInTrouble) }),
              ...(older === null
                ? {}
                : { reload: `older kinds than those of the other processes: ${older}` }),
              ...own.troubles,
            },
            kindsUsedAt: reloads.usedAt().toISOString(),
            counters: { ...own.counters, ...store.counters(), ...queue.counters(), ...reloads.counters() },
          }
        },
      }),
    close() {
      closing ??= access
        .close()
        .finally(() => reloads.close())
        .finally(() => queue.close())
        .finally(() => opened.close())
        .finally(() => store.close())
      return closing
    },
  }
}
