// The environment as a Config: defaults, every setting's bounds, all problems at once, secrets never shown.
import assert from 'node:assert/strict'
import os from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type Config,
  describeSettings,
  ignoredVariables,
  parseConfig,
  settingsInEffect,
} from '../../src/config.ts'
import { isMadhavaError } from '../../src/core/errors.ts'
import { RESULT_LIMITS } from '../../src/core/task.ts'
import { SETTINGS, type SettingName } from '../../src/settings.ts'

const problemsOf = (env: Record<string, string>): string[] => {
  try {
    parseConfig(env)
  } catch (error) {
    assert.ok(isMadhavaError(error, 'CONFIG_INVALID'), `expected CONFIG_INVALID, got ${error}`)
    return (error.detail as { problems: string[] }).problems
  }
  return []
}

describe('config', () => {
  it('needs no environment at all', () => {
    const config = parseConfig({})
    assert.deepEqual(
      [config.host, config.ports, config.roles, config.amqpUrls, config.kindsDir, config.dashboardPassword],
      [
        '127.0.0.1',
        { api: 8000, rpc: 9000, dashboard: 9001 },
        ['api', 'worker', 'rpc', 'dashboard'],
        [],
        null,
        null,
      ],
    )
    assert.equal(config.dataDir, path.resolve('data'))
    assert.equal(config.concurrency, null)
    assert.deepEqual(
      [config.retentionMs, config.retentionCount, config.drainMs],
      [7 * 86_400_000, 100_000, 10_000],
    )
    assert.equal(config.retentionBytes, null)
    assert.equal(config.retentionFailedMs, config.retentionMs)
    assert.deepEqual(config.results, RESULT_LIMITS)
    assert.equal(config.reserveBytes, 64 * 1024 ** 2)
    assert.ok(Object.isFrozen(config) && Object.isFrozen(config.ports))
  })

  it('takes an empty or blank setting for one that is not set', () => {
    const blank = Object.fromEntries(Object.keys(SETTINGS).map(name => [name, '  ']))
    assert.deepEqual(parseConfig(blank), parseConfig({}))
  })

  it('takes each setting as it is meant', () => {
    const cases: [SettingName, string, (config: Config) => unknown, unknown][] = [
      ['HOST', '::1', config => config.host, '::1'],
      ['API_PORT', '0', config => config.ports.api, 0],
      ['RPC_PORT', '65535', config => config.ports.rpc, 65_535],
      ['DATA_DIR', '/tmp/x', config => config.dataDir, '/tmp/x'],
      [
        'AMQP_URL',
        'amqp://a:b@one:5672/v, amqps://two',
        config => config.amqpUrls,
        ['amqp://a:b@one:5672/v', 'amqps://two'],
      ],
      ['ROLES', ' worker , api,', config => config.roles, ['api', 'worker']],
      ['CONCURRENCY', '3', config => config.concurrency, 3],
      ['KINDS_DIR', os.tmpdir(), config => config.kindsDir, os.tmpdir()],
      ['BUILT_IN_KINDS', '', config => config.builtInKinds, null],
      ['BUILT_IN_KINDS', 'all', config => config.builtInKinds, null],
      ['BUILT_IN_KINDS', 'none', config => config.builtInKinds, []],
      ['BUILT_IN_KINDS', 'sleep, calcpi', config => config.builtInKinds, ['sleep', 'calcpi']],
      ['RETENTION', '90s', config => config.retentionMs, 90_000],
      ['RETENTION', '15m', config => config.retentionMs, 900_000],
      ['RETENTION', '12h', config => config.retentionMs, 43_200_000],
      ['RETENTION_FAILED', '30d', config => config.retentionFailedMs, 2_592_000_000],
      ['RETENTION_COUNT', '0', config => config.retentionCount, 0],
      ['RETENTION_MB', '3', config => config.retentionBytes, 3 * 1024 ** 2],
      ['INLINE_RESULT_KB', '1', config => config.results.inlineBytes, 1024],
      ['RESULT_MAX_MB', '2', config => config.results.maxBytes, 2 * 1024 ** 2],
      ['DISK_RESERVE_MB', '0', config => config.reserveBytes, 0],
      ['DRAIN_SECONDS', '0', config => config.drainMs, 0],
      [
        'CORS_ORIGINS',
        'https://a.example, http://b.example:8080',
        config => config.corsOrigins,
        ['https://a.example', 'http://b.example:8080'],
      ],
      ['ALLOWED_HOSTS', 'a.example, b.example', config => config.allowedHosts, ['a.example', 'b.example']],
      ['DASHBOARD_PASSWORD', 'long enough', config => config.dashboardPassword, 'long enough'],
      ['DASHBOARD_VIEWER_PASSWORD', 'long enough', config => config.viewerPassword, 'long enough'],
      ['LOG_LEVEL', 'debug', config => config.logLevel, 'debug'],
    ]
    for (const [name, value, of, expected] of cases)
      assert.deepEqual(of(parseConfig({ [name]: value })), expected)
  })

  it('refuses each wrong setting by its name, with what would be right', () => {
    const wrong: [SettingName, string][] = [
      ['HOST', 'a b'],
      ['API_PORT', '65536'],
      ['API_PORT', '-1'],
      ['RPC_PORT', '80.5'],
      ['DASHBOARD_PORT', 'http'],
      ['AMQP_URL', 'http://x'],
      ['AMQP_URL', 'amqp://ok,nonsense'],
      ['AMQP_QUEUE', 'a b'],
      ['ROLES', 'api,cook'],
      ['ROLES', ','],
      ['ROLES', 'api,worker,api'],
      ['AMQP_URL', 'amqp://a,amqp://b,amqp://a'],
      ['ALLOWED_HOSTS', 'https://a.example'],
      ['ALLOWED_HOSTS', 'a.example:8000'],
      ['KINDS_DIR', 'a\\b'],
      ['CONCURRENCY', '0'],
      ['CONCURRENCY', 'many'],
      ['KINDS_DIR', '/there/is/no/such/folder'],
      ['BUILT_IN_KINDS', 'sleep,'],
      ['BUILT_IN_KINDS', 'Sleep'],
      ['RETENTION', '7'],
      ['RETENTION', '7 days'],
      ['RETENTION_FAILED', 'longer'],
      ['RETENTION_COUNT', '-5'],
      ['RETENTION_MB', '1.5'],
      ['INLINE_RESULT_KB', '0'],
      ['INLINE_RESULT_KB', '2000'],
      ['RESULT_MAX_MB', '1025'],
      ['DISK_RESERVE_MB', 'all'],
      ['DRAIN_SECONDS', '3601'],
      ['TASK_MEMORY_MB', '1'],
      ['DASHBOARD_PASSWORD', 'short'],
      ['CORS_ORIGINS', '*'],
      ['CORS_ORIGINS', 'https://a.example/'],
      ['CORS_ORIGINS', 'https://a.example, ftp://b.example'],
      ['LOG_LEVEL', 'loud'],
    ]
    for (const [name, value] of wrong) {
      const problems = problemsOf({ [name]: value })
      assert.ok(problems.length > 0, `${name}=${value} passed`)
      assert.match(problems[0] ?? '', new RegExp(`^${name}: must `))
    }
  })

  const OIDC = {
    OIDC_ISSUER: 'https://login.example.org/realms/main',
    OIDC_CLIENT_ID: 'madhava',
    OIDC_ROLES: 'staff=user, a=b=admin,*=viewer',
    OIDC_DASHBOARD_URL: 'https://board.example.org',
  }

  it('takes the settings of OpenID Connect together', () => {
    assert.equal(parseConfig({}).oidc, null)
    const { oidc } = parseConfig(OIDC)
    assert.deepEqual(oidc, {
      issuer: OIDC.OIDC_ISSUER,
      clientId: 'madhava',
      clientSecret: null,
      apiUrl: null,
      dashboardUrl: OIDC.OIDC_DASHBOARD_URL,
      roles: [
        { group: 'staff', role: 'user' },
        { group: 'a=b', role: 'admin' },
        { group: '*', role: 'viewer' },
      ],
      groupsClaim: 'groups',
      scopes: 'openid profile email',
      name: 'OpenID Connect',
    })
    assert.ok(Object.isFrozen(oidc))
    for (const issuer of [
      'http://localhost:8080',
      'http://127.0.0.1:1/x',
      'http://[::1]:8080',
      'https://a.example/',
    ])
      assert.equal(parseConfig({ ...OIDC, OIDC_ISSUER: issuer }).oidc?.issuer, issuer)
  })

  it('refuses those of OpenID Connect that go wrong, alone or together, and says what to do', () => {
    for (const [name, value] of [
      ['OIDC_ISSUER', 'login.example.org'],
      ['OIDC_ISSUER', 'http://login.example.org'],
      ['OIDC_ISSUER', 'http://127.0.0.1.example.org'],
      ['OIDC_ISSUER', 'https://me:geheim9@login.example.org'],
      ['OIDC_API_URL', 'https://me:geheim9@tasks.example.org'],
      ['OIDC_ISSUER', 'https://login.example.org?x=1'],
      ['OIDC_ISSUER', 'ftp://127.0.0.1'],
      ['OIDC_ROLES', 'staff'],
      ['OIDC_ROLES', 'staff=boss'],
      ['OIDC_ROLES', '=user'],
      ['OIDC_ROLES', 'staff=user,x'],
      ['OIDC_SCOPES', 'profile email'],
      ['OIDC_SCOPES', 'openid  email'],
      ['OIDC_API_URL', 'https://tasks.example.org/'],
      ['OIDC_DASHBOARD_URL', 'board.example.org'],
      ['OIDC_CLIENT_ID', 'a\u0007b'],
    ] as const) {
      const problems = problemsOf({ ...OIDC, [name]: value })
      assert.match(problems[0] ?? '', new RegExp(`^${name}: must `), `${name}=${value}`)
      assert.ok(!problems.join().includes('geheim9'), `${name}=${value}`)
    }
    const namesOf = (problems: string[]): string[] => problems.map(problem => problem.split(':')[0] ?? '')
    const { OIDC_ISSUER, ...others } = OIDC
    const alone = problemsOf({ ...others, OIDC_CLIENT_SECRET: 'geheim9' })
    assert.deepEqual(namesOf(alone), [
      ...['OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET', 'OIDC_DASHBOARD_URL', 'OIDC_ROLES'],
    ])
    assert.ok(alone.every(problem => problem.includes('OIDC_ISSUER') && !problem.includes('geheim9')))
    assert.deepEqual(namesOf(problemsOf({ OIDC_ISSUER })), [
      ...['OIDC_CLIENT_ID', 'OIDC_ROLES', 'OIDC_DASHBOARD_URL'],
    ])
    assert.ok(
      describeSettings({ ...OIDC, OIDC_CLIENT_SECRET: 'geheim9' }).includes('OIDC_CLIENT_SECRET=********'),
    )
  })

  it('tells all problems at once', () => {
    const problems = problemsOf({ API_PORT: 'x', ROLES: 'cook', RETENTION: 'x', LOG_LEVEL: 'x' })
    assert.deepEqual(
      problems.map(problem => problem.split(':')[0]),
      ['API_PORT', 'ROLES', 'RETENTION', 'LOG_LEVEL'],
    )
  })

  it('shows no password: not in a problem, not in the list of settings', () => {
    const secret = 'geheim9'
    const problems = problemsOf({ DASHBOARD_PASSWORD: secret, AMQP_URL: `http://me:${secret}@x` })
    assert.equal(problems.length, 2)
    assert.ok(problems.every(problem => !problem.includes(secret)))
    const shown = describeSettings({
      DASHBOARD_PASSWORD: secret,
      AMQP_URL: `amqp://me:${secret}@one,amqp://you:${secret}@two`,
    })
    assert.ok(shown.every(line => !line.includes(secret)))
    assert.ok(shown.includes('AMQP_URL=amqp://me:********@one,amqp://you:********@two'))
    assert.equal(shown.length, Object.keys(SETTINGS).length)
  })

  it('says where each setting comes from, and shows no secret', () => {
    const secret = 'hunter2-hunter2'
    const given = settingsInEffect(
      { API_PORT: '8100', RPC_PORT: '9100', HOST: '0.0.0.0', DASHBOARD_PASSWORD: secret },
      { RPC_PORT: '9200', HOST: '', AMQP_URL: `amqp://me:${secret}@one`, PATH: '/bin' },
    )
    assert.deepEqual(
      given.map(({ name }) => name),
      Object.keys(SETTINGS),
    )
    const of = (name: string) => {
      const found = given.find(setting => setting.name === name)
      return [found?.value, found?.source, found?.isSecret]
    }
    assert.deepEqual(of('API_PORT'), ['8100', '.env', false])
    assert.deepEqual(of('RPC_PORT'), ['9200', 'environment', false])
    assert.deepEqual(of('HOST'), ['127.0.0.1', 'default', false], 'as the process has it')
    assert.deepEqual(of('DASHBOARD_PASSWORD'), ['********', '.env', true])
    assert.deepEqual(of('AMQP_URL'), ['amqp://me:********@one', 'environment', true])
    assert.deepEqual(of('STORE_URL'), ['', 'default', true])
    assert.ok(!JSON.stringify(given).includes(secret))
  })

  it('tells of names that are passed over: any in .env, in the environment those that look like a setting', () => {
    assert.deepEqual(
      ignoredVariables({ HOST: '::1', OPENAI_KEY: 'x' }, { CONCURENCY: '4', PATH: '/bin', HOME: '/' }),
      [
        '.env: OPENAI_KEY is no setting and is passed over',
        'The environment has CONCURENCY, which is no setting; did you mean CONCURRENCY?',
      ],
    )
    assert.deepEqual(ignoredVariables({}, { HOST: '::1', CONCURRENCY: '4' }), [])
  })

  it('shows no part of a password, wherever it stands in a URL and whatever is in it', () => {
    const shown = (settings: Record<string, string>): string => describeSettings(settings).join('\n')
    for (const [url, expected] of [
      ['amqp://user:pa@s3cr3tD@h:1', 'amqp://user:********@h:1'],
      ['amqp://user:s3cr3t:x@h:1/v', 'amqp://user:********@h:1/v'],
      ['amqp://s3cr3tD@h', 'amqp://********@h'],
      ['amqp://h/v?password=s3cr3tD&heartbeat=5', 'amqp://h/v?password=********&heartbeat=5'],
      ['amqp://one:s3cr3t@h1, amqps://two:@s3cr3t@@h2', 'amqp://one:********@h1,amqps://two:********@h2'],
      ['what s3cr3t is this', '********'],
      ['amqp://user:s3cr3t@', 'amqp://********'],
    ] as const) {
      const line = shown({ AMQP_URL: url })
      assert.ok(line.includes(`AMQP_URL=${expected}\n`), line)
      assert.ok(!line.includes('s3cr3t'), url)
    }
    for (const [url, expected] of [
      ['redis://:s3cr3t@h', 'redis://:********@h:6379/0'],
      ['rediss://user:s3cr3t@[::1]:7/2', 'rediss://user:********@[::1]:7/2'],
      ['redis+sentinel://u:s3cr3t@a,b:5/main/1', 'redis+sentinel://u:********@a:26379,b:5/main/1'],
      ['redis://:a@s3cr3t@h', 'redis://********'],
    ] as const)
      assert.ok(shown({ STORE_URL: url }).includes(`STORE_URL=${expected}\n`), url)
    const secret = fc.string({ minLength: 6, unit: fc.constantFrom(...'Qj0@:/?#%&= ,[]') })
    fc.assert(
      fc.property(secret, text => {
        for (const url of [`amqp://u:${text}@host`, `amqp://host?key=${text}`, `redis://u:${text}@host`]) {
          // other settings have zeros of their own
          const line =
            shown({ AMQP_URL: url, STORE_URL: url })
              .match(/^.*_URL=.*$/gm)
              ?.join('\n') ?? ''
          assert.match(line, /^STORE_URL=.*\nAMQP_URL=/)
          for (const part of text.split(/[^Qj0]+/).filter(part => part.length > 3))
            assert.ok(!line.includes(part), url)
        }
      }),
    )
  })

  it('meets anything with a Config or with CONFIG_INVALID', () => {
    const settings = fc.dictionary(
      fc.constantFrom(...Object.keys(SETTINGS)),
      fc.oneof(fc.string({ unit: 'binary' }), fc.integer().map(String), fc.webUrl()),
    )
    fc.assert(
      fc.property(settings, env => {
        const problems = problemsOf(env)
        assert.ok(
          problems.every(problem => /^[A-Z_]+: must /.test(problem)),
          problems.join('; '),
        )
      }),
      { numRuns: 300 },
    )
  })
})
