// GET /dead, replay and discard: what cannot be run is seen, with the reason, and nothing else is.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { waitingWithoutWorker } from '../../src/core/dead.ts'
import type { DeadMessage, DeadMessages } from '../../src/core/dead-messages.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { fail, start, takeOver } from '../../src/core/moves.ts'
import type { PresenceDetails } from '../../src/core/store.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { details } from '../suites/store/world.ts'
import { newTaskOf } from '../support/new-task.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

interface Page {
  tasks: { task: TaskRecord; reason: { code: string; message: string } }[]
  messages: DeadMessage[]
  messageCount: number | null
  trouble: string | null
  next: string | null
}

const worker = (kinds: string[]): PresenceDetails => details({ kinds })

const createMessages = (count: number) => {
  const kept = new Map<string, DeadMessage>()
  const replayed: string[] = []
  for (let n = 0; n < count; n += 1) {
    const id = randomUUID()
    const preview = `message ${n} \ufffd`
    kept.set(id, {
      id,
      reason: 'It is not JSON',
      deadAt: new Date(n).toISOString(),
      bytes: 9,
      contentType: null,
      preview,
    })
  }
  const dead: DeadMessages = {
    list: async limit => ({ messages: [...kept.values()].slice(0, limit), total: kept.size }),
    replay: async id => kept.delete(id) && replayed.push(id) > 0,
    discard: async id => kept.delete(id),
    count: async () => kept.size,
  }
  return { kept, replayed, dead }
}

