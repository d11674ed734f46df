// Links that read one task: what they read, what they do not, and how they end.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { ShareView } from '../../src/access/access.ts'
import { LINK_LIMITS, STREAM_LIMITS } from '../../src/api/streams.ts'
import type { Actor } from '../../src/core/actor.ts'
import { succeed } from '../../src/core/moves.ts'
import { refused } from '../suites/store/world.ts'
import { anybody } from '../support/actors.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

interface Made extends ShareView {
  token: string
  link: string
}

let door: Fixture
let ann: { token: string; actor: Actor }
let lines: string[]
beforeEach(async () => {
  lines = []
  const note = (fields: unknown, message?: unknown): void => {
    lines.push(JSON.stringify([fields, message]))
  }
  const log = { trace: note, debug: note, info: note, warn: note, error: note, fatal: note } as never
  door = createFixture({ anonymous: 'none', log })
  ann = await door.logIn('ann', 'user')
})
afterEach(() => door.close())

const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  door.app.request(path, { headers })
const submit = async () => (await door.service.submit(ann.actor, { kind: 'echo', params: 1 })).task
const share = async (id: string, body: object = {}, token = ann.token): Promise<Response> =>
  door.post(`/task/${id}/share`, body, { authorization: `Bearer ${token}` })
const shared = async (id: string, body: object = {}): Promise<Made> => {
  const answer = await share(id, body)
  assert.equal(answer.status, 201)
  return jsonOf<Made>(answer)
}

