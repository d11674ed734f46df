// Environment -> frozen Config. The only reader of the environment. All problems are reported at once.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { MadhavaError } from './core/errors.ts'
import { didYouMean, nearest } from './core/nearest.ts'
import { parseRange } from './platform/client-address.ts'
import { parseEnvFile } from './platform/env-file.ts'
import { maskRedisUrl, maskUrls } from './platform/masked-url.ts'
import type { RedisPlace } from './platform/redis-url.ts'
import { visibleText } from './platform/visible.ts'
import {
  amqpUrl,
  duration,
  hostName,
  MB,
  origin,
  port,
  redisPlace,
  seconds,
  whole,
  words,
} from './setting-values.ts'
import { ROLES, type Role, SETTINGS, type Setting } from './settings.ts'

/** Of the package. */
export const VERSION: string = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
).version

const schema = z.object({
  HOST: z
    .string()
    .regex(/^[a-zA-Z0-9.:_-]{1,253}$/, 'must be an address or a host name, such as 127.0.0.1 or 0.0.0.0'),
  API_PORT: port,
  RPC_PORT: port,
  DASHBOARD_PORT: port,
  DATA_DIR: z
    .string()
    .min(1, 'must be a folder')
    .transform(folder => path.resolve(folder)),
  STORE_URL: z
    .literal('')
    .transform(() => null)
    .or(redisPlace),
  STORE_PREFIX: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,100}$/, 'must be 1 to 100 letters, digits, dots, dashes or underscores'),
  AMQP_URL: words.pipe(z.array(amqpUrl)),
  AMQP_QUEUE: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,100}$/, 'must be 1 to 100 letters, digits, dots, dashes or underscores'),
  ROLES: words.pipe(
    z
      .array(z.enum(ROLES, `must be names out of ${ROLES.join(', ')}, comma-separated`))
      .min(1, 'must name at least one role'),
  ),
  CONCURRENCY: z
    .literal('')
    .transform(() => null)
    .or(whole(1, 1024)),
  KINDS_DIR: z
    .string()
    .transform(folder => (folder === '' ? null : path.resolve(folder)))
    .refine(folder => folder === null || existsSync(folder), 'must be a folder that exists')
    .refine(
      folder => folder === null || !folder.includes('\\'),
      'must have no backslash in its path: Node imports nothing from there',
    ),
  MAX_DIGITS: whole(1, 13_000_000),
  RETENTION: duration,
  RETENTION_FAILED: z
    .literal('')
    .transform(() => null)
    .or(duration),
  RETENTION_COUNT: whole(0, 100_000_000),
  RETENTION_MB: z
    .literal('')
    .transform(() => null)
    .or(whole(0, 100_000_000)),
  MAX_WAITING: whole(0, 100_000_000).transform(count => (count === 0 ? null : count)),
  TASK_HARD_SECONDS: seconds,
  TASK_HARD_SECONDS_MAX: seconds,
  ANONYMOUS_PRIORITY_MAX: z
    .literal('')
    .transform(() => null)
    .or(whole(0, 9)),
  INLINE_RESULT_KB: whole(1, 1024),
  RESULT_MAX_MB: whole(1, 1024),
  DISK_RESERVE_MB: whole(0, 1_000_000),
  DRAIN_SECONDS: whole(0, 3600),
  TASK_MEMORY_MB: whole(16, 1_000_000),
  ALLOWED_HOSTS: words.pipe(z.array(hostName)),
  CORS_ORIGINS: words.pipe(z.array(origin)),
  TRUST_PROXY: words.pipe(
    z.array(
      z
        .string()
        .refine(
          text => parseRange(text) !== null,
          'must be addresses or ranges, comma-separated, such as 10.0.0.2 or 172.16.0.0/12',
        ),
    ),
  ),
  KEEP_ALIVE_SECONDS: whole(1, 3600),
  DASHBOARD_PASSWORD: z
    .literal('')
    .transform(() => null)
    .or(z.string().min(8, 'must have at least 8 characters').max(256, 'must have at most 256 characters')),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error'], 'must be trace, debug, info, warn or error'),
})

