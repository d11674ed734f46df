// The service with its audit: what each change leaves there, which refusals do, and what happens when the audit cannot
// be written.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { beforeEach, describe, it } from 'node:test'
import { z } from 'zod'
import type { AuditEntry, AuditTrail } from '../../src/core/audit.ts'
import { createAuditRecorder } from '../../src/core/audit-recorder.ts'
import { createAuditedService } from '../../src/core/audited-service.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { defineKind, loadKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { start, succeed } from '../../src/core/moves.ts'
import { actorAt } from '../../src/core/policy.ts'
import { createService, type Service } from '../../src/core/service.ts'
import { newTaskId } from '../../src/core/task.ts'
import { createMemoryStore, type MemoryStore } from '../../src/stores/memory/open.ts'
import { auditOf } from '../suites/audit.ts'
import { refused } from '../suites/store/world.ts'
import { anybody, person } from '../support/actors.ts'
import { createNotingQueue } from '../support/noting-queue.ts'

const echo = defineKind({
  summary: 'Says it',
  params: z.any(),
  result: z.any(),
  example: 1,
  run: ({ params }: { params: unknown }) => params,
} as never)

const ann = actorAt(person('ann', 'user', 'rpc'), '192.0.2.9')
const viewer = person('vera', 'viewer')
const admin = person('root', 'admin')
const SECRET = 'correct-horse-battery'
const clock = () => new Date()

let store: MemoryStore
let service: Service
let failures: unknown[]
/** What a test takes away of the audit. */
let broken: Partial<AuditTrail>
/** What a reload of the kinds finds; null: a file that cannot be used. */
let reloaded: { added: string[]; changed: string[]; removed: string[] } | null

beforeEach(() => {
  store = createMemoryStore({ clock })
  failures = []
  broken = {}
  reloaded = { added: [], changed: [], removed: [] }
  const trail: Pick<AuditTrail, 'begin' | 'end' | 'add'> = {
    begin: entry => (broken.begin ?? store.audit.begin)(entry),
    end: (...asked) => (broken.end ?? store.audit.end)(...asked),
    add: (...asked) => (broken.add ?? store.audit.add)(...asked),
  }
  const record = createAuditRecorder({ trail, clock, onFailed: (_, what) => failures.push(what) })
  const { queue } = createNotingQueue()
  const kinds = createKinds([loadKind('echo', echo, 'echo.ts')])
  const reloadKinds = async () => {
    if (reloaded === null) throw new MadhavaError('KINDS_NOT_LOADED')
    return { id: 'x', unchanged: 3, processes: [], ...reloaded }
  }
  service = createAuditedService(createService({ store, queue, kinds, clock, reloadKinds }), record)
})

const submit = async (params: unknown = 1) => (await service.submit(ann, { kind: 'echo', params })).task
const ended = async () => {
  const { id } = await submit()
  const task = await store.claim(id, start('w', clock().toISOString()))
  assert.ok(task)
  await store.move(id, task.claim, succeed(1, null, clock().toISOString()))
  return id
}
/** As `action outcome target`, the oldest first. */
const lines = async (): Promise<string[]> =>
  (await auditOf(store)).reverse().map(({ action, outcome, target }) => `${action} ${outcome} ${target}`)
const dropLines = (): Promise<void> => store.audit.removeBefore('9999-01-01T00:00:00.000Z')

