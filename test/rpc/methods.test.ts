// The three original methods, through the library's own client.
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { BLOBS } from '../../src/core/content.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { fail, report, start, succeed } from '../../src/core/moves.ts'
import { type Json, newTaskId } from '../../src/core/task.ts'
import { type Bench, openBench, openClient } from './fixture.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const now = () => new Date().toISOString()

let bench: Bench
let rpc: ReturnType<typeof openClient>
before(async () => {
  bench = await openBench()
  rpc = openClient(bench.door)
})
after(async () => {
  rpc.close()
  await bench.close()
})

const begun = async (): Promise<{ id: string; claim: number }> => {
  const id = await rpc.client.startCalcPi(3)
  const task = await bench.store.claim(id, start('w1', now()))
  assert.ok(task)
  return { id, claim: task.claim }
}

const ended = async (result: Json): Promise<string> => {
  const { id, claim } = await begun()
  await bench.store.move(id, claim, succeed(result, null, now()))
  return id
}

test('startCalcPi answers the id of a task that exists, waits, and was announced', async () => {
  const id = await rpc.client.startCalcPi(7)
  assert.match(id, UUID)
  const task = await bench.store.get(id)
  assert.equal(task?.kind, 'calcpi')
  assert.deepEqual(task?.params, { digits: 7 })
  assert.equal(task?.status, 'PENDING')
  assert.ok(bench.announced.some(announcement => announcement.id === id))
})

test('startCalcPi refuses a negative number, and what the kind refuses, with the code and the reason', async () => {
  for (const decimal of [-1, -128, 101, 127])
    await assert.rejects(rpc.client.startCalcPi(decimal), (error: Error) => {
      assert.equal(error.name, 'TApplicationException')
      assert.match(error.message, /^PARAMS_INVALID: .*digits/)
      return true
    })
})

test('a waiting task has its id, status and time of acceptance, and nothing else set', async () => {
  const id = await rpc.client.startCalcPi(3)
  const shown = await rpc.client.getTaskStatus(id)
  assert.equal(shown.id, id)
  assert.equal(shown.status, 'PENDING')
  assert.match(shown.pushqtime, ISO)
  assert.deepEqual([shown.starttime, shown.stoptime, shown.result], [null, null, null])
})

test('a running task shows its start and its partial result, an ended one its end and its result', async () => {
  const { id, claim } = await begun()
  const started = await rpc.client.getTaskStatus(id)
  assert.equal(started.status, 'STARTED')
  assert.match(started.starttime ?? '', ISO)
  assert.equal(started.stoptime, null)

  await bench.store.move(id, claim, report({ percent: 50, note: null, etaSeconds: null }, '3.1', now()))
  const half = await rpc.client.getTaskStatus(id)
  assert.equal(half.status, 'PROGRESS')
  assert.equal(half.result, 3.1)

  await bench.store.move(id, claim, succeed('3.125', null, now()))
  const done = await rpc.client.getTaskStatus(id)
  assert.equal(done.status, 'SUCCESS')
  assert.equal(done.result, 3.125)
  assert.match(done.stoptime ?? '', ISO)
})

test('a result that is no number is unset, and a failure shows no result', async () => {
  assert.equal((await rpc.client.getTaskStatus(await ended({ a: 1 }))).result, null)
  assert.equal((await rpc.client.getTaskStatus(await ended(-0.25))).result, -0.25)
  const { id, claim } = await begun()
  await bench.store.move(id, claim, report({ percent: 50, note: null, etaSeconds: null }, 3, now()))
  const error = { code: 'KIND_FAILED', message: 'no', detail: null }
  await bench.store.move(id, claim, fail(error, null, now()))
  const failed = await rpc.client.getTaskStatus(id)
  assert.equal(failed.status, 'FAILURE')
  assert.equal(failed.result, null)
})

test('a result kept beside the record gives its number too', async () => {
  const { id, claim } = await begun()
  const text = `2.25${'0'.repeat(50_000)}1`
  await bench.store.putBlob(id, BLOBS.textResult, Buffer.from(text))
  await bench.store.move(id, claim, succeed(null, text.length, now()))
  assert.equal((await rpc.client.getTaskStatus(id)).result, 2.25)
  await bench.store.removeBlob(id, BLOBS.textResult)
  const without = await rpc.client.getTaskStatus(id)
  assert.equal(without.status, 'SUCCESS')
  assert.equal(without.result, null)
})

