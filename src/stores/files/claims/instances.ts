// This process's presence in the data folder, and the proof whether another one lives: a Unix socket that it
// listens on. Connecting succeeds while the process exists, also when it is frozen; it is refused after SIGKILL,
// after a reboot, and between containers that share the folder one after the other, where a pid proves nothing.
// A connection once made is kept, so that a process that lives costs nothing, and its death is known when it breaks.
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import path from 'node:path'
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { MadhavaError } from '../../../core/errors.ts'
import type { Presence, PresenceDetails, SeenPresence } from '../../../core/store.ts'
import type { Log } from '../../../platform/log.ts'
import { readPlainSync } from '../../../platform/plain-file.ts'

const BEAT_MS = 2_000
/** The longest path of a Unix socket, less the final NUL. Node binds a longer one cut off, without a word. */
const SOCKET_PATH_MAX = 107

export interface Instances {
  readonly instance: string
  /** Whether the process behind this id exists. In doubt, yes: no live process may be overruled. */
  isAlive(instance: string): Promise<boolean>
  announce(presence: { role: string; details: () => PresenceDetails }): Promise<void>
  presences(): Promise<SeenPresence[]>
  /** Ids that have left a file or a socket in the folder. */
  known(): string[]
  /** Removes what a dead instance left. To be called only when nothing of it is needed. */
  forget(instance: string): void
  leave(): Promise<void>
}

export interface InstancesOptions {
  /** The `run` folder. */
  folder: string
  host: string
  clock: () => Date
  log: Log
}

const PRESENCE_BYTES_MAX = 1024 ** 2

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** As far as readers rely on it: people may have put something in its place. */
const isPresence = (value: unknown): value is Presence => {
  if (!isObject(value) || !isObject(value.details)) return false
  const { instance, role, host, pid, startedAt, beatAt, details } = value
  const { counters, troubles, running, kinds = [], timings = {}, slots, rssBytes, cpu } = details
  return (
    [instance, role, host, startedAt, beatAt].every(text => typeof text === 'string') &&
    [pid, slots, rssBytes, cpu].every(number => typeof number === 'number') &&
    [counters, troubles, timings].every(isObject) &&
    Array.isArray(running) &&
    Array.isArray(kinds)
  )
}

/** A process's own entry; null when there is none, or none that can be read. */
const readPresence = (file: string): Presence | null => {
  try {
    const value: unknown = JSON.parse(readPlainSync(file, PRESENCE_BYTES_MAX).toString())
    return isPresence(value) ? value : null
  } catch {
    return null
  }
}

/** Ids that have left a file or a socket in the folder. */
const idsIn = (folder: string): string[] => {
  const ids = readdirSync(folder).flatMap(name => /^([0-9a-f]{12})\.(?:json|sock)$/.exec(name)?.[1] ?? [])
  return [...new Set(ids)]
}

/** A deep data folder: the same file by way of the open folder's own name, which is always short. */
const socketPathIn = (folder: string, folderFd: number, id: string): string => {
  const plain = path.join(folder, `${id}.sock`)
  return Buffer.byteLength(plain) <= SOCKET_PATH_MAX ? plain : `/proc/self/fd/${folderFd}/${id}.sock`
}

/** Whether the error of a connect proves that nobody listens any more. */
const provesDeath = ({ code }: NodeJS.ErrnoException): boolean => code === 'ECONNREFUSED' || code === 'ENOENT'

const inOrder = (seen: readonly (SeenPresence | null)[]): SeenPresence[] =>
  seen
    .filter(presence => presence !== null)
    .sort((a, b) => (a.role + a.startedAt < b.role + b.startedAt ? -1 : 1))

/** Whether a process that has opened this `run` folder still lives, asked from outside. In doubt it does. */
export const seemsAlive = async (folder: string, id: string): Promise<boolean> => {
  if (!/^[0-9a-f]{12}$/.test(id) || !existsSync(folder)) return false
  const folderFd = openSync(folder, 'r')
  try {
    return await answers(folder, folderFd, id)
  } finally {
    closeSync(folderFd)
  }
}

const answers = (folder: string, folderFd: number, id: string): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(socketPathIn(folder, folderFd, id))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', error => resolve(!provesDeath(error)))
  })

/**
 * The presences of a `run` folder for a reader from outside, which opens no socket, writes nothing, and is not taken
 * for a process of the bundle. A missing folder has none.
 */
