// The table of all settings: name, default, meaning, valid values, and the name in the config.
import { z } from 'zod'
import {
  address,
  addressRange,
  amqpUrl,
  duration,
  durationOrOff,
  folder,
  folderOfModules,
  groupRoles,
  hostName,
  issuerUrl,
  kilobytes,
  kindNames,
  mediaRange,
  megabytes,
  oneOrMoreOf,
  optional,
  origin,
  password,
  plainText,
  port,
  privatePlace,
  redisPlace,
  scopes,
  seconds,
  shortName,
  visibleName,
  whole,
  words,
} from './setting-values.ts'

export const ROLES = ['api', 'worker', 'rpc', 'dashboard'] as const
export type Role = (typeof ROLES)[number]
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const

export interface Setting {
  /** As in the table of docs/settings.md. */
  meaning: string
  /** As text; '' if unset. */
  default: string
  /** Its name in the config; `results.maxBytes` is a field of the group `results`. */
  as: string
  /** Reads the text. */
  value: z.ZodType<unknown, string>
  /** Never shown. */
  secret?: true
  /** A URL whose password is masked. */
  url?: true
}

/** In the order of the docs. A test compares docs/settings.md and .env.example with it. */
export const SETTINGS = {
  HOST: {
    default: '127.0.0.1',
    meaning: 'address to listen on',
    as: 'host',
    value: address,
  },
  API_PORT: {
    default: '8000',
    meaning: 'port of REST; 0 picks a free one',
    as: 'ports.api',
    value: port,
  },
  RPC_PORT: {
    default: '9000',
    meaning: 'port of Thrift; 0 picks a free one',
    as: 'ports.rpc',
    value: port,
  },
  DASHBOARD_PORT: {
    default: '9001',
    meaning: 'port of the dashboard; 0 picks a free one',
    as: 'ports.dashboard',
    value: port,
  },
  DATA_DIR: {
    default: 'data',
    meaning: 'the one folder that holds everything kept',
    as: 'dataDir',
    value: folder,
  },
  STORE_URL: {
    default: '',
    meaning:
      'where tasks are kept: redis://, rediss://, redis+sentinel:// (docs/redis.md); unset: files in `DATA_DIR`',
    as: 'storePlace',
    value: optional(redisPlace),
    url: true,
  },
  STORE_PREFIX: {
    default: 'madhava',
    meaning: 'what every key in Redis begins with',
    as: 'storePrefix',
    value: shortName,
  },
  AMQP_URL: {
    default: '',
    meaning: 'RabbitMQ, amqp:// or amqps://; several, comma-separated, for a cluster; unset: embedded queue',
    as: 'amqpUrls',
    value: words.pipe(z.array(amqpUrl)),
    url: true,
  },
  AMQP_QUEUE: {
    default: 'madhava',
    meaning: 'name of the RabbitMQ queue',
    as: 'amqpQueue',
    value: shortName,
  },
  ROLES: {
    default: ROLES.join(','),
    meaning: 'which processes this start runs',
    as: 'roles',
    value: oneOrMoreOf(ROLES),
  },
  CONCURRENCY: {
    default: '',
    meaning:
      'tasks that one worker runs at a time; unset: one per usable core, fewer if the memory is too small for them',
    as: 'concurrency',
    value: optional(whole(1, 1024)),
  },
  KINDS_DIR: {
    default: '',
    meaning: 'a folder of further kinds',
    as: 'kindsDir',
    value: optional(folderOfModules),
  },
  BUILT_IN_KINDS: {
    default: 'all',
    meaning: 'which built-in kinds there are: all, none, or names, comma-separated: calcpi,sleep',
    as: 'builtInKinds',
    value: kindNames,
  },
  MAX_DIGITS: {
    default: '10000000',
    meaning: 'the most digits that calcpi and binomial compute, up to 13000000',
    as: 'kindSettings.maxDigits',
    value: whole(1, 13_000_000),
  },
  PARSE_ALLOW: {
    default: '',
    meaning:
      'what the kind parse may fetch though it is not public (docs/parse.md), comma-separated: intranet, wiki.lan:8080, 10.1.2.3, 10.0.0.0/8; unset: nothing',
    as: 'kindSettings.parseAllow',
    value: words.pipe(z.array(privatePlace)).transform((list): readonly string[] => list),
  },
  RETENTION: {
    default: '7d',
    meaning: 'how long ended tasks are kept: 90s, 15m, 12h, 7d',
    as: 'retentionMs',
    value: duration,
  },
  RETENTION_FAILED: {
    default: '',
    meaning: 'the same for tasks that ended in FAILURE, to keep them longer; unset: as RETENTION',
    as: 'retentionFailedMs',
    value: optional(duration),
  },
  RETENTION_COUNT: {
    default: '100000',
    meaning: 'how many ended tasks are kept',
    as: 'retentionCount',
    value: whole(0, 100_000_000),
  },
  RETENTION_MB: {
    default: '',
    meaning: 'how much of the disk ended tasks and their results may take; unset: no such limit',
    as: 'retentionBytes',
    value: optional(whole(0, 100_000_000).transform(megabytes)),
  },
  AUDIT_RETENTION: {
    default: '90d',
    meaning:
      'how long the audit keeps who has changed what (docs/access.md): 90s, 15m, 12h, 90d; off: no audit',
    as: 'auditMs',
    value: durationOrOff,
  },
  MAX_WAITING: {
    default: '1000000',
    meaning: 'how many tasks may wait; beyond it, new ones are refused (429); 0: no limit',
    as: 'maxWaiting',
    value: whole(0, 100_000_000).transform(count => (count === 0 ? null : count)),
  },
  QUOTA_SUBMITS_PER_ACCOUNT: {
    default: '',
    meaning:
      'tasks that one account may submit in a minute; beyond it, more are refused (429); unset: no quota',
    as: 'quotas.submitsAccount',
    value: optional(whole(1, 100_000_000)),
  },
  QUOTA_SUBMITS_PER_KEY: {
    default: '',
    meaning: 'tasks that one key may submit in a minute; beyond it, more are refused (429); unset: no quota',
    as: 'quotas.submitsKey',
    value: optional(whole(1, 100_000_000)),
  },
  QUOTA_SUBMITS_PER_ADDRESS: {
    default: '',
    meaning:
      'tasks that one address may submit in a minute; beyond it, more are refused (429); an IPv6 address counts by its /64; unset: no quota',
    as: 'quotas.submitsAddress',
    value: optional(whole(1, 100_000_000)),
  },
  QUOTA_WAITING_PER_ACCOUNT: {
    default: '',
    meaning: 'tasks that one account may have waiting; beyond it, more are refused (429); unset: no quota',
    as: 'quotas.waitingAccount',
    value: optional(whole(1, 100_000_000)),
  },
  QUOTA_WAITING_PER_KEY: {
    default: '',
    meaning: 'tasks that one key may have waiting; beyond it, more are refused (429); unset: no quota',
    as: 'quotas.waitingKey',
    value: optional(whole(1, 100_000_000)),
  },
  QUOTA_WAITING_PER_ADDRESS: {
    default: '',
    meaning:
      'tasks that one address may have waiting; beyond it, more are refused (429); an IPv6 address counts by its /64; unset: no quota',
    as: 'quotas.waitingAddress',
    value: optional(whole(1, 100_000_000)),
  },
  TASK_HARD_SECONDS: {
    default: '',
    meaning:
      'seconds after which an attempt is ended if neither the submit nor the kind sets a hard limit; unset: never',
    as: 'taskLimits.hardSeconds',
    value: optional(whole(1, 31_536_000)),
  },
  TASK_HARD_SECONDS_MAX: {
    default: '',
    meaning: 'the longest hard limit that a task may have; unset: any, or none',
    as: 'taskLimits.hardSecondsMax',
    value: optional(whole(1, 31_536_000)),
  },
  ANONYMOUS_PRIORITY_MAX: {
    default: '',
    meaning: 'the highest priority, 0 to 9, that a client without a login may ask for; unset: 9',
    as: 'taskLimits.anonymousPriorityMax',
    value: optional(whole(0, 9)),
  },
  INLINE_RESULT_KB: {
    default: '32',
    meaning: 'results up to this size stay in the state file',
    as: 'results.inlineBytes',
    value: whole(1, 1024).transform(kilobytes),
  },
  RESULT_MAX_MB: {
    default: '256',
    meaning: 'a task whose result is larger fails',
    as: 'results.maxBytes',
    value: whole(1, 1024).transform(megabytes),
  },
  UPLOAD_TTL: {
    default: '24h',
    meaning: 'how long an upload stays that no task names (docs/files.md): 90s, 15m, 12h, 7d',
    as: 'files.uploadTtlMs',
    value: duration,
  },
  UPLOAD_MAX_MB: {
    default: '',
    meaning: 'how large one upload may be; unset: 1024, with Redis 64',
    as: 'files.uploadMaxBytes',
    value: optional(whole(1, 100_000_000).transform(megabytes)),
  },
  UPLOADS_MAX_MB_PER_ACCOUNT: {
    default: '',
    meaning:
      'how large all uploads of one account may be together, and those without one; unset: ten times as large as one',
    as: 'files.uploadsMaxBytesPerAccount',
    value: optional(whole(1, 1_000_000_000).transform(megabytes)),
  },
  UPLOADS_MAX_MB: {
    default: '',
    meaning: 'how large all uploads may be together; unset: a hundred times as large as one',
    as: 'files.uploadsMaxBytes',
    value: optional(whole(1, 1_000_000_000).transform(megabytes)),
  },
  UPLOAD_TYPES: {
    default: '',
    meaning: 'what the bytes of uploads may be, comma-separated: image/png, text/*; unset: anything',
    as: 'files.uploadTypes',
    value: words.pipe(z.array(mediaRange)),
  },
  ARTIFACT_MAX_MB: {
    default: '',
    meaning: 'how large one file may be that a task keeps; unset: 1024, with Redis 64',
    as: 'files.artifactMaxBytes',
    value: optional(whole(1, 100_000_000).transform(megabytes)),
  },
  DISK_RESERVE_MB: {
    default: '64',
    meaning:
      'if less than this is free on the disk (at most a tenth of it), new tasks are refused; 0: no reserve',
    as: 'reserveBytes',
    value: whole(0, 1_000_000).transform(megabytes),
  },
  DRAIN_SECONDS: {
    default: '10',
    meaning: 'how long a stop waits for running tasks before giving them back',
    as: 'drainMs',
    value: whole(0, 3600).transform(seconds),
  },
  TASK_MEMORY_MB: {
    default: '512',
    meaning:
      'heap that one task may use, or memory of a program that is a kind; less if the memory of machine or container is too small',
    as: 'taskMemoryMb',
    value: whole(16, 1_000_000),
  },
  ALLOWED_HOSTS: {
    default: '',
    meaning: 'further names that the Host header may have, comma-separated',
    as: 'allowedHosts',
    value: words.pipe(z.array(hostName)),
  },
  CORS_ORIGINS: {
    default: '',
    meaning: 'origins whose web pages may use the REST API, comma-separated: https://app.example.org',
    as: 'corsOrigins',
    value: words.pipe(z.array(origin)),
  },
  TRUST_PROXY: {
    default: '',
    meaning:
      'addresses or ranges of proxies whose X-Forwarded-For names the client, comma-separated: 10.0.0.2, 172.16.0.0/12',
    as: 'trustProxy',
    value: words.pipe(z.array(addressRange)),
  },
  KEEP_ALIVE_SECONDS: {
    default: '75',
    meaning:
      'how long an idle HTTP connection is kept; longer than a balancer in front keeps its own (often 60)',
    as: 'keepAliveMs',
    value: whole(1, 3600).transform(seconds),
  },
  INSTALLATION_NAME: {
    default: '',
    meaning: 'what the dashboard calls this installation, such as production; unset: the name of the host',
    as: 'installationName',
    value: optional(visibleName),
  },
  ANONYMOUS: {
    default: '',
    meaning:
      'what may be done without a login or a key: full (as an operator), read or none (docs/access.md); unset: full on a loopback address, else none',
    as: 'anonymousSetting',
    value: optional(z.enum(['full', 'read', 'none'], 'must be full, read or none')),
  },
  REGISTRATION: {
    default: 'invite',
    meaning:
      'who may make an account: open (everybody), invite (whoever has an invitation) or closed (admins alone)',
    as: 'registration',
    value: z.enum(['open', 'invite', 'closed'], 'must be open, invite or closed'),
  },
  DASHBOARD_PASSWORD: {
    default: '',
    meaning:
      'password of operator, who may do everything at the dashboard, for all bundles of a Redis; unset: made at the first start, shown once',
    as: 'dashboardPassword',
    value: optional(password),
    secret: true,
  },
  DASHBOARD_VIEWER_PASSWORD: {
    default: '',
    meaning:
      'password of viewer, who sees the dashboard and changes nothing, for all bundles of a Redis; unset: the one of bin/reset-password.mjs --viewer, or no viewer',
    as: 'viewerPassword',
    value: optional(password),
    secret: true,
  },
  OIDC_ISSUER: {
    default: '',
    meaning:
      'the provider of OpenID Connect that people may sign in with (docs/access.md), such as https://login.example.org/realms/main; unset: none',
    as: 'oidc.issuer',
    value: optional(issuerUrl),
  },
  OIDC_CLIENT_ID: {
    default: '',
    meaning: 'what the provider calls this installation',
    as: 'oidc.clientId',
    value: optional(plainText),
  },
  OIDC_CLIENT_SECRET: {
    default: '',
    meaning: 'its secret at the provider; unset: it is a public client, and has none',
    as: 'oidc.clientSecret',
    value: optional(plainText),
    secret: true,
  },
  OIDC_API_URL: {
    default: '',
    meaning:
      'where browsers reach REST, such as https://tasks.example.org; the provider must know this address with /sessions/oidc/callback; unset: no sign-in there',
    as: 'oidc.apiUrl',
    value: optional(origin),
  },
  OIDC_DASHBOARD_URL: {
    default: '',
    meaning:
      'the same of the dashboard, with /login/oidc/callback, such as https://board.example.org; unset: no sign-in there',
    as: 'oidc.dashboardUrl',
    value: optional(origin),
  },
  OIDC_ROLES: {
    default: '',
    meaning:
      'which group of the provider has which role here, comma-separated: staff=user,admins=admin; *=viewer is everybody; the highest counts, and who has none is refused',
    as: 'oidc.roles',
    value: groupRoles,
  },
  OIDC_GROUPS_CLAIM: {
    default: 'groups',
    meaning:
      'the claim that names the groups, in the ID token or in userinfo; with dots for one inside another',
    as: 'oidc.groupsClaim',
    value: plainText,
  },
  OIDC_SCOPES: {
    default: 'openid profile email',
    meaning: 'the scopes that the provider is asked for; some need one more for the groups',
    as: 'oidc.scopes',
    value: scopes,
  },
  OIDC_NAME: {
    default: 'OpenID Connect',
    meaning: 'what people call the provider: the login page says it',
    as: 'oidc.name',
    value: visibleName,
  },
  LOG_LEVEL: {
    default: 'info',
    meaning: 'trace, debug, info, warn or error',
    as: 'logLevel',
    value: z.enum(LOG_LEVELS, 'must be trace, debug, info, warn or error'),
  },
} as const satisfies Record<string, Setting>
export type SettingName = keyof typeof SETTINGS