export interface Config {
  readonly host: string
  readonly ports: { readonly api: number; readonly rpc: number; readonly dashboard: number }
  readonly dataDir: string
  /** Null: files in `dataDir`. */
  readonly redis: { readonly place: RedisPlace; readonly prefix: string } | null
  /** Empty: embedded queue. */
  readonly amqpUrls: readonly string[]
  readonly amqpQueue: string
  readonly roles: readonly Role[]
  /** Null: what the machine or container has room for. */
  readonly concurrency: number | null
  readonly kindsDir: string | null
  readonly kindSettings: { readonly maxDigits: number }
  readonly retentionMs: number
  /** Of tasks in FAILURE. */
  readonly retentionFailedMs: number
  readonly retentionCount: number
  /** Null: no rule by size. */
  readonly retentionBytes: number | null
  /** Null: no limit. */
  readonly maxWaiting: number | null
  /** What a task may ask for; null: anything. */
  readonly taskLimits: {
    readonly hardSeconds: number | null
    readonly hardSecondsMax: number | null
    readonly anonymousPriorityMax: number | null
  }
  readonly results: { readonly inlineBytes: number; readonly maxBytes: number }
  readonly reserveBytes: number
  readonly drainMs: number
  readonly taskMemoryMb: number
  readonly allowedHosts: readonly string[]
  /** Empty: no CORS. */
  readonly corsOrigins: readonly string[]
  /** Addresses and ranges of proxies. */
  readonly trustProxy: readonly string[]
  readonly keepAliveMs: number
  readonly dashboardPassword: string | null
  /** The supervisor's own folder, which the start script chooses; beside the data when there was none. */
  readonly pm2Home: string
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error'
}

type Env = Readonly<Record<string, string | undefined>>

const wrong = (problems: readonly string[]): MadhavaError =>
  new MadhavaError('CONFIG_INVALID', `The configuration is wrong:\n  ${problems.join('\n  ')}`, {
    detail: { problems },
  })

const withDefaults = (env: Env): Record<string, string> =>
  Object.fromEntries(
    Object.entries(SETTINGS).map(([name, setting]) => [name, env[name]?.trim() || setting.default]),
  )

/** @throws CONFIG_INVALID, `detail.problems` with one line per problem: the name, what is wrong, what would be right */
export const parseConfig = (env: Env): Config => {
  const values = withDefaults(env)
  const parsed = schema.safeParse(values)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(issue => {
      const name = String(issue.path[0])
      const hidden = (SETTINGS as Record<string, Setting>)[name]
      const shown = hidden?.secret || hidden?.url ? '' : ` (it is ${JSON.stringify(values[name])})`
      const messages =
        issue.code === 'invalid_union' ? issue.errors.flat().map(inner => inner.message) : [issue.message]
      return `${name}: ${messages.at(-1)}${shown}`
    })
    throw wrong(problems)
  }
  const value = parsed.data
  const ports = [value.API_PORT, value.RPC_PORT, value.DASHBOARD_PORT].filter(number => number !== 0)
  if (new Set(ports).size < ports.length)
    throw wrong(['API_PORT, RPC_PORT, DASHBOARD_PORT: must differ from each other'])
  return Object.freeze({
    host: value.HOST,
    ports: Object.freeze({ api: value.API_PORT, rpc: value.RPC_PORT, dashboard: value.DASHBOARD_PORT }),
    dataDir: value.DATA_DIR,
    redis: value.STORE_URL && Object.freeze({ place: value.STORE_URL, prefix: value.STORE_PREFIX }),
    amqpUrls: value.AMQP_URL,
    amqpQueue: value.AMQP_QUEUE,
    roles: ROLES.filter(role => value.ROLES.includes(role)),
    concurrency: value.CONCURRENCY,
    kindsDir: value.KINDS_DIR,
    kindSettings: Object.freeze({ maxDigits: value.MAX_DIGITS }),
    retentionMs: value.RETENTION,
    retentionFailedMs: value.RETENTION_FAILED ?? value.RETENTION,
    retentionCount: value.RETENTION_COUNT,
    retentionBytes: value.RETENTION_MB === null ? null : value.RETENTION_MB * MB,
    maxWaiting: value.MAX_WAITING,
    taskLimits: Object.freeze({
      hardSeconds: value.TASK_HARD_SECONDS,
      hardSecondsMax: value.TASK_HARD_SECONDS_MAX,
      anonymousPriorityMax: value.ANONYMOUS_PRIORITY_MAX,
    }),
    results: Object.freeze({
      inlineBytes: value.INLINE_RESULT_KB * 1024,
      maxBytes: value.RESULT_MAX_MB * MB,
    }),
    reserveBytes: value.DISK_RESERVE_MB * MB,
    drainMs: value.DRAIN_SECONDS * 1000,
    taskMemoryMb: value.TASK_MEMORY_MB,
    allowedHosts: value.ALLOWED_HOSTS,
    corsOrigins: value.CORS_ORIGINS,
    trustProxy: value.TRUST_PROXY,
    keepAliveMs: value.KEEP_ALIVE_SECONDS * 1000,
    dashboardPassword: value.DASHBOARD_PASSWORD,
    pm2Home: path.resolve(env.PM2_HOME ?? path.join(value.DATA_DIR, 'pm2')),
    logLevel: value.LOG_LEVEL,
  })
}

