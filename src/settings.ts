// Every setting: its name, its default, its meaning. A table and nothing else; config.ts says what a value must be.

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
