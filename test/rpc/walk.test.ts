// The walk: every method of the interface, for somebody who may do nothing, for readers, for a user and for an operator.
// A method that the walk does not list fails it.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import madhava from '../../gen/js/Madhava.js'
import celery from '../../gen/js/RPCcelery.js'
import types from '../../gen/js/rpcinterface_types.js'
import type { Access } from '../../src/access/access.ts'
import { toRpcError } from '../../src/client/rpc-errors.ts'
import { artifactFile, listArtifact } from '../../src/core/artifacts.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { start, succeed } from '../../src/core/moves.ts'
import type { Anonymous } from '../../src/core/policy.ts'
import { person } from '../support/actors.ts'
import { createFakeAccess } from '../support/fake-access.ts'
import { type Bench, openBench, openClient } from './fixture.ts'

type Client = ReturnType<typeof openClient>['client']

const actors = {
  viewer: person('vera', 'viewer'),
  ann: person('ann', 'user'),
  operator: person('otto', 'operator'),
}
/** Who asks: what they show, and what may be done without showing anything. */
const WHO = {
  'a stranger under none': { anonymous: 'none', shows: null },
  'a stranger under read': { anonymous: 'read', shows: null },
  'a viewer': { anonymous: 'none', shows: 'viewer' },
  'a user': { anonymous: 'none', shows: 'ann' },
  'an operator': { anonymous: 'none', shows: 'operator' },
} as const satisfies Record<string, { anonymous: Anonymous; shows: keyof typeof actors | null }>
type Who = keyof typeof WHO
const EVERYBODY = Object.keys(WHO) as Who[]

/** What a method answers to each, where a task or an upload is meant that is bob's. */
type Outcomes = Record<Who, string>
const outcomes = (none: string, read: string, viewer: string, user: string, operator: string): Outcomes => ({
  'a stranger under none': none,
  'a stranger under read': read,
  'a viewer': viewer,
  'a user': user,
  'an operator': operator,
})
const OPEN = outcomes('ok', 'ok', 'ok', 'ok', 'ok')
const READS = outcomes('UNAUTHORIZED', 'ok', 'ok', 'ok', 'ok')
/** What the machine does tells what others do. */
const READS_MACHINE = outcomes('UNAUTHORIZED', 'ok', 'ok', 'FORBIDDEN', 'ok')
const SUBMITS = outcomes('UNAUTHORIZED', 'UNAUTHORIZED', 'SCOPE_MISSING', 'ok', 'ok')
const READS_TASK = outcomes('UNAUTHORIZED', 'ok', 'ok', 'TASK_NOT_FOUND', 'ok')
const TOUCHES_TASK = outcomes('UNAUTHORIZED', 'UNAUTHORIZED', 'SCOPE_MISSING', 'TASK_NOT_FOUND', 'ok')
const READS_UPLOAD = outcomes('UNAUTHORIZED', 'ok', 'ok', 'UPLOAD_NOT_FOUND', 'ok')
const TOUCHES_UPLOAD = outcomes('UNAUTHORIZED', 'UNAUTHORIZED', 'SCOPE_MISSING', 'UPLOAD_NOT_FOUND', 'ok')
const FOR_ADMINS = outcomes('UNAUTHORIZED', 'UNAUTHORIZED', 'SCOPE_MISSING', 'SCOPE_MISSING', 'SCOPE_MISSING')
/** Access decides, which another test shows; here it refuses everybody. */
const ASKS_ACCESS = outcomes('FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN')

interface Step {
  expected: Outcomes
  /** What the task or the upload is when the method is called; left out: the method is about neither. */
  task?: 'waits' | 'has ended' | 'is on the list' | 'upload is open' | 'upload is whole'
  call: (client: Client, id: string) => Promise<unknown>
}
const NO_OPTIONS = new types.SubmitOptions()
const ARTIFACT = 'out.txt'