describe('a link to a task', { timeout: 300_000 }, () => {
  it('reads its record, its result and its events, without a login', async () => {
    const { id } = await submit()
    const { link, token } = await shared(id)
    assert.match(token, /^mdl_[a-z0-9]{16}_[A-Za-z0-9]{43}$/)
    assert.equal(link, `/shared/${token}`)
    const record = await get(link)
    assert.equal((await jsonOf<{ id: string }>(record)).id, id)
    assert.equal((await get(link, { 'if-none-match': record.headers.get('etag') ?? '' })).status, 304)
    assert.equal((await get(`${link}/result`)).status, 409)
    const events = await get(`${link}/events`)
    const claimed = await door.run(id)
    await door.store.move(id, claimed?.claim ?? 0, succeed('done', null, new Date().toISOString()))
    const told = await events.text()
    assert.match(told, /"status":"SUCCESS"/)
    assert.match(told, /event: end\ndata: \{"reason":"final"\}/)
    assert.equal(await (await get(`${link}/result`)).text(), 'done')
  })

  it('is listed with who made it, whose name a user is not told where it is somebody else', async () => {
    const [olga, bob] = [await door.logIn('olga', 'operator'), await door.logIn('bob', 'user')]
    const { id } = (await door.service.submit(anybody(), { kind: 'echo', params: 1 })).task
    for (const who of [ann, bob, olga]) assert.equal((await share(id, {}, who.token)).status, 201)
    const makers = async (token: string) => {
      const answer = await get(`/task/${id}/shares`, { authorization: `Bearer ${token}` })
      return (await jsonOf<{ shares: ShareView[] }>(answer)).shares.map(({ by }) => by).sort()
    }
    assert.deepEqual(await makers(olga.token), ['ann', 'bob', 'olga'])
    assert.deepEqual(await makers(ann.token), ['ann', null, null])
    assert.equal((await jsonOf<Made>(await share(id, {}, bob.token))).by, 'bob')
    const { shares } = door.access
    const nobodys = await door.access.share(anybody(), id, 60)
    assert.equal(nobodys.by, null)
    assert.equal((await shares(olga.actor, id)).find(one => one.id === nobodys.id)?.by, null)
  })

  it('reads nothing else, and changes nothing', async () => {
    const [{ id }, other] = [await submit(), await submit()]
    const { link, token } = await shared(id)
    const bearer = { authorization: `Bearer ${token}` }
    for (const path of ['/tasks', '/', '/events', `/task/${id}`, `/task/${other.id}`, '/kinds', '/me'])
      assert.equal((await get(path, bearer)).status, 401, path)
    for (const path of [`${link}/log`, `${link}/why`, `${link}/cancel`, `${link}/../../tasks`])
      assert.ok([404, 401].includes((await get(path)).status), path)
    assert.equal((await door.app.request(link, { method: 'DELETE' })).status, 405)
    const { actor, task } = await door.access.openShare(token)
    assert.deepEqual([task, actor.scopes, actor.account], [id, [], null])
    const signal = AbortSignal.timeout(60_000)
    await door.service.get(actor, id)
    await refused(() => door.service.get(actor, other.id), 'UNAUTHORIZED')
    for (const call of [
      () => door.service.list(actor, {}, { limit: 1, cursor: null }),
      () => door.service.state(actor),
      async () => door.service.kinds(actor),
      () => door.service.watchAll(actor, {}, { since: null, snapshot: true }, signal).next(),
      () => door.service.cancel(actor, id),
      () => door.service.purge(actor, id),
      () => door.service.submit(actor, { kind: 'echo', params: 1 }),
      () => door.service.dead(actor, { limit: 1, cursor: null }),
      () => door.service.bulk(actor, 'cancel', {}, { dryRun: true, cursor: null }),
    ])
      await refused(call, 'UNAUTHORIZED')
  })

  it('ends when it is withdrawn, also in the middle of a stream', async () => {
    const { id } = await submit()
    const [one, two] = [await shared(id), await shared(id)]
    const events = await get(`${one.link}/events`)
    const auth = { authorization: `Bearer ${ann.token}` }
    const list = async () =>
      (await jsonOf<{ shares: ShareView[] }>(await get(`/task/${id}/shares`, auth))).shares
    assert.deepEqual((await list()).map(({ id: share }) => share).sort(), [one.id, two.id].sort())
    assert.doesNotMatch(JSON.stringify(await list()), new RegExp(one.token.slice(-43)))
    const gone = await door.app.request(`/task/${id}/share/${one.id}`, { method: 'DELETE', headers: auth })
    assert.equal(gone.status, 204)
    assert.match(await events.text(), /event: end\ndata: \{"reason":"login"\}/)
    for (const path of [one.link, `${one.link}/result`, `${one.link}/events`])
      assert.equal((await get(path)).status, 404)
    assert.equal((await get(two.link)).status, 200)
    const again = await door.app.request(`/task/${id}/share/${one.id}`, { method: 'DELETE', headers: auth })
    assert.equal(again.status, 404)
  })

  it('has streams of its own bound, however many read it: those of who has logged in are left alone', async () => {
    const { id } = await submit()
    const { link } = await shared(id)
    const leaving = new AbortController()
    const open = (path: string, client: string, headers: Record<string, string> = {}) =>
      door.app.request(
        path,
        { headers, signal: leaving.signal },
        { client: { address: client, clientKey: client } },
      )
    const all: Response[] = []
    try {
      for (let n = 0; n < 2 * LINK_LIMITS.open; n += 1)
        all.push(await open(`${link}/events`, `192.0.2.${n % 200}`))
      const busy = all.filter(({ status }) => status === 503)
      assert.equal(busy.length, LINK_LIMITS.open)
      assert.equal((await jsonOf<{ code: string }>(busy[0] as Response)).code, 'TOO_MANY_STREAMS')
      assert.equal((await get(link)).status, 200)
      // as many as there are for all of them
      const own = { authorization: `Bearer ${ann.token}` }
      for (let n = 0; n < STREAM_LIMITS.open; n += 1)
        all.push(await open(`/task/${id}/events`, `198.51.100.${n % 200}`, own))
      assert.deepEqual([...new Set(all.slice(2 * LINK_LIMITS.open).map(({ status }) => status))], [200])
    } finally {
      leaving.abort()
      await Promise.all(all.map(({ body }) => body?.cancel().catch(() => {})))
    }
  })

  it('ends by the clock, with its account, and with its task', async () => {
    const { id } = await submit()
    const { link } = await shared(id, { seconds: 60 })
    const long = await shared(id)
    door.pass(61_000)
    assert.equal((await get(link)).status, 404)
    assert.equal((await get(long.link)).status, 200)
    await door.service.cancel(ann.actor, id)
    await door.service.purge(ann.actor, id)
    assert.equal((await jsonOf<{ code: string }>(await get(long.link))).code, 'TASK_NOT_FOUND')
    const next = await submit()
    const last = await shared(next.id)
    await door.access.deleteAccount(ann.actor, ann.actor.account ?? '')
    assert.equal((await jsonOf<{ code: string }>(await get(last.link))).code, 'SHARE_NOT_FOUND')
  })

  it('is made by who may change the task', async () => {
    const { id } = await submit()
    const [bob, vera] = [await door.logIn('bob', 'user'), await door.logIn('vera', 'viewer')]
    assert.equal((await share(id, {}, bob.token)).status, 404)
    assert.equal((await share(id, {}, vera.token)).status, 403)
    assert.equal((await share(id, { seconds: 0 })).status, 400)
    assert.equal((await share(id, { seconds: 10 ** 9 })).status, 400)
  })

  it('stands with its secret in no log line and no error', async () => {
    const { id } = await submit()
    const { link, token } = await shared(id)
    await get(link)
    const wrong = `${link.slice(0, -1)}_`
    const refusal = await (await get(wrong)).text()
    const secret = token.split('_')[2] ?? ''
    assert.ok(lines.some(line => line.includes('/shared/')))
    for (const text of [...lines, refusal]) assert.ok(!text.includes(secret.slice(0, 20)), text)
  })
})