export const seeInstances = async (folder: string): Promise<SeenPresence[]> => {
  if (!existsSync(folder)) return []
  const folderFd = openSync(folder, 'r')
  try {
    return inOrder(
      await Promise.all(
        idsIn(folder).map(async id => {
          const presence = readPresence(path.join(folder, `${id}.json`))
          return presence && { ...presence, alive: await answers(folder, folderFd, id) }
        }),
      ),
    )
  } finally {
    closeSync(folderFd)
  }
}

/** Opens the socket; the instance counts as alive from here on. @throws STORE_UNAVAILABLE */
export const openInstances = async ({ folder, host, clock, log }: InstancesOptions): Promise<Instances> => {
  const instance = randomBytes(6).toString('hex')
  const folderFd = openSync(folder, 'r')
  const socketPath = (id: string): string => socketPathIn(folder, folderFd, id)
  const presenceFile = (id: string) => path.join(folder, `${id}.json`)
  const startedAt = clock().toISOString()
  const dead = new Set<string>()
  let left = false
  let beat: NodeJS.Timeout | null = null

  /** Others that want to know of our death. */
  const watchers = new Set<Socket>()
  const server = createServer(socket => {
    watchers.add(socket)
    socket.unref()
    // no data is expected here
    socket.on('data', () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => watchers.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath(`.${instance}`), resolve)
  })
    // a socket that is bound and does not listen yet would look dead: it gets its name when it listens
    .then(() => renameSync(socketPath(`.${instance}`), socketPath(instance)))
    .catch((error: unknown) => {
      closeSync(folderFd)
      throw new MadhavaError(
        'STORE_UNAVAILABLE',
        'The data folder must be on a file system with Unix sockets, and its path not too long; set DATA_DIR',
        { cause: error },
      )
    })
  server.on('error', error => log.error({ error }, 'the presence socket failed'))
  server.unref()

  /** Open connections to the sockets of others. */
  const watched = new Map<string, Socket>()
  const isAlive = async (id: string): Promise<boolean> => {
    if (id === instance) return !left
    if (dead.has(id)) return false
    // kept open by a process that exists, frozen or not; where it broke, the connect below decides
    if (watched.has(id)) {
      // what has broken already is noticed within one round of the event loop
      await yieldToOthers()
      await yieldToOthers()
      if (watched.has(id)) return true
    }
    const alive = await new Promise<boolean>(resolve => {
      const socket = connect(socketPath(id))
      socket.once('connect', () => {
        const before = watched.get(id)
        watched.set(id, socket)
        before?.destroy()
        socket.unref()
        // the other side says nothing; a flowing stream is what notices its end
        socket.resume()
        const forgetIt = (): void => {
          if (watched.get(id) === socket) watched.delete(id)
        }
        socket.on('end', forgetIt)
        socket.on('close', forgetIt)
        resolve(true)
      })
      socket.on('error', error => resolve(!provesDeath(error)))
    })
    if (!alive) dead.add(id)
    return alive
  }

  const known = (): string[] => idsIn(folder)

  return {
    instance,
    isAlive,
    known,
    async announce({ role, details }) {
      const write = (): void => {
        if (left) return
        const presence: Presence = {
          instance,
          role,
          host,
          pid: process.pid,
          startedAt,
          beatAt: clock().toISOString(),
          details: details(),
        }
        // only live processes read it, so it need not survive a power cut and is not synced
        const tmpFile = path.join(folder, `.${instance}.tmp`)
        try {
          writeFileSync(tmpFile, `${JSON.stringify(presence)}\n`)
          renameSync(tmpFile, presenceFile(instance))
        } catch (error) {
          log.error({ error }, 'the presence could not be written')
        }
      }
      write()
      if (beat) clearInterval(beat)
      beat = setInterval(write, BEAT_MS)
      beat.unref()
    },
    async presences() {
      const seen = known().map(async id => {
        const presence = readPresence(presenceFile(id))
        return presence && { ...presence, alive: await isAlive(id) }
      })
      return inOrder(await Promise.all(seen))
    },
    forget(id) {
      for (const ending of ['json', 'sock', 'sound'])
        rmSync(path.join(folder, `${id}.${ending}`), { force: true })
    },
    async leave() {
      if (left) return
      left = true
      if (beat) clearInterval(beat)
      // from here on the others see this instance as dead
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      for (const socket of [...watchers, ...watched.values()]) socket.destroy()
      await closed
      try {
        for (const ending of ['json', 'sock', 'sound'])
          rmSync(path.join(folder, `${instance}.${ending}`), { force: true })
      } finally {
        closeSync(folderFd)
      }
    },
  }
}
