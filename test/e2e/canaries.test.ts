// Secrets are planted wherever one is taken, in the right fields and in wrong ones. Then everything is searched that
// the bundle has written, shown or answered: none of them stands there.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { type Client, createClient } from '../../src/client/client.ts'
import { createRpcClient } from '../../src/client/rpc.ts'
import { type Bundle, makeDataDir, processesOf, startBundle } from '../support/bundle.ts'
import { freePort } from '../support/free-port.ts'
import { type PrivateRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/services.ts'
import { runTool } from '../support/tool.ts'

const SAME_SITE = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' }

/** Secrets by what they are: no two are alike, and no other text is like one. */
const createCanaries = () => {
  const planted: Record<string, string> = {}
  return {
    planted,
    /** A new one. */
    plant(what: string): string {
      planted[what] = `Canary-${Object.keys(planted).length}-${Math.random().toString(36).slice(2, 14)}`
      return planted[what]
    },
    /** One that the server has made. */
    keep(what: string, secret: string): string {
      planted[what] = secret
      return secret
    },
  }
}

/** How a secret may be written. */
const formsOf = (secret: string): string[] => [
  secret,
  // whoever has the secret half of a token has the token
  ...(/^md[a-z]_/.test(secret) ? [secret.slice(-43)] : []),
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(secret).toString('base64url'),
  Buffer.from(secret).toString('hex'),
]

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.join(entry.parentPath, entry.name))

const READERS: Readonly<Record<string, (key: string) => string[]>> = {
  string: key => ['GET', key],
  hash: key => ['HGETALL', key],
  set: key => ['SMEMBERS', key],
  zset: key => ['ZRANGE', key, '0', '-1'],
  stream: key => ['XRANGE', key, '-', '+'],
  list: key => ['LRANGE', key, '0', '-1'],
}

const dumpOf = async (redis: PrivateRedis): Promise<Map<string, string>> => {
  const found = new Map<string, string>()
  for (const key of (await redis.cli('--scan')).split('\n').filter(name => name !== '')) {
    const type = await redis.cli('TYPE', key)
    // it has expired since the scan
    if (type === 'none') continue
    const read = READERS[type]
    assert.ok(read, `a key of the type ${type}`)
    found.set(`redis ${key}`, `${key}\n${await redis.cli(...read(key))}`)
  }
  return found
}

/** Everything that the canaries may have got into, by its name. */
type Places = Map<string, string>

