// The dashboard as its process opens it, over a memory store: what its start does to the logins, and whose time counts.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createCheckQueue } from '../../src/access/check-queue.ts'
import { createLoginLimit } from '../../src/access/login-limit.ts'
import type { DocumentData } from '../../src/core/documents.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { createService } from '../../src/core/service.ts'
import { SESSION_LIFETIME_MS } from '../../src/dashboard/access/session.ts'
import { openDashboard } from '../../src/dashboard/server.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { content } from '../suites/documents.ts'
import { NO_AUDIT } from '../support/audit-entries.ts'
import { createFakeAccess } from '../support/fake-access.ts'
import { keepingLog } from '../support/keeping-log.ts'
import { createNotingQueue } from '../support/noting-queue.ts'
import { undo } from '../support/undo.ts'

const PASSWORD = 'correct horse'
/** The store's time is not that of this host. */
const AHEAD_MS = 86_400_000

const setUp = async (test: TestContext) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'madhava-server-'))
  const clock = () => new Date(Date.now() + AHEAD_MS)
  const store = createMemoryStore({ clock })
  const { queue } = createNotingQueue()
  const service = createService({ store, queue, kinds: createKinds([]), clock, maxWaiting: null })
  const { documents } = store
  const opened: { close(): Promise<void> }[] = []
  const { log, lines } = keepingLog()
  const open = async () => {
    const dashboard = await openDashboard(
      {
        host: '127.0.0.1',
        port: 0,
        dataDir: folder,
        password: PASSWORD,
        viewerPassword: null,
        version: '1',
        installationName: null,
        pm2Home: path.join(folder, 'pm2'),
        allowedHosts: [],
        roles: ['dashboard'],
        settings: [],
      },
      {
        store,
        queue,
        service,
        clock,
        isOwn: () => true,
        bundles: { bundle: 'one', isAlive: null },
        access: createFakeAccess().access,
        checks: {
          inTurn: createCheckQueue(),
          limit: createLoginLimit({ clock: () => performance.now() }),
        },
        audit: NO_AUDIT,
        builtInKinds: new Set(['thumbnails', 'sleep']),
      },
      log,
    )
    opened.push(dashboard)
    return dashboard
  }
  undo(test, async () => {
    for (const { close } of opened) await close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })
  const spoil = (name: string, data: DocumentData = {}) =>
    documents.put('accounts', name, content(data), 'any')
  return { clock, lines, open, spoil }
}

const logIn = async (address: string): Promise<{ status: number; cookie: string }> => {
  const answer = await fetch(`http://${address}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: `http://${address}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ name: 'operator', password: PASSWORD }),
  })
  await answer.arrayBuffer()
  return { status: answer.status, cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' }
}

describe('the dashboard of a process', { timeout: 300_000 }, () => {
  it('opens beside a viewer that cannot be used, with an operator that its settings make anew', async test => {
    const { open, spoil, lines } = await setUp(test)
    await spoil('viewer')
    await spoil('operator')
    const { address } = await open()
    assert.equal((await logIn(address)).status, 303)
    const told = lines().filter(({ message }) => message === 'a login cannot be used')
    assert.deepEqual(
      told.map(({ login }) => login),
      ['viewer'],
    )
  })

  it('shows the form to who has a cookie while no login can be used', async test => {
    const { open, spoil } = await setUp(test)
    const { address } = await open()
    const { cookie } = await logIn(address)
    for (const name of ['operator', 'viewer']) await spoil(name)
    const answer = await fetch(`http://${address}/login`, { headers: { cookie } })
    assert.equal(answer.status, 200)
    assert.match(await answer.text(), /<form/)
  })

  it('says in its pages which of the kinds that they are for are left out, so that the menu leaves them out', async test => {
    const { open } = await setUp(test)
    const { address } = await open()
    const { cookie } = await logIn(address)
    const page = await (await fetch(`http://${address}/tasks`, { headers: { cookie } })).text()
    assert.match(page, /<html [^>]*data-without="manual parse"/)
  })

  it("ends its sessions by the store's time", async test => {
    const { open, clock } = await setUp(test)
    const { address } = await open()
    const { cookie } = await logIn(address)
    const answer = await fetch(`http://${address}/me.json`, { headers: { cookie } })
    const { sessionEndsAt } = (await answer.json()) as { sessionEndsAt: string }
    const leftMs = Date.parse(sessionEndsAt) - clock().getTime()
    assert.ok(Math.abs(leftMs - SESSION_LIFETIME_MS) < 60_000, String(leftMs))
  })
})