const NAMES = Object.keys(SETTINGS)
const ENV_FILE = '.env'

/** What `.env` in the present folder says; nothing where there is none. @throws CONFIG_INVALID */
const readEnvFile = (): Env => {
  if (!existsSync(ENV_FILE)) return {}
  let bytes: Uint8Array
  try {
    bytes = readFileSync(ENV_FILE)
  } catch (error) {
    throw wrong([`${ENV_FILE}: cannot be read (${(error as NodeJS.ErrnoException).code})`])
  }
  const { values, problems } = parseEnvFile(bytes)
  const misspelt = Object.keys(values)
    .filter(name => !NAMES.includes(name) && nearest(name, NAMES) !== null)
    .map(name => `${name}: is no setting${didYouMean(name, NAMES)}`)
  const all = [...problems, ...misspelt]
  if (all.length > 0) throw wrong(all.map(problem => `${ENV_FILE}: ${problem}`))
  return values
}

/** The environment over `.env` in the present folder. */
const readEnv = (): Env => ({ ...readEnvFile(), ...process.env })

/**
 * What was set and is passed over: names in the environment that look like a setting misspelt, and names in `.env` that
 * are none. Lines for people, for the start to show once. The environment belongs to other programs too, so that a
 * likeness there is told and not refused.
 * @throws CONFIG_INVALID
 */
export const passedOver = (file: Env = readEnvFile(), env: Env = process.env): string[] => {
  const isUnknown = (name: string): boolean => !NAMES.includes(name)
  const inFile = Object.keys(file)
    .filter(isUnknown)
    .map(name => `${ENV_FILE}: ${name} is no setting and is passed over`)
  const inEnvironment = Object.keys(env)
    .filter(name => isUnknown(name) && !(name in file) && nearest(name, NAMES) !== null)
    .map(name => `The environment has ${name}, which is no setting${didYouMean(name, NAMES)}`)
  return [...inFile, ...inEnvironment]
}

/** @throws CONFIG_INVALID */
export const readConfig = (): Config => parseConfig(readEnv())

/** The effective settings as lines of `NAME=value`, secrets masked: for `npm start -- --check`. */
export const describeSettings = (env: Env = readEnv()): string[] =>
  Object.entries(withDefaults(env)).map(([name, value]) => {
    const setting = (SETTINGS as Record<string, Setting>)[name]
    if (setting?.secret && value !== '') return `${name}=********`
    if (!setting?.url || value === '') return `${name}=${visibleText(value)}`
    const shown = name === 'STORE_URL' ? maskRedisUrl(value) : maskUrls(value)
    return `${name}=${visibleText(shown)}`
  })
