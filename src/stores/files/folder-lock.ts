// One owner of a data folder: `lock.<n>` names the instance that owns it, and the next number is taken only when
// that one and every process it started are dead. Nothing that a dead process leaves is in the way.
import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { MadhavaError } from '../../core/errors.ts'
import type { Presence, SeenPresence } from '../../core/store.ts'
import type { Log } from '../../platform/log.ts'
import { type Instances, openInstances } from './claims/instances.ts'
import { createDisk, readSmall } from './disk.ts'
import { isErrno, storeError } from './errno.ts'
import { createLayout } from './layout.ts'
import { recoverOnce } from './log/recovery.ts'
import { prepareFolders } from './prepare-folders.ts'
import { createTurnFiles } from './turn-files.ts'

export interface FolderLock {
  /** The processes of the folder, as the store shows them. */
  presences(): Promise<SeenPresence[]>
  /** Idempotent. The folder is free when it resolves. */
  release(): Promise<void>
}

export interface FolderLockOptions {
  dir: string
  clock: () => Date
  log: Log
  /** How long processes of an owner that died may take to end, milliseconds. */
  patienceMs: number
}

const LOOK_MS = 200

const describe = (folder: string, id: string): string => {
  try {
    const { role, pid, host, startedAt } = JSON.parse(
      readSmall(path.join(folder, `${id}.json`)) ?? '',
    ) as Presence
    return `${role} with process id ${pid} on ${host}, started ${startedAt}`
  } catch {
    return 'a process that is just starting or ending'
  }
}

/**
 * Owns the folder until release or death.
 * @throws DATA_DIR_IN_USE with who owns it; STORE_UNAVAILABLE
 */
export const lockFolder = async ({ dir, clock, log, patienceMs }: FolderLockOptions): Promise<FolderLock> => {
  const layout = createLayout(path.resolve(dir))
  const failed = (error: unknown): never => {
    throw startError(layout.dir, error)
  }
  await prepareFolders(layout, log).catch(failed)
  const instances = await openInstances({ folder: layout.run, host: hostname(), clock, log }).catch(failed)
  try {
    await instances.announce({
      role: 'supervisor',
      details: () => ({
        address: null,
        slots: 0,
        running: [],
        counters: {},
        rssBytes: process.memoryUsage.rss(),
        cpu: 0,
        troubles: {},
      }),
    })
    await take(layout.run, instances, patienceMs)
    await recoverOnce({ layout, disk: createDisk(), instances, log })
  } catch (error) {
    await instances.leave()
    throw startError(layout.dir, error)
  }
  return { presences: () => instances.presences(), release: () => instances.leave() }
}

/** The nearest folder that exists, and whose it is: with a mounted folder that is what has to be mended. */
const ownerOf = (dir: string): string => {
  try {
    const { uid, gid, mode } = statSync(dir)
    return `${dir} belongs to user ${uid}, group ${gid}, mode ${(mode & 0o777).toString(8).padStart(4, '0')}`
  } catch (error) {
    const parent = path.dirname(dir)
    return isErrno(error, 'ENOENT') && parent !== dir ? ownerOf(parent) : `${dir} cannot be looked at`
  }
}

/** An error of the start in words that say what would mend it. */
const startError = (dir: string, error: unknown): unknown => {
  const cause = error instanceof MadhavaError ? error.cause : error
  if (isErrno(cause, 'EROFS'))
    return new MadhavaError(
      'STORE_UNAVAILABLE',
      `The data folder ${dir} is on a read-only file system: mount it writable, or set DATA_DIR`,
      { cause: error },
    )
  if (!isErrno(cause, 'EACCES', 'EPERM')) return storeError(error)
  const user = `user ${process.getuid?.()}, group ${process.getgid?.()}`
  return new MadhavaError(
    'STORE_UNAVAILABLE',
    `The data folder cannot be written: ${ownerOf(dir)}, and this process runs as ${user}. Give the folder to that user (chown -R ${process.getuid?.()}:${process.getgid?.()}), or start as its owner`,
    { cause: error },
  )
}

const take = async (folder: string, instances: Instances, patienceMs: number): Promise<void> => {
  const turns = createTurnFiles(folder, 'lock', createDisk())
  const until = performance.now() + patienceMs
  for (;;) {
    const last = turns.last()
    const owner = last.target
    if (owner !== null && (await instances.isAlive(owner)))
      throw new MadhavaError(
        'DATA_DIR_IN_USE',
        `The data folder belongs to another start of Madhava: ${describe(folder, owner)}. Stop it, or set DATA_DIR to another folder`,
      )
    const others = await living(folder, instances)
    if (others.length > 0) {
      if (performance.now() > until)
        throw new MadhavaError(
          'DATA_DIR_IN_USE',
          `Processes of an earlier start still use the data folder: ${others.join('; ')}. Wait for them or end them`,
        )
      await wait(LOOK_MS)
      continue
    }
    if (turns.take(last, instances.instance)) return
  }
}

/** Live processes of the folder, other than starts like this one, which the lock itself decides on. */
const living = async (folder: string, instances: Instances): Promise<string[]> => {
  const seen = await instances.presences()
  return seen
    .filter(({ alive, role, instance }) => alive && role !== 'supervisor' && instance !== instances.instance)
    .map(({ instance }) => describe(folder, instance))
}