describe('the service with its audit', { timeout: 300_000 }, () => {
  it('says who did what, through which API and from where', async () => {
    const { id } = await submit({ password: SECRET })
    const [entry] = await auditOf(store)
    assert.deepEqual({ ...entry, id: '', at: '' }, {
      id: '',
      at: '',
      actor: { account: 'ann', name: 'ann' },
      via: 'rpc',
      action: 'task.submit',
      target: id,
      outcome: 'done',
      address: '192.0.2.9',
    } satisfies AuditEntry)
    assert.ok(Math.abs(Date.parse(entry?.at ?? '') - Date.now()) < 600_000)
    await service.submit(anybody(), { kind: 'echo', params: 1 })
    assert.deepEqual((await auditOf(store))[0]?.actor, null)
  })

  it('has a line for every change of a task, and none for what changes nothing', async () => {
    const id = await ended()
    await dropLines()
    await service.retry(ann, id)
    await service.cancel(ann, id)
    await service.purge(ann, id)
    await service.list(ann, {}, { limit: 1, cursor: null })
    await service.bulk(ann, 'delete', {}, { dryRun: true, cursor: null })
    await service.bulk(ann, 'delete', { kinds: ['none'] }, { dryRun: false, cursor: null })
    assert.deepEqual(await lines(), [
      `task.retry done ${id}`,
      `task.cancel done ${id}`,
      `task.delete done ${id}`,
    ])
  })

  it('has a line for each task of a list, and for an idempotent one only the first time', async () => {
    const both = [
      { kind: 'echo', params: 1 },
      { kind: 'echo', params: 2 },
    ]
    const made = await service.submitMany(ann, both, 'key')
    await service.submitMany(ann, both, 'key')
    const ids = made.map(({ task }) => task.id)
    assert.deepEqual((await lines()).sort(), ids.map(id => `task.submit done ${id}`).sort())
  })

  it('has one line for many tasks, with the filter and their number', async () => {
    await ended()
    await ended()
    await dropLines()
    await service.bulk(ann, 'delete', { kinds: ['echo'] }, { dryRun: false, cursor: null })
    assert.deepEqual(await lines(), ['tasks.delete done 2 of 2 {"kinds":["echo"]}'])
  })

  it('says which kinds were read again, where they were', async () => {
    const operator = person('otto', 'operator')
    await service.reloadKinds(operator)
    reloaded = { added: ['a'], changed: ['b', 'c'], removed: [] }
    await service.reloadKinds(operator)
    reloaded = null
    await refused(() => service.reloadKinds(operator), 'KINDS_NOT_LOADED')
    await refused(() => service.reloadKinds(ann), 'SCOPE_MISSING')
    const own = { ...operator, sees: 'own' as const }
    await refused(() => service.reloadKinds(own), 'FORBIDDEN')
    await refused(() => service.reloadKinds({ ...operator, kinds: ['echo'] }), 'FORBIDDEN')
    assert.deepEqual(await lines(), [
      'kinds.reload done null',
      'kinds.reload done added a; changed b, c',
      'kinds.reload SCOPE_MISSING null',
      'kinds.reload FORBIDDEN null',
      'kinds.reload FORBIDDEN null',
    ])
  })

  it('has the refusals of people, but not those of nobody, and not what is malformed', async () => {
    const { id } = await submit()
    await dropLines()
    const none = newTaskId()
    await refused(() => service.cancel(viewer, id), 'SCOPE_MISSING')
    await refused(() => service.submit(viewer, { kind: 'echo', params: 1 }), 'SCOPE_MISSING')
    await refused(() => service.purge(ann, none.toUpperCase()), 'TASK_NOT_FOUND')
    await refused(() => service.replayDead(admin, none), 'DEAD_NOT_FOUND')
    await refused(() => service.cancel(admin, SECRET), 'BAD_ID')
    await refused(() => service.submit(admin, { kind: SECRET }), 'KIND_UNKNOWN')
    await refused(() => service.cancel(anybody(), none), 'TASK_NOT_FOUND')
    assert.deepEqual(await lines(), [
      `task.cancel SCOPE_MISSING ${id}`,
      'task.submit SCOPE_MISSING echo',
      `task.delete TASK_NOT_FOUND ${none}`,
      `dead.replay DEAD_NOT_FOUND ${none}`,
    ])
    assert.equal(await store.audit.settle(), 0)
  })

  it('does nothing that the audit cannot take, and says why', async () => {
    const { id } = await submit()
    broken.begin = () => Promise.reject(new MadhavaError('STORE_FULL'))
    await refused(() => service.cancel(ann, id), 'STORE_FULL')
    assert.equal((await service.get(ann, id)).status, 'PENDING')
    assert.deepEqual(failures, [])
  })

  it('answers what was done, and tells the log, when its line cannot be written', async () => {
    const full = () => Promise.reject(new MadhavaError('STORE_FULL'))
    const { id } = await submit()
    Object.assign(broken, { end: full, add: full })
    assert.equal((await service.cancel(ann, id)).task.status, 'REVOKED')
    const made = await submit()
    assert.deepEqual(failures, [
      { action: 'task.cancel', target: id, outcome: 'done' },
      { action: 'task.submit', target: made.id, outcome: 'done' },
    ])
    // what was begun is not lost: the next process finds it
    store.die()
  })

  it('has a line for what a fault has cut off in the middle, whoever asked', async () => {
    const { id } = await submit()
    await dropLines()
    const cut = createAuditedService(
      { ...service, cancel: () => Promise.reject(new Error('a fault')) },
      createAuditRecorder({ trail: store.audit, clock, onFailed: () => {} }),
    )
    await assert.rejects(cut.cancel(anybody(), id), /a fault/)
    assert.deepEqual(await lines(), [`task.cancel INTERNAL ${id}`])
  })

  it('shows its lines to admins alone', async () => {
    await submit()
    const page = { limit: 10, cursor: null }
    assert.equal((await service.audit(admin, {}, page)).entries.length, 1)
    for (const who of [ann, viewer, person('olga', 'operator'), anybody()])
      await refused(() => service.audit(who, {}, page), 'SCOPE_MISSING', 'UNAUTHORIZED')
  })

  it('knows of every call of the service whether it changes something', () => {
    const reads = [
      ...[
        'get',
        'getToChange',
        'list',
        'why',
        'whyEach',
        'result',
        'artifact',
        'log',
        'logEntries',
        'dead',
        'kinds',
        'kindTroubles',
      ],
      ...['state', 'audit', 'wait', 'watchTask', 'watchAll', 'followAll', 'followLog', 'isLogOver'],
    ]
    // a task does it for itself: its record and the child's say so
    const inside = ['submitChild']
    const writes = [
      ...['submit', 'submitMany', 'cancel', 'retry', 'purge', 'bulk', 'edit', 'complete'],
      ...['replayDead', 'discardDead', 'reloadKinds'],
    ]
    assert.deepEqual(Object.keys(service).sort(), [...reads, ...inside, ...writes, 'uploads'].sort())
    const ofUploads = {
      reads: ['get', 'list', 'content', 'totals'],
      // what they change is no more than what `begin` has told
      continues: ['append', 'finish'],
      writes: ['take', 'begin', 'remove'],
    }
    assert.deepEqual(
      Object.keys(service.uploads)
        .filter(name => name !== 'flaws')
        .sort(),
      Object.values(ofUploads).flat().sort(),
    )
  })

  it('has a line of each upload and of its removal, with who did it', async () => {
    const { id } = await service.uploads.take(ann, {}, Readable.from([Buffer.from('a')]))
    await service.uploads.remove(ann, id)
    const { entries } = await store.audit.page({ target: id }, { limit: 10, cursor: null })
    assert.deepEqual(entries.map(({ action, actor, outcome }) => [action, actor?.account, outcome]).sort(), [
      ['upload.create', 'ann', 'done'],
      ['upload.delete', 'ann', 'done'],
    ])
  })
})