describe('what cannot be run', () => {
  let door: Fixture
  let messages: ReturnType<typeof createMessages>
  beforeEach(() => {
    messages = createMessages(2)
    door = createFixture({ dead: messages.dead })
  })
  afterEach(() => door.close())

  let made = 0
  const ofKind = async (kind: string): Promise<string> => {
    const createdAt = new Date(Date.now() + made++).toISOString()
    return (await door.store.create(newTaskOf({ kind, createdAt }), null)).task.id
  }
  const failed = async (code: string): Promise<string> => {
    const id = await ofKind('echo')
    const at = new Date().toISOString()
    const task = await door.store.claim(id, start('w', at))
    await door.store.move(
      id,
      task?.claim ?? 0,
      fail({ code, message: `because of ${code}`, detail: null }, null, at),
    )
    return id
  }
  const list = async (query = ''): Promise<Page> => {
    const response = await door.app.request(`/dead${query}`)
    assert.equal(response.status, 200)
    return jsonOf<Page>(response)
  }
  const ask = async (method: string, path: string): Promise<[number, string | undefined]> => {
    const response = await door.app.request(path, { method })
    const body = response.status === 204 ? {} : await jsonOf<{ code?: string }>(response)
    return [response.status, body.code]
  }
  const dead = async () => (await list()).tasks.map(({ task, reason }) => [task.id, reason.code])

  it('lists tasks of kinds that no worker has, until one has it', async () => {
    await ofKind('echo')
    const id = await ofKind('gone')
    await door.store.announce({ role: 'worker', details: () => worker(['echo']) })
    assert.deepEqual(await dead(), [[id, 'KIND_UNKNOWN']])
    assert.match((await list()).tasks[0]?.reason.message ?? '', /gone/)
    assert.deepEqual(await ask('POST', `/dead/${id}/replay`), [409, 'TASK_NOT_ENDED'])
    const metrics = await (await door.app.request('/metrics')).text()
    assert.match(metrics, /^madhava_dead_tasks\{kind="gone"\} 1$/m)
    assert.match(metrics, /^madhava_dead_messages\{queue="listening"\} 2$/m)
    const status = await jsonOf<{ dead: unknown }>(await door.app.request('/'))
    assert.deepEqual(status.dead, { waiting: { gone: 1 }, messages: 2 })
    await door.store.announce({ role: 'worker', details: () => worker(['echo', 'gone']) })
    assert.deepEqual(await dead(), [])
    assert.deepEqual(await ask('DELETE', `/dead/${id}`), [404, 'DEAD_NOT_FOUND'])
    assert.equal((await door.store.get(id))?.status, 'PENDING')
  })

  it('says of tasks of a kind in trouble why it is, wherever that is known, until a worker can run it', async () => {
    const [mine, theirs] = [await ofKind('broken'), await ofKind('echo')]
    const trouble = { name: 'echo', file: 'echo.mjs', reason: 'no such module' }
    await door.store.announce({
      role: 'worker',
      details: () => ({ ...worker([]), kindsInTrouble: [trouble] }),
    })
    const found = (await list()).tasks.map(({ task, reason }) => [task.id, reason])
    const words = 'the task runs by itself when the file is mended and the worker was restarted'
    assert.deepEqual(Object.fromEntries(found), {
      [mine]: { code: 'KIND_IN_TROUBLE', message: `broken.mjs: no luck: ${words}` },
      [theirs]: { code: 'KIND_IN_TROUBLE', message: `echo.mjs: no such module: ${words}` },
    })
    await door.store.announce({ role: 'worker', details: () => worker(['echo', 'broken']) })
    assert.deepEqual(await dead(), [])
  })

  it('counts no kind as runnable for a worker that is dead', async () => {
    await ofKind('echo')
    const id = await ofKind('gone')
    await door.store.announce({ role: 'worker', details: () => worker(['echo']) })
    const [living] = await door.store.presences()
    assert.ok(living)
    const dying = { ...living, alive: false, details: worker(['gone']) }
    const counts = await door.store.counts()
    const kinds = createKinds([])
    assert.deepEqual(waitingWithoutWorker([dying, living], counts, kinds), { gone: 1 })
    assert.deepEqual(waitingWithoutWorker([{ ...dying, alive: true }, living], counts, kinds), {})
    assert.deepEqual(await dead(), [[id, 'KIND_UNKNOWN']])
  })

  it('holds no task for dead only because all workers are away', async () => {
    await ofKind('echo')
    const id = await ofKind('gone')
    assert.deepEqual(await dead(), [[id, 'KIND_UNKNOWN']])
    await door.store.announce({ role: 'worker', details: () => worker([]) })
    assert.equal((await dead()).length, 2)
  })

  it('removes a waiting one, all of it, and not one that a worker has just begun', async () => {
    const [id, begun] = [await ofKind('gone'), await ofKind('gone')]
    await door.run(begun)
    assert.deepEqual(await ask('DELETE', `/dead/${id}`), [204, undefined])
    assert.equal(await door.store.get(id), null)
    assert.deepEqual(await ask('DELETE', `/dead/${begun}`), [404, 'DEAD_NOT_FOUND'])
    assert.equal((await door.store.get(begun))?.status, 'STARTED')
  })

  it('lists those that ended because they could not be run, and not those at which their kind failed', async () => {
    const ids = [await failed('PARAMS_INVALID'), await failed('KIND_INVALID')]
    for (const code of ['KIND_FAILED', 'EXPIRED', 'TIME_LIMIT', 'OUT_OF_MEMORY']) await failed(code)
    const lost = await ofKind('echo')
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const task = await door.run(lost)
      await door.store.move(lost, task?.claim ?? 0, takeOver(new Date().toISOString()))
    }
    assert.deepEqual(
      (await dead()).sort(),
      [
        [ids[0], 'PARAMS_INVALID'],
        [ids[1], 'KIND_INVALID'],
        [lost, 'WORKER_LOST'],
      ].sort(),
    )
    const again = await door.app.request(`/dead/${ids[0]}/replay`, { method: 'POST' })
    assert.equal(again.status, 202)
    assert.equal(again.headers.get('location'), `/task/${ids[0]}`)
    assert.equal((await jsonOf<TaskRecord>(again)).status, 'PENDING')
    assert.ok(door.announced.some(({ id }) => id === ids[0]))
    assert.deepEqual(await ask('DELETE', `/dead/${ids[1]}`), [204, undefined])
    assert.equal(await door.store.get(ids[1] ?? ''), null)
    assert.deepEqual(await dead(), [[lost, 'WORKER_LOST']])
  })

  it('has pages, each of them once, the messages on the first', async () => {
    const waiting = []
    for (let n = 0; n < 7; n += 1) waiting.push(await ofKind('gone'))
    const ended = []
    for (let n = 0; n < 5; n += 1) {
      ended.push(await failed('PARAMS_INVALID'))
      for (let k = 0; k < 3; k += 1) await failed('KIND_FAILED')
    }
    const seen: string[] = []
    let next: string | null = null
    let pages = 0
    do {
      const page: Page = await list(`?limit=3${next === null ? '' : `&cursor=${encodeURIComponent(next)}`}`)
      assert.ok(page.tasks.length <= 3)
      assert.equal(page.messages.length, pages === 0 ? 2 : 0)
      assert.equal(page.messageCount, 2)
      seen.push(...page.tasks.map(({ task }) => task.id))
      next = page.next
      pages += 1
    } while (next !== null)
    assert.deepEqual(seen, [...waiting.reverse(), ...ended.reverse()])
    assert.deepEqual(await ask('GET', '/dead?cursor=nonsense'), [400, 'BAD_CURSOR'])
    assert.deepEqual(await ask('GET', '/dead?cursor=failed.nonsense'), [400, 'BAD_CURSOR'])
    assert.deepEqual(await ask('GET', '/dead?status=PENDING'), [400, 'BAD_REQUEST'])
  })

  it('replays and discards messages by their id', async () => {
    const [first = '', second = ''] = messages.kept.keys()
    assert.deepEqual(
      (await list()).messages.map(({ id, preview }) => [id, preview]),
      [
        [first, 'message 0 \ufffd'],
        [second, 'message 1 \ufffd'],
      ],
    )
    const replayed = await door.app.request(`/dead/${first.toUpperCase()}/replay`, { method: 'POST' })
    assert.equal(replayed.status, 202)
    assert.deepEqual(await replayed.json(), { message: first })
    assert.deepEqual(messages.replayed, [first])
    assert.deepEqual(await ask('DELETE', `/dead/${second}`), [204, undefined])
    assert.deepEqual(await ask('DELETE', `/dead/${second}`), [404, 'DEAD_NOT_FOUND'])
    assert.deepEqual(await ask('POST', `/dead/${second}/replay`), [404, 'DEAD_NOT_FOUND'])
    assert.deepEqual(await ask('DELETE', '/dead/..%2f..'), [400, 'BAD_ID'])
  })

  it('lists the tasks while the broker is away, and says so', async () => {
    const away = () => Promise.reject(new MadhavaError('QUEUE_UNAVAILABLE', 'The broker is away'))
    Object.assign(messages.dead, { list: away, replay: away, discard: away, count: async () => null })
    const id = await ofKind('gone')
    const page = await list()
    assert.deepEqual([page.tasks.length, page.messages, page.messageCount], [1, [], null])
    assert.equal(page.trouble, 'The broker is away')
    assert.deepEqual(await ask('DELETE', `/dead/${randomUUID()}`), [503, 'QUEUE_UNAVAILABLE'])
    assert.deepEqual(await ask('DELETE', `/dead/${id}`), [204, undefined])
  })

  it('is refused to pages of other web sites', async () => {
    const headers = { 'sec-fetch-site': 'cross-site' }
    const response = await door.app.request(`/dead/${randomUUID()}`, { method: 'DELETE', headers })
    assert.equal(response.status, 403)
  })
})
