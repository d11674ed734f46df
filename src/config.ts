// Environment -> frozen Config. The only reader of the environment. Reports all problems at once.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { MadhavaError } from './core/errors.ts'
import { didYouMean, nearest } from './core/nearest.ts'
import { isLoopback } from './platform/address.ts'
import { parseEnvFile } from './platform/env-file.ts'
import { maskRedisUrl, maskUrls } from './platform/masked-url.ts'
import type { RedisPlace } from './platform/redis-url.ts'
import { visibleText } from './platform/visible.ts'
import { SETTINGS, type Setting, type SettingName } from './settings.ts'

export { VERSION } from './platform/version.ts'

type Row = (typeof SETTINGS)[SettingName]
type Name = Row['as']
type ValueOf<N extends Name> = z.output<Extract<Row, { as: N }>['value']>
type Group = Name extends infer N ? (N extends `${infer G}.${string}` ? G : never) : never
/** The values of the table of settings: a field per setting, and an object per group. */
type SettingValues = {
  readonly [N in Name as N extends `${string}.${string}` ? never : N]: ValueOf<N>
} & {
  readonly [G in Group]: {
    readonly [N in Name as N extends `${G}.${infer Field}` ? Field : never]: ValueOf<N>
  }
}

type OidcValues = SettingValues['oidc']
/** The settings of sign-in by OpenID Connect, with those that it cannot do without. */
type OidcConfig = OidcValues & { readonly issuer: string; readonly clientId: string }

/** Bytes and milliseconds; every limit has a value here. */
type FilesConfig = {
  readonly [K in keyof SettingValues['files']]: NonNullable<SettingValues['files'][K]>
}
/** What is in Redis is in its memory. */
const FILE_MAX_BYTES = { files: 1024 ** 3, redis: 64 * 1024 ** 2 }
const filesConfig = (given: SettingValues['files'], isRedis: boolean): FilesConfig => {
  const usual = isRedis ? FILE_MAX_BYTES.redis : FILE_MAX_BYTES.files
  const uploadMaxBytes = given.uploadMaxBytes ?? usual
  return Object.freeze({
    ...given,
    uploadMaxBytes,
    uploadsMaxBytesPerAccount: given.uploadsMaxBytesPerAccount ?? 10 * uploadMaxBytes,
    uploadsMaxBytes: given.uploadsMaxBytes ?? 100 * uploadMaxBytes,
    artifactMaxBytes: given.artifactMaxBytes ?? usual,
  })
}

/** Every setting as in settings.ts, and what is derived from several of them. */
export type Config = Omit<
  SettingValues,
  'storePlace' | 'storePrefix' | 'retentionFailedMs' | 'anonymousSetting' | 'oidc' | 'files'
> & {
  /** Of uploads, and of what tasks keep. */
  readonly files: FilesConfig
  /** What may be done without a login or a key. */
  readonly anonymous: 'full' | 'read' | 'none'
  /** Nobody has chosen it, although HOST is no loopback address. */
  readonly isAnonymousUnchosen: boolean
  /** Null: the tasks are files in `dataDir`. */
  readonly redis: { readonly place: RedisPlace; readonly prefix: string } | null
  /** Null: nobody signs in by a provider. */
  readonly oidc: OidcConfig | null
  /** For tasks in FAILURE. */
  readonly retentionFailedMs: number
  /** The supervisor's own folder, chosen by the start script; beside the data if none is given. */
  readonly pm2Home: string
}

const schema = z.object(
  Object.fromEntries(Object.entries(SETTINGS).map(([name, { value }]) => [name, value])),
)

/** Builds the object from the values and their names in the config. */
const buildConfig = (values: Record<string, unknown>): SettingValues => {
  const config: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(SETTINGS)) {
    const [first = '', field] = row.as.split('.')
    config[first] =
      field === undefined ? values[name] : { ...(config[first] as object | undefined), [field]: values[name] }
  }
  for (const value of Object.values(config)) if (typeof value === 'object') Object.freeze(value)
  return config as SettingValues
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

/** Those that mean something beside OIDC_ISSUER alone, and have no default. */
const OF_ISSUER = {
  OIDC_CLIENT_ID: ({ clientId }) => clientId !== null,
  OIDC_CLIENT_SECRET: ({ clientSecret }) => clientSecret !== null,
  OIDC_API_URL: ({ apiUrl }) => apiUrl !== null,
  OIDC_DASHBOARD_URL: ({ dashboardUrl }) => dashboardUrl !== null,
  OIDC_ROLES: ({ roles }) => roles.length > 0,
} as const satisfies Record<string, (oidc: OidcValues) => boolean>

/** What is wrong with the settings of OpenID Connect together, a line each. */
const oidcProblems = (oidc: OidcValues): string[] => {
  const isGiven = (name: keyof typeof OF_ISSUER): boolean => OF_ISSUER[name](oidc)
  if (oidc.issuer === null)
    return (Object.keys(OF_ISSUER) as (keyof typeof OF_ISSUER)[])
      .filter(isGiven)
      .map(name => `${name}: must be left away without OIDC_ISSUER, which it belongs to; or set that one too`)
  return [
    ...(isGiven('OIDC_CLIENT_ID')
      ? []
      : [
          'OIDC_CLIENT_ID: must be set with OIDC_ISSUER: the name under which the provider knows this server',
        ]),
    ...(isGiven('OIDC_ROLES')
      ? []
      : ['OIDC_ROLES: must be set with OIDC_ISSUER, else everybody is refused; *=user lets everybody in']),
    ...(isGiven('OIDC_API_URL') || isGiven('OIDC_DASHBOARD_URL')
      ? []
      : [
          'OIDC_DASHBOARD_URL: must be set with OIDC_ISSUER, or OIDC_API_URL: where browsers reach this server, and the provider sends them back to',
        ]),
  ]
}