/** Does with the bundle what people do, right and wrong, and keeps what it answered. */
const live = async (
  bundle: Bundle,
  { plant, keep }: ReturnType<typeof createCanaries>,
  operatorPassword: string,
  answers: Places,
): Promise<void> => {
  let asked = 0
  /** Each from an address of its own, as a trusted proxy says: one address may try few logins. */
  const request = async (
    method: string,
    where: string,
    {
      token,
      body,
      base = bundle.api,
      headers = {},
    }: {
      token?: string
      body?: unknown
      base?: string
      headers?: Record<string, string>
    } = {},
  ): Promise<Response> => {
    asked += 1
    const answer = await fetch(`${base}${where}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(typeof body === 'object' ? { 'content-type': 'application/json' } : {}),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        'x-forwarded-for': `192.0.2.${asked}`,
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    answers.set(`answer ${answers.size} of ${method} ${where.split(/[/?]/)[1]}`, await answer.clone().text())
    return answer
  }
  const clientOf = (key?: string): Client =>
    createClient({ baseUrl: bundle.api, ...(key === undefined ? {} : { key }) })

  const adminToken = keep('token of operator', (await clientOf().logIn('operator', operatorPassword)).token)
  const admin = clientOf(adminToken)
  const { invitation } = await admin.createInvitation({ note: 'for Ada' })
  keep('invitation', invitation)
  const spare = keep('unused invitation', (await admin.createInvitation({})).invitation)
  const password = plant('password of register')
  const ada = await clientOf().createAccount({ name: 'ada', password, invitation })
  const token = keep('token of a session', (await clientOf().logIn('ada', password)).token)
  const key = keep('key', (await clientOf(token).createKey({ name: 'k', scopes: ['read', 'submit'] })).key)
  const revoked = await clientOf(token).createKey({ name: 'r', scopes: ['read'] })
  keep('revoked key', revoked.key)
  await clientOf(token).revokeKey(revoked.id)
  const newPassword = plant('new password')
  await clientOf(token).changePassword(password, newPassword)
  const given = plant('password of an admin for somebody')
  await admin.changeAccount(ada.id, { password: given })
  const again = keep('token after that', (await clientOf().logIn('ada', given)).token)
  const ticketAnswer = await request('POST', '/ws/ticket', { token: adminToken })
  const { ticket } = (await ticketAnswer.json()) as { ticket: string }
  // shown this once is what an answer is for
  answers.clear()
  keep('ticket', ticket)

  // in the wrong fields, and in wrong places
  const logins = [
    { name: 'operator', password: plant('wrong password') },
    { name: plant('password in the field of the name'), password: 'x' },
    { name: 'ada', password: plant('wrong password of somebody'), more: plant('a field that is none') },
  ]
  for (const body of logins) await request('POST', '/sessions', { body })
  for (const secret of [key, adminToken, spare, ticket, again]) {
    await request('DELETE', `/keys/${secret}`, { token: adminToken })
    await request('DELETE', `/sessions/${secret}`, { token: adminToken })
    await request('DELETE', `/invitations/${secret}`, { token: adminToken })
    await request('PATCH', `/accounts/${secret}`, { token: adminToken, body: { disabled: true } })
    await request('GET', `/task/${secret}`, { token: adminToken })
    await request('DELETE', `/task/${secret}`, { token: adminToken })
    await request('POST', `/dead/${secret}/replay`, { token: adminToken })
    await request('GET', `/${secret}`, { token: adminToken })
    await request('GET', '/tasks', { token: `${secret}x` })
    await request('GET', `/ws?ticket=${secret}x`)
  }
  await request('POST', '/accounts', {
    body: { name: 'eve', password: plant('password with a wrong invitation'), invitation: `${spare}x` },
  })
  await request('POST', '/accounts', {
    token: adminToken,
    body: { name: 'eve', password: 'short', role: 'user' },
  })
  await request('PUT', '/me/password', {
    token: adminToken,
    body: { password: plant('wrong present password'), newPassword: plant('password that is not taken') },
  })
  const [host = '', port] = bundle.rpc.split(':')
  for (const shown of [key, `${key}x`, plant('key that is none')]) {
    const rpc = createRpcClient({ host, port: Number(port), key: shown })
    const told = await rpc.submit('calcpi', { digits: 5 }).then(JSON.stringify, String)
    answers.set(`thrift ${answers.size}`, told)
    answers.set(
      `thrift ${answers.size}`,
      await rpc.logIn('ada', plant(`over Thrift ${shown}`)).then(String, String),
    )
    rpc.close()
  }

  // the dashboard: its form, its programs, its pages
  const base = bundle.dashboard
  const form = (name: string, secret: string) => ({
    base,
    headers: { ...SAME_SITE, origin: base },
    body: new URLSearchParams({ name, password: secret }).toString(),
  })
  await request('POST', '/login', form('operator', plant('wrong password at the dashboard')))
  await request('POST', '/login', form(plant('password for a name there'), 'x'))
  // its form comes back to who has sent it, with the name as it was typed
  answers.delete([...answers.keys()].at(-1) ?? '')
  const basic = Buffer.from(`operator:${plant('wrong password of a program')}`).toString('base64')
  await request('GET', '/processes.json', { base, headers: { authorization: `Basic ${basic}` } })
  const entered = await request('POST', '/login', form('operator', operatorPassword))
  const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? ''
  assert.match(cookie, /=/)
  keep('cookie of the dashboard', cookie.slice(cookie.indexOf('=') + 1))
  for (const where of [
    ...['/', '/me.json', '/processes.json', '/settings.json', '/overview.json', '/openapi.json'],
    ...['/logs/api/out.json', '/logs/rpc/out.json', '/logs/dashboard/out.json', '/api/', '/api/tasks'],
  ])
    await request('GET', where, { base, headers: { cookie } })

  // what the server says of itself, to who may see most
  for (const where of [
    ...['/', '/metrics', '/audit?limit=200', '/tasks', '/alltasks', '/dead', '/kinds', '/readyz', '/docs'],
    ...['/docs/rpc', '/openapi.json', '/me', '/accounts', '/keys', '/sessions', '/invitations', '/nothing'],
  ])
    await request('GET', where, { token: adminToken })
}

const search = (planted: Readonly<Record<string, string>>, places: Places): string[] =>
  [...places].flatMap(([place, text]) =>
    Object.entries(planted).flatMap(([what, secret]) =>
      formsOf(secret).some(form => text.includes(form)) ? [`${place} has the ${what}`] : [],
    ),
  )

const collect = (bundle: Bundle): Places => {
  const places: Places = new Map([['what the start printed', bundle.output()]])
  for (const pid of processesOf(bundle.dataDir))
    places.set(`command line of ${pid}`, readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
  // a file may go between the two
  for (const file of filesOf(bundle.dataDir))
    if (existsSync(file)) places.set(path.relative(bundle.dataDir, file), readFileSync(file, 'latin1'))
  return places
}

describe('the secrets of people and programs', { timeout: 900_000 }, () => {
  it('stand nowhere, with files', async () => {
    const { dataDir, remove } = makeDataDir()
    const canaries = createCanaries()
    const operatorPassword = canaries.plant('DASHBOARD_PASSWORD')
    const bundle = await startBundle(dataDir, {
      ANONYMOUS: 'none',
      LOG_LEVEL: 'trace',
      TRUST_PROXY: '127.0.0.1',
      DASHBOARD_PASSWORD: operatorPassword,
      DASHBOARD_VIEWER_PASSWORD: canaries.plant('DASHBOARD_VIEWER_PASSWORD'),
    })
    try {
      const answers: Places = new Map()
      await live(bundle, canaries, operatorPassword, answers)
      const places = new Map([...collect(bundle), ...answers])
      places.set('an export', runTool('export', ['--data-dir', dataDir]).stdout)
      assert.ok(places.size > 100)
      assert.match(places.get('an export') ?? '', /"type":"audit"/)
      assert.deepEqual(search(canaries.planted, places), [])
      // the search would find one
      places.set('a leak', `x${operatorPassword}y`)
      assert.deepEqual(search(canaries.planted, places), ['a leak has the DASHBOARD_PASSWORD'])
    } finally {
      await bundle.kill()
      remove()
    }
  })

  it('stand nowhere, with Redis and a broker that is away', { skip: requireService('redis') }, async () => {
    const { dataDir, remove } = makeDataDir()
    const canaries = createCanaries()
    const [ofStore, ofBroker] = [
      canaries.plant('password of STORE_URL'),
      canaries.plant('password of AMQP_URL'),
    ]
    const redis = await startRedis({
      settings: { requirepass: ofStore },
      cliArgs: ['-a', ofStore, '--no-auth-warning'],
    })
    const operatorPassword = canaries.plant('DASHBOARD_PASSWORD')
    const bundle = await startBundle(dataDir, {
      ANONYMOUS: 'none',
      LOG_LEVEL: 'trace',
      TRUST_PROXY: '127.0.0.1',
      DASHBOARD_PASSWORD: operatorPassword,
      STORE_URL: redis.url.replace('redis://', `redis://:${ofStore}@`),
      AMQP_URL: `amqp://somebody:${ofBroker}@127.0.0.1:${await freePort()}/`,
    })
    try {
      const answers: Places = new Map()
      await live(bundle, canaries, operatorPassword, answers)
      const places = new Map([...collect(bundle), ...answers, ...(await dumpOf(redis))])
      assert.ok([...places.keys()].some(place => place === 'redis madhava:audit'))
      assert.deepEqual(search(canaries.planted, places), [])
    } finally {
      await bundle.kill()
      await redis.remove()
      remove()
    }
  })
})
