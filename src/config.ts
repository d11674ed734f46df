// Environment -> frozen Config. The only reader of the environment. All problems are reported at once.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { MadhavaError } from './core/errors.ts'
import { didYouMean, nearest } from './core/nearest.ts'
import { parseRange } from './platform/client-address.ts'
import { parseEnvFile } from './platform/env-file.ts'
import { maskRedisUrl, maskUrl } from './platform/masked-url.ts'
import { parseRedisUrl, type RedisPlace } from './platform/redis-url.ts'
import { visibleText } from './platform/visible.ts'

/** Of the package. */
export const VERSION: string = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
).version

export const ROLES = ['api', 'worker', 'rpc', 'dashboard'] as const
export type Role = (typeof ROLES)[number]

export interface Setting {
  /** For the docs and --check. */
  meaning: string
  default: string
  /** Never shown. */
  secret?: true
  /** A URL whose password is masked. */
  url?: true
}

/** Every setting, in the order of the docs; README and .env.example are compared with it by a test. */
export const SETTINGS = {
  HOST: { default: '127.0.0.1', meaning: 'address that the three doors bind' },
  API_PORT: { default: '8000', meaning: 'port of REST; 0 picks a free one' },
  RPC_PORT: { default: '9000', meaning: 'port of Thrift; 0 picks a free one' },
  DASHBOARD_PORT: { default: '9001', meaning: 'port of the dashboard; 0 picks a free one' },
  DATA_DIR: { default: 'data', meaning: 'the one folder that holds everything kept' },
  STORE_URL: {
    default: '',
    meaning:
      'where tasks are kept: redis://, rediss://, redis+sentinel:// (docs/redis.md); unset: files in DATA_DIR',
    url: true,
  },
  STORE_PREFIX: { default: 'madhava', meaning: 'what every key in Redis begins with' },
  AMQP_URL: {
    default: '',
    meaning: 'RabbitMQ, amqp:// or amqps://; several, comma-separated, for a cluster; unset: embedded queue',
    url: true,
  },
  AMQP_QUEUE: { default: 'madhava', meaning: 'name of the RabbitMQ queue' },
  ROLES: { default: ROLES.join(','), meaning: 'which processes this start runs' },
  CONCURRENCY: {
    default: '',
    meaning:
      'tasks that one worker runs at a time; unset: one per usable core, fewer where the memory does not hold them',
  },
  KINDS_DIR: { default: '', meaning: 'a folder of further kinds' },
  MAX_DIGITS: {
    default: '10000000',
    meaning: 'digits that calcpi and binomial may be asked for, at most 13000000',
  },
  RETENTION: { default: '7d', meaning: 'how long ended tasks are kept: 90s, 15m, 12h, 7d' },
  RETENTION_FAILED: {
    default: '',
    meaning: 'the same for tasks that ended in FAILURE, to keep them longer; unset: as RETENTION',
  },
  RETENTION_COUNT: { default: '100000', meaning: 'how many ended tasks are kept' },
  RETENTION_MB: {
    default: '',
    meaning: 'how much of the disk ended tasks and their results may take; unset: no limit of its own',
  },
  MAX_WAITING: {
    default: '1000000',
    meaning: 'with so many tasks waiting no more are taken (429); 0: no limit',
  },
  TASK_HARD_SECONDS: {
    default: '',
    meaning:
      'after so many seconds an attempt is ended where neither its submission nor its kind says when; unset: never',
  },
  TASK_HARD_SECONDS_MAX: {
    default: '',
    meaning: 'the longest hard limit that a task may have; unset: any, or none',
  },
  ANONYMOUS_PRIORITY_MAX: {
    default: '',
    meaning: 'the highest priority, 0 to 9, that who is not logged in may ask for; unset: 9',
  },
  INLINE_RESULT_KB: { default: '32', meaning: 'results up to this stay in the state file' },
  RESULT_MAX_MB: { default: '256', meaning: 'a task whose result is larger fails' },
  DISK_RESERVE_MB: {
    default: '64',
    meaning: 'with less free on the disk (at most a tenth of it) no new tasks are taken; 0: no reserve',
  },
  DRAIN_SECONDS: {
    default: '10',
    meaning: 'how long a stop waits for running tasks before giving them back',
  },
  TASK_MEMORY_MB: {
    default: '512',
    meaning: 'heap that one task may use; less where the memory of machine or container does not hold it',
  },
  ALLOWED_HOSTS: { default: '', meaning: 'further names that the Host header may have, comma-separated' },
  CORS_ORIGINS: {
    default: '',
    meaning: 'origins whose web pages may use the REST API, comma-separated: https://app.example.org',
  },
  TRUST_PROXY: {
    default: '',
    meaning:
      'addresses or ranges of proxies whose X-Forwarded-For names the client, comma-separated: 10.0.0.2, 172.16.0.0/12',
  },
  KEEP_ALIVE_SECONDS: {
    default: '75',
    meaning:
      'how long an idle HTTP connection is kept; longer than a balancer in front keeps its own (often 60)',
  },
  DASHBOARD_PASSWORD: {
    default: '',
    meaning:
      'password of the first operator, whose name is operator; unset: made at the first start, shown once',
    secret: true,
  },
  LOG_LEVEL: { default: 'info', meaning: 'trace, debug, info, warn or error' },
} as const satisfies Record<string, Setting>
export type SettingName = keyof typeof SETTINGS

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port, 0 to 65535')
  .transform(Number)
  .refine(value => value <= 65_535, 'must be a port, 0 to 65535')

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number, ${min} to ${max}`)
    .transform(Number)
    .refine(value => value >= min && value <= max, `must be a whole number, ${min} to ${max}`)

const MB = 1024 ** 2
const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const duration = z
  .string()
  .regex(/^\d{1,6}[smhd]$/, 'must be a number with a unit: 90s, 15m, 12h or 7d')
  .transform(text => Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? 0))

/** Of one attempt, as long as a limit may be. */
const seconds = z
  .literal('')
  .transform(() => null)
  .or(whole(1, 31_536_000))

const words = z
  .string()
  .transform(text =>
    text
      .split(',')
      .map(word => word.trim())
      .filter(word => word !== ''),
  )
  // the places, not the words: some hold passwords
  .refine(
    list => new Set(list).size === list.length,
    'must name each one once: one of them stands there twice',
  )

const origin = z
  .string()
  .refine(
    text => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text,
    'must be an origin as browsers send it, such as https://app.example.org: no path, no * and no port that is the default',
  )

const hostName = z
  .string()
  .regex(
    /^[a-zA-Z0-9._-]{1,253}$|^\[?[0-9a-fA-F:.]{2,45}\]?$/,
    'must be names as they stand in an address, such as tasks.example.org: no https:// and no port',
  )

const amqpUrl = z
  .string()
  .refine(
    text => URL.canParse(text) && /^amqps?:$/.test(new URL(text).protocol),
    'must be a URL such as amqp://user:password@host:5672/vhost',
  )

const redisPlace = z.string().transform((text, context): RedisPlace => {
  const place = parseRedisUrl(text)
  if (place) return place
  context.addIssue(
    'must be a URL such as redis://user:password@host:6379/0, rediss://host or redis+sentinel://host:26379,host:26379/name',
  )
  return z.NEVER
})

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
    // several brokers are comma-separated, and the Sentinels of one store too
    const shown =
      name === 'STORE_URL'
        ? maskRedisUrl(value)
        : value
            .split(',')
            .map(part => maskUrl(part.trim()))
            .join(',')
    return `${name}=${visibleText(shown)}`
  })
