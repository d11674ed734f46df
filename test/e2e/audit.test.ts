// The audit of a bundle that is killed in the middle of a change: what was begun has its line, once.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { after, describe, it } from 'node:test'
import { type AuditEntry, createClient } from '../../src/client/client.ts'
import { type Bundle, makeDataDir, startBundle } from '../support/bundle.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'

const PASSWORD = 'correct horse battery'
/** In one call of many. */
const TASKS = 100
const LISTS = 20

describe('the audit of a bundle', { timeout: 900_000 }, () => {
  const { dataDir, remove } = makeDataDir()
  let bundle: Bundle | null = null
  after(async () => {
    await bundle?.kill()
    remove()
  })

  it('tells of a change in whose middle the process was killed, and of every one that was answered', async () => {
    const started = await startBundle(dataDir, {
      DASHBOARD_PASSWORD: PASSWORD,
      // the same after the kill
      API_PORT: String(await freePort()),
    })
    bundle = started
    const { token } = await createClient({ baseUrl: started.api }).logIn('operator', PASSWORD)
    const admin = createClient({ baseUrl: started.api, key: token })
    const request = (method: string, where: string, body?: unknown) =>
      fetch(`${started.api}${where}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    const task = { kind: 'sleep', params: { seconds: 1 }, notBefore: '2099-01-01T00:00:00Z' }
    for (let n = 0; n < LISTS; n += 1)
      assert.equal((await request('POST', '/tasks', Array(TASKS).fill(task))).status, 202)
    const before = await started.pidOf('api')
    const cancelled = request('POST', '/tasks/cancel?kind=sleep').then(
      answer => answer.ok,
      () => false,
    )
    const begun = path.join(dataDir, 'audit', 'begun')
    await until('it has begun', () => readdirSync(begun).length > 0)
    process.kill(before, 'SIGKILL')
    assert.equal(await cancelled, false, 'it was killed before it answered')
    const linesOf = async (action: string): Promise<AuditEntry[]> => {
      const found: AuditEntry[] = []
      for await (const entry of admin.audit({ actions: [action] })) found.push(entry)
      return found
    }
    // a worker looks once a minute
    await until('the line is there', async () => (await linesOf('tasks.cancel')).length > 0, 300_000)
    const [line, ...more] = await linesOf('tasks.cancel')
    assert.deepEqual(
      [line?.outcome, line?.actor?.name, line?.address, more],
      ['unknown', 'operator', '127.0.0.1', []],
    )
    // the line stands before what was begun goes
    await until('nothing is left of it', () => readdirSync(begun).length === 0)
    const submits = await linesOf('task.submit')
    assert.equal(new Set(submits.map(({ target }) => target)).size, TASKS * LISTS)
    assert.ok(submits.every(({ outcome }) => outcome === 'done'))
    assert.ok((await admin.audit({ actions: ['login'] }).next()).value?.outcome === 'done')
  })
})
