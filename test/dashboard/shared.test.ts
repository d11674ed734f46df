// A link to one task at the dashboard: its page and what that page asks for, for whoever has the link and nobody else.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { LOGIN_COOKIE } from '../../src/api/identify.ts'
import { succeed } from '../../src/core/moves.ts'
import { createFixture, type Fixture } from '../api/fixture.ts'
import { person } from '../support/actors.ts'
import { soon } from '../support/soon.ts'
import { basic, createDashboardFixture, noProcesses, PASSWORDS } from './fixture.ts'

const ADMIN = person('admin', 'admin', 'dashboard')
const UNKNOWN = `mdl_${'0'.repeat(16)}_${'A'.repeat(43)}`

describe('a link to a task at the dashboard', { timeout: 300_000 }, () => {
  let api: Fixture
  let door: Awaited<ReturnType<typeof createDashboardFixture>>
  let ann: Awaited<ReturnType<Fixture['logIn']>>
  const lines: string[] = []
  before(async () => {
    const note = (fields: unknown, message?: unknown): void => {
      lines.push(JSON.stringify([fields, message]))
    }
    const log = { trace: note, debug: note, info: note, warn: note, error: note, fatal: note } as never
    api = createFixture({ anonymous: 'none', log })
    door = await createDashboardFixture({ processes: noProcesses(), access: api.access, api: api.app, log })
    ann = await api.logIn('ann', 'user')
  })
  after(async () => {
    await door.close()
    await api.close()
  })
  const share = async () => {
    const { task } = await api.service.submit(ann.actor, { kind: 'echo', params: 1 })
    const { id: link, token } = await api.access.share(ann.actor, task.id, 3_600)
    return { id: task.id, link, token }
  }

  it('has a page without a login, under the policy of all pages, that tells nobody its address', async () => {
    const { token } = await share()
    const other = await door.get('/login')
    for (const headers of [{}, { cookie: `${LOGIN_COOKIE}=mds_forged` }, basic('operator', 'wrong')]) {
      const answer = await door.get(`/shared/${token}`, headers)
      assert.equal(answer.status, 200)
      assert.match(await answer.text(), /data-may=""><div id="app">/)
      assert.equal(
        answer.headers.get('content-security-policy'),
        other.headers.get('content-security-policy'),
      )
      for (const [name, value] of [
        ['referrer-policy', 'no-referrer'],
        ['x-robots-tag', 'noindex'],
        ['cache-control', 'no-store'],
        ['x-frame-options', 'DENY'],
        ['set-cookie', null],
      ] as const)
        assert.equal(answer.headers.get(name), value, name)
    }
    // nobody's tries at a password are used up by it
    assert.equal((await door.get('/me.json', basic('operator', PASSWORDS.operator))).status, 200)
  })

  it('tells no other site of its address, nor a search, whatever is asked for below it and what the answer is', async () => {
    const { token } = await share()
    for (const path of ['', '/', '/result', '/events', '/no', '?x=1'])
      for (const at of [`/shared/${token}`, `/api/shared/${token}`, `/shared/${UNKNOWN}`, `/api/shared/x`]) {
        const answer = await door.get(at + path)
        await answer.body?.cancel()
        assert.equal(answer.headers.get('referrer-policy'), 'no-referrer', at + path)
        assert.equal(answer.headers.get('x-robots-tag'), 'noindex', at + path)
      }
  })

  it('reads the record, the result and the events of its task', async () => {
    const { id, token } = await share()
    const at = `/api/shared/${token}`
    const record = await door.get(at)
    assert.equal(((await record.json()) as { id: string }).id, id)
    assert.equal(record.headers.get('referrer-policy'), 'no-referrer')
    assert.equal((await door.get(`${at}/result`)).status, 409)
    const events = await door.get(`${at}/events`)
    assert.match(events.headers.get('content-type') ?? '', /^text\/event-stream/)
    const claimed = await api.run(id)
    await api.store.move(id, claimed?.claim ?? 0, succeed('done', null, new Date().toISOString()))
    const told = await soon(events.text(), 'the end of the events')
    assert.match(told, /"status":"SUCCESS"/)
    assert.match(told, /event: end\ndata: \{"reason":"final"\}/)
    assert.equal(await (await door.get(`${at}/result`)).text(), 'done')
  })

  it('reads nothing else, changes nothing, and is the same for whoever is logged in', async () => {
    const { id, token } = await share()
    const at = `/api/shared/${token}`
    const bearer = { authorization: `Bearer ${token}`, accept: 'application/json' }
    for (const path of [
      '/api/tasks',
      `/api/task/${id}`,
      '/api/events',
      '/me.json',
      '/stream',
      '/processes.json',
    ])
      assert.equal((await door.get(path, bearer)).status, 401, path)
    for (const path of [`${at}/log`, `${at}/why`, `${at}/share`, `${at}/events/x`, `${at}%2Fresult`])
      assert.ok([401, 404].includes((await door.get(path)).status), path)
    for (const method of ['POST', 'DELETE', 'PUT', 'PATCH'])
      for (const path of [at, `/shared/${token}`]) {
        const answer = await door.app.request(path, { method, headers: { host: 'localhost:9001' } })
        assert.ok([401, 404, 303].includes(answer.status), `${method} ${path} ${answer.status}`)
      }
    const admin = await api.logIn('root', 'admin')
    const cookie = `${LOGIN_COOKIE}=${admin.token}`
    assert.equal((await door.get(at, { cookie })).status, 200)
    assert.equal((await door.get(`/api/shared/${UNKNOWN}`, { cookie })).status, 404)
  })

  it('is 404 when it is none, has ended, was withdrawn, or its account is disabled; open events end', async () => {
    for (const token of [UNKNOWN, 'x', 'mds_1', encodeURIComponent('../tasks'), 'x'.repeat(3_000)]) {
      assert.equal((await door.get(`/shared/${token}`)).status, 404, token.slice(0, 20))
      assert.equal((await door.get(`/api/shared/${token}`)).status, 404, token.slice(0, 20))
    }
    const [withdrawn, disabled, kept] = [await share(), await share(), await share()]
    const open = async ({ token }: { token: string }) => {
      const answer = await door.get(`/api/shared/${token}/events`)
      return soon(answer.text(), 'the end of the events')
    }
    const statusOf = async ({ token }: { token: string }) => [
      (await door.get(`/shared/${token}`)).status,
      (await door.get(`/api/shared/${token}`)).status,
    ]
    const reading = open(withdrawn)
    assert.deepEqual(await statusOf(withdrawn), [200, 200])
    await api.access.withdrawShare(ann.actor, withdrawn.id, withdrawn.link)
    assert.match(await reading, /event: end\ndata: \{"reason":"login"\}/)
    assert.deepEqual(await statusOf(withdrawn), [404, 404])
    assert.deepEqual(await statusOf(disabled), [200, 200])
    await api.access.changeAccount(ADMIN, ann.id, { disabled: true })
    assert.deepEqual(await statusOf(disabled), [404, 404])
    await api.access.changeAccount(ADMIN, ann.id, { disabled: false })
    ann = await api.logIn('ann2', 'user')
    assert.deepEqual(await statusOf(kept), [200, 200])
    api.pass(3_600_001)
    assert.deepEqual(await statusOf(kept), [404, 404])
  })
  it('leaves its secret in no line of the log', async () => {
    const { token } = await share()
    const secret = token.slice(-43)
    for (const path of ['', '/result', '/events/no', '/log']) await door.get(`/api/shared/${token}${path}`)
    await door.get(`/shared/${token}/no`)
    assert.ok(!lines.some(line => line.includes(secret)))
  })
})
