// The walk over every operation of the REST API, as everybody: who may call it, who is told to log in, and who is told
// which scope they lack. An operation that the table does not list fails.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { describedRoutes } from '../../src/api/openapi.ts'
import type { Scope } from '../../src/core/actor.ts'
import { type Anonymous, scopesOfRole } from '../../src/core/policy.ts'
import { createFixture } from './fixture.ts'

/** How an operation is called. A path with `:task` is also called by somebody else than the task's owner. */
interface Call {
  method?: string
  path: string
  body?: unknown
  type?: string
  headers?: Record<string, string>
}

const NONE = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
const CALLS: Readonly<Record<string, Call>> = {
  getStatus: { path: '/' },
  startCalcPi: { path: '/calcpi/3' },
  submitTask: { method: 'POST', path: '/tasks', body: { kind: 'echo', params: 1 } },
  createItem: { method: 'POST', path: '/create_task', body: { title: 'x' } },
  editTask: {
    method: 'PATCH',
    path: '/task/:task',
    body: { title: 'x' },
    headers: { 'if-match': '*' },
  },
  completeTask: { method: 'POST', path: '/task/:task/complete' },
  listTasks: { path: '/tasks' },
  allTasks: { path: '/alltasks' },
  cancelTasks: { method: 'POST', path: '/tasks/cancel?kind=none' },
  retryTasks: { method: 'POST', path: '/tasks/retry?kind=none' },
  deleteTasks: { method: 'POST', path: '/tasks/delete?kind=none' },
  getTask: { path: '/task/:task' },
  getResult: { path: '/task/:task/result' },
  whyTask: { path: '/task/:task/why' },
  getLog: { path: '/task/:task/log' },
  watchTask: { method: 'HEAD', path: '/task/:task/events' },
  watchTasks: { method: 'HEAD', path: '/events' },
  shareTask: { method: 'POST', path: '/task/:task/share', body: {} },
  listShares: { path: '/task/:task/shares' },
  withdrawShare: { method: 'DELETE', path: '/task/:task/share/none' },
  getShared: { path: '/shared/none' },
  getSharedResult: { path: '/shared/none/result' },
  watchShared: { method: 'HEAD', path: '/shared/none/events' },
  getArtifact: { path: '/task/:task/artifacts/none' },
  getSharedArtifact: { path: '/shared/none/artifacts/none' },
  createUpload: { method: 'POST', path: '/uploads', body: 'x', type: 'text/plain' },
  appendUpload: { method: 'PATCH', path: `/uploads/${NONE}?offset=0`, body: 'x', type: 'text/plain' },
  finishUpload: { method: 'POST', path: `/uploads/${NONE}/finish` },
  listUploads: { path: '/uploads' },
  getUpload: { path: `/uploads/${NONE}` },
  getUploadContent: { path: `/uploads/${NONE}/content` },
  deleteUpload: { method: 'DELETE', path: `/uploads/${NONE}` },
  retryTask: { method: 'POST', path: '/task/:task/retry' },
  cancelTask: { method: 'DELETE', path: '/task/:task?purge=1' },
  listDead: { path: '/dead' },
  replayDead: { method: 'POST', path: `/dead/${NONE}/replay` },
  discardDead: { method: 'DELETE', path: `/dead/${NONE}` },
  getKinds: { path: '/kinds' },
  reloadKinds: { method: 'POST', path: '/kinds/reload' },
  getMetrics: { path: '/metrics' },
  getLivez: { path: '/livez' },
  getReadyz: { path: '/readyz' },
  getDocs: { path: '/docs' },
  getDocsFile: { path: '/docs/files/docs.css' },
  getDocument: { path: '/openapi.json' },
  getRpcDocs: { path: '/docs/rpc' },
  getRpcDocsFile: { path: '/docs/rpc/style.css' },
  callRpc: { method: 'POST', path: '/rpc', body: '', type: 'application/x-thrift' },
  createAccount: {
    method: 'POST',
    path: '/accounts',
    body: { name: 'x', password: 'long enough', role: 'user' },
  },
  listAccounts: { path: '/accounts' },
  changeAccount: { method: 'PATCH', path: `/accounts/${NONE}`, body: { disabled: true } },
  deleteAccount: { method: 'DELETE', path: `/accounts/${NONE}` },
  createInvitation: { method: 'POST', path: '/invitations', body: {} },
  listInvitations: { path: '/invitations' },
  withdrawInvitation: { method: 'DELETE', path: '/invitations/none' },
  listAudit: { path: '/audit' },
  logIn: { method: 'POST', path: '/sessions', body: { name: 'nobody', password: 'wrong' } },
  beginSignIn: { path: '/sessions/oidc' },
  endSignIn: { path: '/sessions/oidc/callback' },
  listSessions: { path: '/sessions' },
  endSession: { method: 'DELETE', path: '/sessions/none' },
  getMe: { path: '/me' },
  changePassword: { method: 'PUT', path: '/me/password', body: { password: 'a', newPassword: 'b' } },
  createKey: { method: 'POST', path: '/keys', body: { name: 'k', scopes: ['read'] } },
  makeTicket: { method: 'POST', path: '/ws/ticket' },
  openSocket: { path: '/ws' },
  listKeys: { path: '/keys' },
  revokeKey: { method: 'DELETE', path: '/keys/none' },
  // what ends the login comes last
  logOut: { method: 'DELETE', path: '/sessions/current' },
  deleteMe: { method: 'DELETE', path: '/me' },
}
const ENDS_LOGIN = ['logOut', 'deleteMe']

type Fixture = ReturnType<typeof createFixture>
const STRANGER: Readonly<Record<Anonymous, readonly Scope[]>> = {
  full: scopesOfRole('operator'),
  read: ['read'],
  none: [],
}

