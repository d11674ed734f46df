// Starts a whole Madhava for a test, in a folder of its own and on ports that are free, and takes it away again.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '../client/client.ts'
import { MadhavaError } from '../core/errors.ts'
import { didYouMean, nearest } from '../core/nearest.ts'
import { ROLES, type Role, SETTINGS } from '../settings.ts'
import { ownEnvironment } from './own-environment.ts'
import { startProcess } from './started-process.ts'

export interface StartMadhavaOptions {
  /** The folder of kinds, as a path or a file URL; left out: there are the built-in ones alone. */
  kinds?: string | URL
  /** Which of Madhava's own kinds there are: `all`, `none`, or names. `all` if left out. */
  builtInKinds?: 'all' | 'none' | readonly string[]
  /** Which processes a server would have; all if left out. Fewer are up sooner. */
  roles?: readonly ('api' | 'rpc' | 'dashboard' | 'worker')[]
  /**
   * Settings by their names in docs/settings.md, and variables for the kinds. Settings of the machine and of a `.env` do
   * not count. Not DATA_DIR, HOST and those that the other options name.
   */
  env?: Readonly<Record<string, string>>
  /** A Redis to keep tasks in, in place of files. What is made there is removed, unless `env` has a STORE_PREFIX. */
  storeUrl?: string
  /** A RabbitMQ to use. The queue is removed, unless `env` names it in AMQP_QUEUE. */
  amqpUrl?: string
  /** Starts also if a file of kinds cannot be used, as a server does. */
  allowBrokenKinds?: boolean
}

/** A Madhava that runs. A field of a role that was left out is ''. */
export interface StartedMadhava {
  /** The REST API, as `http://127.0.0.1:<port>`. */
  readonly url: string
  /** Where the Thrift API listens; port 0: it was left out. */
  readonly rpc: { readonly host: string; readonly port: number }
  readonly dashboardUrl: string
  /** The folder with everything that is kept. It goes with the stop. */
  readonly dataDir: string
  /** Of `madhava/client`, for `url`. It gives up after two seconds where others try for a minute. */
  readonly client: Client
  /** The log of the server so far, a line of JSON per event; the last megabyte of it. */
  log(): string
  /** Ends it, and removes its folder. Tasks that run are given back. Idempotent. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const HOST = '127.0.0.1'
/** What a close may take beyond its drain until it is ended from outside. */
const END_MS = 10_000
/** The server is beside the test: what it refuses for now, as a kind in trouble, it will refuse in a minute too. */
const PATIENCE_MS = 2_000
/** Said by options, or not to be chosen: it listens for this machine alone, in a folder that is removed. */
const BY_OPTION: Readonly<Record<string, string>> = {
  DATA_DIR: 'the folder is a temporary one',
  HOST: 'it listens for this machine alone',
  KINDS_DIR: 'use the option kinds',
  BUILT_IN_KINDS: 'use the option builtInKinds',
  ROLES: 'use the option roles',
  STORE_URL: 'use the option storeUrl',
  AMQP_URL: 'use the option amqpUrl',
}

const wrong = (text: string): MadhavaError => new MadhavaError('CONFIG_INVALID', `startMadhava: ${text}`)

const checkEnv = (env: Readonly<Record<string, string>>): void => {
  const names = Object.keys(SETTINGS)
  for (const name of Object.keys(env)) {
    const why = BY_OPTION[name]
    if (why !== undefined) throw wrong(`env must not have ${name}: ${why}`)
    if (!names.includes(name) && nearest(name, names) !== null)
      throw wrong(`env: ${name} is no setting${didYouMean(name, names)}`)
  }
}

const checkRoles = (roles: readonly string[]): void => {
  const unknown = roles.find(role => !ROLES.some(known => known === role))
  if (unknown !== undefined || roles.length === 0)
    throw wrong(`roles must be some of ${ROLES.join(', ')}${unknown === undefined ? '' : `, not ${unknown}`}`)
}

const folderOf = (kinds: string | URL): string => {
  const isUrl = kinds instanceof URL || kinds.startsWith('file:')
  const folder = isUrl ? fileURLToPath(kinds) : path.resolve(kinds)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw wrong(`kinds: there is no folder ${folder}`)
  return folder
}

const settingsOf = (
  { kinds, builtInKinds = 'all', env = {}, storeUrl = '', amqpUrl = '' }: StartMadhavaOptions,
  { dataDir, roles }: { dataDir: string; roles: readonly string[] },
): Record<string, string> => {
  const own = `madhava-test-${randomUUID().slice(0, 8)}`
  return {
    // whatever runs at the stop is given back: nobody waits for it
    DRAIN_SECONDS: '0',
    API_PORT: '0',
    RPC_PORT: '0',
    DASHBOARD_PORT: '0',
    STORE_PREFIX: own,
    AMQP_QUEUE: own,
    ...env,
    HOST,
    DATA_DIR: dataDir,
    KINDS_DIR: kinds === undefined ? '' : folderOf(kinds),
    // no name at all is none
    BUILT_IN_KINDS: typeof builtInKinds === 'string' ? builtInKinds : builtInKinds.join(',') || 'none',
    ROLES: roles.join(','),
    STORE_URL: storeUrl,
    AMQP_URL: amqpUrl,
  }
}

const portOf = (address: string | undefined): number => Number(address?.split(':').at(-1) ?? 0)

/**
 * Runs a whole Madhava, with an embedded queue and without a supervisor: api, rpc, dashboard and worker, all in one
 * process beside the test's. It ends with `stop`, or when the test's process ends, however that ends. It listens for
 * this machine alone, and whatever it answers may be done by everybody. Several at a time are fine.
 * @throws CONFIG_INVALID for wrong options or settings, KIND_INVALID when a file of kinds cannot be used, and whatever
 * else has kept it from starting, with the last lines of its log
 */
export const startMadhava = async (options: StartMadhavaOptions = {}): Promise<StartedMadhava> => {
  const { env = {}, roles = ROLES, allowBrokenKinds = false } = options
  checkEnv(env)
  checkRoles(roles)
  // the doors first: a store that is lent may hold tasks, and the worker begins at once
  const inOrder = ROLES.filter(role => roles.includes(role) && role !== 'worker')
  const ordered = [...inOrder, ...(roles.includes('worker') ? ['worker'] : [])]
  const dataDir = mkdtempSync(path.join(tmpdir(), 'madhava-test-'))
  const remove = (): void => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
  try {
    const settings = settingsOf(options, { dataDir, roles })
    const removes = ['STORE_PREFIX', 'AMQP_QUEUE'].filter(name => env[name] === undefined)
    const started = startProcess(ownEnvironment(settings), [
      dataDir,
      ordered.join(','),
      allowBrokenKinds ? 'broken' : '',
      removes.join(','),
    ])
    const { addresses } = await started.ready
    const urlOf = (role: Role): string => (addresses[role] ? `http://${addresses[role]}` : '')
    let stopping: Promise<void> | null = null
    const stop = (): Promise<void> => {
      stopping ??= started.end(Number(settings.DRAIN_SECONDS) * 1000 + END_MS).finally(remove)
      return stopping
    }
    return {
      url: urlOf('api'),
      rpc: { host: HOST, port: portOf(addresses.rpc) },
      dashboardUrl: urlOf('dashboard'),
      dataDir,
      client: createClient({ baseUrl: urlOf('api'), patienceMs: PATIENCE_MS }),
      log: started.log,
      stop,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    remove()
    throw error
  }
}