const WALK: Readonly<Record<string, Step>> = {
  startCalcPi: { expected: SUBMITS, call: client => client.startCalcPi(3) },
  getTaskStatus: {
    expected: outcomes('BadTask 401', 'ok', 'ok', 'BadTask 404', 'ok'),
    task: 'has ended',
    call: (client, id) => client.getTaskStatus(id),
  },
  listTasks: { expected: READS, call: client => client.listTasks() },
  ping: { expected: OPEN, call: client => client.ping() },
  version: { expected: OPEN, call: client => client.version() },
  submitTask: { expected: SUBMITS, call: client => client.submitTask('calcpi', '{"digits": 1}', NO_OPTIONS) },
  getTask: { expected: READS_TASK, task: 'waits', call: (client, id) => client.getTask(id) },
  waitTask: { expected: READS_TASK, task: 'waits', call: (client, id) => client.waitTask(id, '', 1) },
  pageTasks: { expected: READS, call: client => client.pageTasks(new types.TaskFilter(), 0, '') },
  pageTasksWhy: { expected: READS, call: client => client.pageTasksWhy(new types.TaskFilter(), 0, '') },
  whyTask: { expected: READS_TASK, task: 'waits', call: (client, id) => client.whyTask(id) },
  cancelTask: { expected: TOUCHES_TASK, task: 'waits', call: (client, id) => client.cancelTask(id) },
  retryTask: { expected: TOUCHES_TASK, task: 'has ended', call: (client, id) => client.retryTask(id) },
  purgeTask: { expected: TOUCHES_TASK, task: 'has ended', call: (client, id) => client.purgeTask(id) },
  createItem: { expected: SUBMITS, call: client => client.createItem(new types.NewItem({ title: 'x' })) },
  // what people do is everybody's, so it is no task of bob's
  editTask: {
    expected: SUBMITS,
    task: 'is on the list',
    call: (client, id) => client.editTask(id, new types.TaskEdit({ title: 'y' }), '0-0'),
  },
  completeTask: {
    expected: SUBMITS,
    task: 'is on the list',
    call: (client, id) => client.completeTask(id, '', ''),
  },
  readResult: {
    expected: READS_TASK,
    task: 'has ended',
    call: (client, id) => client.readResult(id, 0 as never, 0),
  },
  readLog: {
    expected: READS_TASK,
    task: 'has ended',
    call: (client, id) => client.readLog(id, 0 as never, 0),
  },
  getTaskLog: {
    expected: READS_TASK,
    task: 'has ended',
    call: (client, id) => client.getTaskLog(id, 0 as never),
  },
  readArtifact: {
    expected: READS_TASK,
    task: 'has ended',
    call: (client, id) => client.readArtifact(id, ARTIFACT, 0 as never, 0),
  },
  beginUpload: { expected: SUBMITS, call: client => client.beginUpload('name', 3 as never) },
  appendUpload: {
    expected: TOUCHES_UPLOAD,
    task: 'upload is open',
    call: (client, id) => client.appendUpload(id, 0 as never, Buffer.from('abc')),
  },
  finishUpload: {
    expected: TOUCHES_UPLOAD,
    task: 'upload is open',
    call: (client, id) => client.finishUpload(id, ''),
  },
  getUpload: { expected: READS_UPLOAD, task: 'upload is open', call: (client, id) => client.getUpload(id) },
  listUploads: { expected: READS, call: client => client.listUploads(0, '') },
  readUpload: {
    expected: READS_UPLOAD,
    task: 'upload is whole',
    call: (client, id) => client.readUpload(id, 0 as never, 0),
  },
  deleteUpload: {
    expected: TOUCHES_UPLOAD,
    task: 'upload is whole',
    call: (client, id) => client.deleteUpload(id),
  },
  shareTask: { expected: TOUCHES_TASK, task: 'waits', call: (client, id) => client.shareTask(id, 0) },
  listShares: { expected: TOUCHES_TASK, task: 'waits', call: (client, id) => client.listShares(id) },
  withdrawShare: {
    expected: TOUCHES_TASK,
    task: 'waits',
    call: (client, id) => client.withdrawShare(id, 's'),
  },
  listKinds: { expected: READS, call: client => client.listKinds() },
  listKindTroubles: { expected: READS, call: client => client.listKindTroubles() },
  // the kinds of the bench are fixed
  reloadKinds: {
    expected: outcomes(
      ...(['UNAUTHORIZED', 'UNAUTHORIZED', 'SCOPE_MISSING', 'SCOPE_MISSING', 'KINDS_NOT_LOADED'] as const),
    ),
    call: client => client.reloadKinds(),
  },
  hostStatus: { expected: READS_MACHINE, call: client => client.hostStatus() },
  queueStatus: { expected: READS_MACHINE, call: client => client.queueStatus() },
  pageAudit: { expected: FOR_ADMINS, call: client => client.pageAudit(new types.AuditFilter(), 0, '') },
  // from here on the connection of a stranger is somebody's
  authenticate: { expected: OPEN, call: client => client.authenticate('ann') },
  me: { expected: OPEN, call: client => client.me() },
  createAccount: {
    expected: ASKS_ACCESS,
    call: client => client.createAccount('zoe', 'a long password', new types.AccountOptions()),
  },
  logIn: { expected: ASKS_ACCESS, call: client => client.logIn('zoe', 'a long password') },
  logOut: { expected: ASKS_ACCESS, call: client => client.logOut() },
  changePassword: { expected: ASKS_ACCESS, call: client => client.changePassword('old', 'new') },
  listSessions: { expected: ASKS_ACCESS, call: client => client.listSessions() },
  endSession: { expected: ASKS_ACCESS, call: client => client.endSession('s') },
  createKey: {
    expected: ASKS_ACCESS,
    call: client => client.createKey('k', ['read'], new types.KeyOptions()),
  },
  listKeys: { expected: ASKS_ACCESS, call: client => client.listKeys() },
  revokeKey: { expected: ASKS_ACCESS, call: client => client.revokeKey('k') },
  createInvitation: { expected: ASKS_ACCESS, call: client => client.createInvitation('user', 60, '') },
  listInvitations: { expected: ASKS_ACCESS, call: client => client.listInvitations() },
  withdrawInvitation: { expected: ASKS_ACCESS, call: client => client.withdrawInvitation('i') },
  listAccounts: { expected: ASKS_ACCESS, call: client => client.listAccounts(0, '') },
  changeAccount: {
    expected: ASKS_ACCESS,
    call: client => client.changeAccount('a', new types.AccountChanges({ disabled: true })),
  },
  deleteAccount: { expected: ASKS_ACCESS, call: client => client.deleteAccount('a', '') },
}

const outcomeOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call
    return 'ok'
  } catch (error) {
    if (error instanceof types.BadTask) return `BadTask ${error.error_code}`
    return (toRpcError(error) as { code?: string }).code ?? String(error)
  }
}

/** Of Access, what only it decides. */
const CALLS = [
  ...([
    'register',
    'logIn',
    'logOut',
    'changePassword',
    'sessions',
    'endSession',
    'createKey',
    'keys',
  ] as const),
  ...(['revokeKey', 'invite', 'invitations', 'withdrawInvitation', 'accounts', 'changeAccount'] as const),
  'deleteAccount',
] as const satisfies (keyof Access)[]

describe('the walk through all methods', { timeout: 600_000 }, () => {
  const open = async (anonymous: Anonymous): Promise<Bench> => {
    const refuse = () => Promise.reject(new MadhavaError('FORBIDDEN'))
    const view = { id: 's', task: 't', by: null, createdAt: '', expiresAt: '', token: 'mdl_1' }
    const calls: Partial<Access> = {
      ...Object.fromEntries(CALLS.map(name => [name, refuse])),
      share: async () => view,
      shares: async () => [view],
      withdrawShare: async () => undefined,
    }
    return openBench({}, undefined, createFakeAccess({ anonymous, actors, calls }))
  }
  const taskOf = async ({ service, store }: Bench, owner: string, state: Step['task']): Promise<string> => {
    const now = new Date().toISOString()
    if (state === 'upload is open') return (await service.uploads.begin(person(owner), {})).id
    if (state === 'upload is whole')
      return (await service.uploads.take(person(owner), {}, Readable.from(['abc']))).id
    if (state === 'is on the list')
      return (await service.submit(person(owner), { kind: 'manual', title: 'x' })).task.id
    const { task } = await service.submit(person(owner), { kind: 'calcpi', params: { digits: 3 } })
    if (state === 'waits') return task.id
    const { claim } = (await store.claim(task.id, start('w', now))) ?? assert.fail('not claimed')
    const file = artifactFile(claim, 1)
    await store.putBlob(task.id, file, Buffer.from('abc'))
    const artifact = { name: ARTIFACT, bytes: 3, type: 'text/plain', sha256: '0'.repeat(64), file }
    await store.move(task.id, claim, listArtifact(artifact, now))
    await store.move(task.id, claim, succeed('3.14', null, now))
    return task.id
  }

  it('lists every method of the interface', () => {
    const methodsOf = ({ prototype }: { prototype: object }): string[] =>
      Object.getOwnPropertyNames(prototype).flatMap(name => /^send_(.+)/.exec(name)?.[1] ?? [])
    const all = [...methodsOf(celery.Client), ...methodsOf(madhava.Client)]
    assert.deepEqual(Object.keys(WALK).sort(), all.sort())
  })

  for (const who of EVERYBODY)
    it(`answers ${who} what they may know`, async () => {
      const { anonymous, shows } = WHO[who]
      const bench = await open(anonymous)
      const { client, close } = openClient(bench.door)
      try {
        const seen: Record<string, string> = {}
        const own: Record<string, string> = {}
        for (const [name, { task, call }] of Object.entries(WALK)) {
          if (shows !== null) await client.authenticate(shows)
          const id = task ? await taskOf(bench, 'bob', task) : ''
          seen[name] = await outcomeOf(call(client, id))
          if (who !== 'a user' || !task) continue
          own[name] = await outcomeOf(call(client, await taskOf(bench, 'ann', task)))
        }
        const expected = Object.entries(WALK).map(([name, step]) => [name, step.expected[who]])
        assert.deepEqual(seen, Object.fromEntries(expected))
        for (const [name, outcome] of Object.entries(own))
          assert.equal(outcome, 'ok', `${name} of an own task`)
      } finally {
        close()
        await bench.close()
      }
    })

  it('shows a user no task, no id and no number of another one', async () => {
    const bench = await open('none')
    const { client, close } = openClient(bench.door)
    try {
      const [bobs, running] = [await taskOf(bench, 'bob', 'waits'), await taskOf(bench, 'bob', 'waits')]
      const own = await taskOf(bench, 'ann', 'waits')
      const now = new Date().toISOString()
      await bench.store.claim(running, start('w', now))
      await bench.store.announce({
        role: 'worker',
        details: () => ({
          ...{ address: null, slots: 2, running: [running, own], runningByKind: { calcpi: 2 } },
          ...{ bundle: 'b', counters: {}, rssBytes: 1, cpu: 0, troubles: {} },
        }),
      })
      await client.authenticate('ann')
      const filter = (more: object = {}) => new types.TaskFilter(more)
      const all = {
        listed: await client.listTasks(),
        pages: [
          await client.pageTasks(filter(), 0, ''),
          await client.pageTasksWhy(filter({ owner: 'bob' }), 0, ''),
          await client.pageTasks(filter({ text: bobs }), 0, ''),
          await client.pageTasks(filter({ statuses: ['STARTED'] }), 0, ''),
        ],
        kinds: await client.listKinds(),
      }
      const text = JSON.stringify(all)
      assert.ok(text.includes(own))
      for (const id of [bobs, running]) assert.ok(!text.includes(id), text)
      assert.equal(all.pages.flatMap(({ tasks }) => tasks).length, 1)
      await assert.rejects(client.hostStatus(), { name: 'Refused', code: 'FORBIDDEN' })
      await assert.rejects(client.queueStatus(), { name: 'Refused', code: 'FORBIDDEN' })
    } finally {
      close()
      await bench.close()
    }
  })
})