const needsOf = (door: Fixture): Map<string, string> =>
  new Map(
    describedRoutes(door.app).flatMap(({ operation }) => (operation ? [[operation.id, operation.need]] : [])),
  )

const send = async (
  door: Fixture,
  { method = 'GET', path, body, type, headers: more }: Call,
  token: string | null,
  task: string,
) => {
  const headers: Record<string, string> = {
    ...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...more,
  }
  const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await door.app.request(path.replace(':task', task), { method, headers, body: text })
  const answered = await answer.text()
  const code = answer.headers.get('content-type')?.includes('problem+json')
    ? (JSON.parse(answered || '{}') as { code?: string; detail?: string })
    : {}
  return { status: answer.status, code: code.code ?? null, detail: code.detail ?? '', answer }
}

/** Whether the answer is what a caller with these scopes gets. */
const judge = (
  need: string,
  scopes: readonly Scope[],
  isStranger: boolean,
  { status, code, detail }: Awaited<ReturnType<typeof send>>,
  isHead: boolean,
): void => {
  const isAllowed =
    need === 'open' || need === 'anyone' || (need === 'login' ? !isStranger : scopes.includes(need as Scope))
  // of an account that may be made by nobody: the operation itself decides
  if (isAllowed) assert.ok(status !== 403 || code !== 'SCOPE_MISSING' || need === 'open', `${status} ${code}`)
  if (isAllowed && need !== 'anyone')
    assert.notEqual(code, need === 'open' ? 'TASK_NOT_FOUND' : 'UNAUTHORIZED')
  if (isAllowed) return
  assert.equal(status, isStranger ? 401 : 403)
  if (isHead) return
  assert.equal(code, isStranger ? 'UNAUTHORIZED' : 'SCOPE_MISSING')
  if (!isStranger) assert.match(detail, new RegExp(`scope ${need}$`))
}

describe('the walk over all operations', { timeout: 600_000 }, () => {
  for (const anonymous of ['full', 'read', 'none'] as const)
    it(`as a stranger, with ANONYMOUS=${anonymous}`, async () => {
      const door = createFixture({ anonymous })
      const { id } = await door.ended(1)
      for (const [operation, need] of needsOf(door)) {
        const call = CALLS[operation]
        assert.ok(call, `no call of ${operation} is listed here`)
        const answered = await send(door, call, null, id)
        try {
          judge(need, STRANGER[anonymous], true, answered, call.method === 'HEAD')
        } catch (error) {
          throw new Error(`${operation} (${need})`, { cause: error })
        }
        if (answered.status === 401 && answered.code === 'UNAUTHORIZED')
          assert.match(answered.answer.headers.get('www-authenticate') ?? '', /^Bearer realm="madhava"$/)
      }
      await door.close()
    })

  describe('as a person', () => {
    let door: Fixture
    before(() => {
      door = createFixture({ anonymous: 'none', registration: 'closed' })
    })
    after(() => door.close())

    for (const role of ['viewer', 'user', 'operator', 'admin'] as const)
      it(`who is ${role}`, async () => {
        const { token } = await door.logIn(`walks-${role}`, role)
        const needs = needsOf(door)
        assert.deepEqual([...needs.keys()].sort(), Object.keys(CALLS).sort())
        for (const [operation, call] of Object.entries(CALLS)) {
          const { id } = await door.ended(1)
          const need = needs.get(operation) ?? ''
          // what the login before it has ended
          const shown = operation === 'deleteMe' ? (await door.logIn(`leaves-${role}`, role)).token : token
          const answered = await send(door, call, shown, id)
          try {
            judge(need, scopesOfRole(role), false, answered, call.method === 'HEAD')
          } catch (error) {
            throw new Error(`${operation} (${need})`, { cause: error })
          }
        }
      })

    it('with a key that was revoked, or is none', async () => {
      const { token, actor } = await door.logIn('revokes', 'admin')
      const { key, id } = await door.access.createKey(actor, {
        ...{ name: 'k', scopes: ['read', 'submit', 'operate', 'admin'], kinds: null, own: false },
        expiresAt: null,
      })
      assert.equal((await send(door, { path: '/tasks' }, key, '')).status, 200)
      await door.access.revokeKey(actor, id)
      const task = (await door.ended(1)).id
      for (const shown of [key, 'mdv_0000000000000000_none', token.slice(0, -1), 'x'])
        for (const [operation, need] of needsOf(door)) {
          const call = CALLS[operation] as Call
          const { status, answer } = await send(door, call, shown, task)
          if (need === 'open') continue
          assert.equal(status, 401, `${operation} with ${shown.slice(0, 4)}`)
          assert.match(answer.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
        }
    })

    it('who asks for the task of somebody else, and finds none', async () => {
      const [ann, bob] = [await door.logIn('ann', 'user'), await door.logIn('bob', 'user')]
      const { task } = await door.service.submit(bob.actor, { kind: 'echo', params: 1 })
      for (const [operation, call] of Object.entries(CALLS)) {
        if (!call.path.includes(':task') || ENDS_LOGIN.includes(operation)) continue
        const { status, code } = await send(door, call, ann.token, task.id)
        assert.equal(status, 404, operation)
        if (call.method !== 'HEAD') assert.equal(code, 'TASK_NOT_FOUND', operation)
        const unknown = await send(door, call, ann.token, NONE)
        assert.deepEqual([unknown.status, unknown.code], [status, code])
      }
      for (const path of [`/dead/${task.id}`]) {
        const { code } = await send(door, { method: 'DELETE', path }, ann.token, '')
        assert.equal(code, 'DEAD_NOT_FOUND')
      }
      assert.equal((await door.service.get(bob.actor, task.id)).status, 'PENDING')
    })
  })
})
