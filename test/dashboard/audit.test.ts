// What the dashboard leaves in the audit: logins, orders to processes, logs that were cleared.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createAuditRecorder } from '../../src/core/audit-recorder.ts'
import { createMemoryStore, type MemoryStore } from '../../src/stores/memory/open.ts'
import { auditOf } from '../suites/audit.ts'
import { basic, createDashboardFixture, noProcesses, PASSWORDS, SAME_SITE } from './fixture.ts'

const FORM = { ...SAME_SITE, 'content-type': 'application/x-www-form-urlencoded' }
const clock = () => new Date()

describe('the audit of the dashboard', { timeout: 300_000 }, () => {
  let store: MemoryStore
  let door: Awaited<ReturnType<typeof createDashboardFixture>>
  beforeEach(async () => {
    store = createMemoryStore({ clock })
    const onFailed = (error: unknown) => assert.fail(String(error))
    door = await createDashboardFixture({
      processes: noProcesses(),
      audit: createAuditRecorder({ trail: store.audit, clock, onFailed }),
    })
  })
  afterEach(async () => {
    await door.close()
    await store.close()
  })

  /** As `name action outcome target`, the oldest first. */
  const lines = async (): Promise<string[]> =>
    (await auditOf(store))
      .reverse()
      .map(({ actor, action, outcome, target }) => `${actor?.name ?? '-'} ${action} ${outcome} ${target}`)
  const logIn = (name: string, password: string) =>
    door.post('/login', new URLSearchParams({ name, password }).toString(), FORM)

  it('has who logged in and out, and wrong passwords without what was typed for a name', async () => {
    await logIn('operator', 'wrong')
    // of other names the room access writes, which is another test's
    await logIn('typed into the wrong field', 'wrong')
    await door.get('/processes.json', basic('viewer', 'wrong'))
    const { cookie, token } = await door.enter('viewer')
    await door.post('/logout', new URLSearchParams({ token }).toString(), { ...FORM, cookie })
    assert.deepEqual(await lines(), [
      '- login.failed LOGIN_WRONG operator',
      '- login.failed LOGIN_WRONG viewer',
      'viewer login done viewer',
      'viewer logout done viewer',
    ])
    assert.ok((await auditOf(store)).every(({ via }) => via === 'dashboard'))
  })

  it('has orders to processes, those of whom may give none too, and logs that were cleared', async () => {
    const { own } = await door.enter('operator')
    const viewer = basic('viewer', PASSWORDS.viewer)
    await store.audit.removeBefore('9999-01-01T00:00:00.000Z')
    const json = { 'content-type': 'application/json' }
    assert.equal(
      (await door.post('/processes/all/restart', '{"waitSeconds":0}', { ...own, ...json })).status,
      200,
    )
    assert.equal((await door.post('/processes/api/stop', '', { ...viewer, ...json })).status, 403)
    const call =
      '<methodCall><methodName>supervisor.clearProcessLogs</methodName><params><param><value><string>api</string></value></param></params></methodCall>'
    await door.post('/RPC2', call, { ...basic('operator', PASSWORDS.operator), 'content-type': 'text/xml' })
    assert.equal((await door.post('/RPC2', call, { ...viewer, 'content-type': 'text/xml' })).status, 403)
    const found = await lines()
    assert.deepEqual(
      found.filter(line => !line.includes(' login')),
      [
        'operator process.restart done all',
        'viewer process.stop FORBIDDEN api',
        'operator logs.clear done api',
        'viewer logs.clear FORBIDDEN null',
      ],
    )
  })
})