test('the id is taken in capitals as well', async () => {
  const id = await rpc.client.startCalcPi(3)
  assert.equal((await rpc.client.getTaskStatus(id.toUpperCase())).id, id)
})

test('an unknown task is a BadTask 404, a malformed id a BadTask 400 with its first 64 characters', async () => {
  const id = newTaskId()
  await assert.rejects(rpc.client.getTaskStatus(id), { name: 'BadTask', uuid: id, error_code: 404 })
  for (const bad of ['', 'x', '../../etc/passwd', 'a\0b', `${id}x`, 'é'.repeat(64)])
    await assert.rejects(rpc.client.getTaskStatus(bad), { name: 'BadTask', uuid: bad, error_code: 400 })
  const long = 'y'.repeat(500_000)
  await assert.rejects(rpc.client.getTaskStatus(long), {
    name: 'BadTask',
    uuid: 'y'.repeat(64),
    error_code: 400,
  })
})

test('listTasks answers every task once, newest first, over many pages', async () => {
  const small = await openBench()
  const { client, close } = openClient(small.door)
  try {
    assert.deepEqual(await client.listTasks(), [])
    const ids: string[] = []
    for (let i = 0; i < 1100; i += 1) ids.push(await client.startCalcPi(i % 100))
    assert.deepEqual(
      (await client.listTasks()).map(task => task.id),
      ids.reverse(),
    )
  } finally {
    close()
    await small.close()
  }
})

test('listTasks answers the newest ones, up to its limit', async () => {
  const small = await openBench({ listedTasks: 550 })
  const { client, close } = openClient(small.door)
  try {
    const ids: string[] = []
    for (let i = 0; i < 600; i += 1) ids.push(await client.startCalcPi(1))
    assert.deepEqual(
      (await client.listTasks()).map(task => task.id),
      ids.reverse().slice(0, 550),
    )
  } finally {
    close()
    await small.close()
  }
})

test('calls that are sent at once on one connection are answered in their order', async () => {
  const order: number[] = []
  await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      if (i % 2 === 0) await rpc.client.startCalcPi(1)
      else await rpc.client.listTasks()
      order.push(i)
    }),
  )
  assert.deepEqual(
    order,
    Array.from({ length: 60 }, (_, i) => i),
  )
})

let broken: Bench | null = null
afterEach(async () => {
  await broken?.close()
  broken = null
})

test('a store that cannot be read is an exception with our code, and no word of the cause', async () => {
  const cause = new Error('ENOENT: /secret/path/tasks')
  const away = new MadhavaError('STORE_UNAVAILABLE', undefined, { cause })
  broken = await openBench({}, service => ({
    ...service,
    get: () => Promise.reject(away),
    list: () => Promise.reject(cause),
    submit: () => {
      throw new TypeError("Cannot read properties of undefined (reading 'secret')")
    },
  }))
  const { client, close } = openClient(broken.door)
  try {
    const expected: [Promise<unknown>, RegExp][] = [
      [client.getTaskStatus(newTaskId()), /^STORE_UNAVAILABLE: The store cannot be read or written$/],
      [client.listTasks(), /^INTERNAL: Something went wrong inside the server$/],
      [client.startCalcPi(3), /^INTERNAL: Something went wrong inside the server$/],
    ]
    for (const [call, message] of expected)
      await assert.rejects(call, { name: 'TApplicationException', type: 6, message })
  } finally {
    close()
  }
})

test('the statuses of a BadTask are for mistakes of the client: a fault of the store is none', async () => {
  const faults = {
    INTERNAL: /^INTERNAL: /,
    STORE_FULL: /^STORE_FULL: /,
    STORE_UNAVAILABLE: /^STORE_UNAVAILABLE: /,
  } as const
  for (const [code, message] of Object.entries(faults)) {
    const bench = await openBench({}, service => ({
      ...service,
      get: () => Promise.reject(new MadhavaError(code as keyof typeof faults)),
    }))
    const { client, close } = openClient(bench.door)
    try {
      await assert.rejects(client.getTaskStatus(newTaskId()), { name: 'TApplicationException', message })
    } finally {
      close()
      await bench.close()
    }
  }
})