/** An address with a login in it, also where none belongs. */
const LOGIN_IN_URL = /:\/\/.*@/s

/** @throws CONFIG_INVALID; `detail.problems` has one line per problem: the name, what is wrong, what would be right */
export const parseConfig = (env: Env): Config => {
  const values = withDefaults(env)
  const parsed = schema.safeParse(values)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(issue => {
      const name = String(issue.path[0])
      const hidden = (SETTINGS as Record<string, Setting>)[name]
      const isShown = !hidden?.secret && !hidden?.url && !LOGIN_IN_URL.test(values[name] ?? '')
      const shown = isShown ? ` (it is ${JSON.stringify(values[name])})` : ''
      const messages =
        issue.code === 'invalid_union' ? issue.errors.flat().map(inner => inner.message) : [issue.message]
      return `${name}: ${messages.at(-1)}${shown}`
    })
    throw wrong(problems)
  }
  const { storePlace, storePrefix, retentionFailedMs, anonymousSetting, oidc, files, ...rest } = buildConfig(
    parsed.data,
  )
  const ofOidc = oidcProblems(oidc)
  if (ofOidc.length > 0) throw wrong(ofOidc)
  const { issuer, clientId } = oidc
  const ports = Object.values(rest.ports).filter(number => number !== 0)
  if (new Set(ports).size < ports.length)
    throw wrong(['API_PORT, RPC_PORT, DASHBOARD_PORT: must differ from each other'])
  if (rest.viewerPassword !== null && rest.viewerPassword === rest.dashboardPassword)
    throw wrong(['DASHBOARD_VIEWER_PASSWORD: must not be the same as DASHBOARD_PASSWORD'])
  const isLocal = isLoopback(rest.host)
  return Object.freeze({
    ...rest,
    anonymous: anonymousSetting ?? (isLocal ? 'full' : 'none'),
    isAnonymousUnchosen: anonymousSetting === null && !isLocal,
    files: filesConfig(files, storePlace !== null),
    redis: storePlace && Object.freeze({ place: storePlace, prefix: storePrefix }),
    oidc: issuer !== null && clientId !== null ? Object.freeze({ ...oidc, issuer, clientId }) : null,
    retentionFailedMs: retentionFailedMs ?? rest.retentionMs,
    pm2Home: path.resolve(env.PM2_HOME ?? path.join(rest.dataDir, 'pm2')),
  })
}

const NAMES = Object.keys(SETTINGS)
const ENV_FILE = '.env'

/** The variables of `.env` in the current folder; none if there is no such file. @throws CONFIG_INVALID */
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

/** The environment, over `.env` in the current folder. */
const readEnv = (): Env => ({ ...readEnvFile(), ...process.env })

/**
 * Variables that are ignored: names in the environment that look like a misspelt setting, and unknown names in `.env`.
 * Lines for people, to show once at the start. The environment belongs to other programs too, so a similar name there
 * is reported and not refused.
 * @throws CONFIG_INVALID
 */
export const ignoredVariables = (file: Env = readEnvFile(), env: Env = process.env): string[] => {
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

/** The value of a setting as anyone may see it. */
const shownValue = (name: string, value: string): string => {
  const setting = (SETTINGS as Record<string, Setting>)[name]
  if (setting?.secret && value !== '') return '********'
  if (!setting?.url || value === '') return visibleText(value)
  return visibleText(name === 'STORE_URL' ? maskRedisUrl(value) : maskUrls(value))
}

/** The effective settings as lines of `NAME=value`, secrets masked: for `npm start -- --check`. */
export const describeSettings = (env: Env = readEnv()): string[] =>
  Object.entries(withDefaults(env)).map(([name, value]) => `${name}=${shownValue(name, value)}`)

/** A setting in effect, and where its value comes from. A secret is masked. */
export interface SettingInEffect {
  name: string
  value: string
  default: string
  source: 'default' | 'environment' | '.env'
  meaning: string
  isSecret: boolean
}

/** The effective settings, in the order of the docs. @throws CONFIG_INVALID when `.env` cannot be read */
export const settingsInEffect = (file: Env = readEnvFile(), env: Env = process.env): SettingInEffect[] =>
  Object.entries(withDefaults({ ...file, ...env })).map(([name, value]) => {
    const setting: Setting = SETTINGS[name as SettingName]
    const isIn = (place: Env): boolean => (place[name]?.trim() ?? '') !== ''
    // an empty variable of the environment hides the line of the file, and leaves the default
    const isFromFile = env[name] === undefined && isIn(file)
    return {
      name,
      value: shownValue(name, value),
      default: setting.default,
      source: isIn(env) ? 'environment' : isFromFile ? '.env' : 'default',
      meaning: setting.meaning,
      isSecret: setting.secret === true || setting.url === true,
    }
  })
