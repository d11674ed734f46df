// A call has exactly one answer, whatever its method does, and the answer gives nothing away.
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import celery from '../../gen/js/RPCcelery.js'
import types from '../../gen/js/rpcinterface_types.js'
import { MadhavaError } from '../../src/core/errors.ts'
import { type Log, silentLog } from '../../src/platform/log.ts'
import { openServer, type RpcServer } from '../../src/rpc/server.ts'
import { createFakeAccess } from '../support/fake-access.ts'
import { openClient } from './fixture.ts'

const toClose: (() => unknown)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})

type Run = (...args: never[]) => Promise<unknown>
const serve = async (
  methods: Record<string, Run>,
  callMs = 60_000,
  declares = false,
  log: Log = silentLog(),
): Promise<RpcServer> => {
  const arity: Record<string, number> = { startCalcPi: 1, getTaskStatus: 1, listTasks: 0 }
  const door = await openServer({
    processor: celery.Processor,
    methods: new Map(
      Object.entries(methods).map(([name, run]) => [
        name,
        {
          arity: arity[name] ?? 0,
          run: args => run(...(args as never[])),
          declared: error => (declares && error instanceof types.BadTask ? error : null),
        },
      ]),
    ),
    access: createFakeAccess().access,
    log,
    host: '127.0.0.1',
    port: 0,
    settingName: 'RPC_PORT',
    limits: { callMs },
  })
  toClose.push(() => door.close())
  return door
}
const clientOf = (door: RpcServer) => {
  const { client, close } = openClient(door)
  toClose.push(close)
  return client
}

const exception = (type: number, message: RegExp) => ({ name: 'TApplicationException', type, message })

test('a method with default or rest parameters, or too many, is answered all the same', async () => {
  const door = await serve({
    startCalcPi: async (digits = 5) => `default ${digits}`,
    getTaskStatus: async (...args) =>
      new types.calcResult({ id: String(args.length), status: 's', pushqtime: 't' }),
    listTasks: async (_a, _b, _c) => [],
  })
  const client = clientOf(door)
  assert.equal(await client.startCalcPi(2), 'default 2')
  assert.equal((await client.getTaskStatus('x')).id, '1')
  assert.deepEqual(await client.listTasks(), [])
})

test('a method that throws at once, throws later, or throws what is no error is answered INTERNAL', async () => {
  const door = await serve({
    startCalcPi: () => {
      throw new Error('/etc/secret at line 1')
    },
    getTaskStatus: async () => {
      await Promise.resolve()
      throw Object.create(null)
    },
    listTasks: () => Promise.reject(undefined),
  })
  const client = clientOf(door)
  const internal = exception(6, /^INTERNAL: Something went wrong inside the server$/)
  await assert.rejects(client.startCalcPi(1), internal)
  await assert.rejects(client.getTaskStatus('x'), internal)
  await assert.rejects(client.listTasks(), internal)
})

test('a result that cannot be written is answered INTERNAL, and the connection goes on', async () => {
  let good = false
  const door = await serve({
    getTaskStatus: async () =>
      good
        ? new types.calcResult({ id: 'i', status: 's', pushqtime: 't' })
        : Object.assign(new types.calcResult({ id: 'i', status: 's', pushqtime: 't' }), { status: 5 }),
    startCalcPi: async () => ({ no: 'string' }),
  })
  const client = clientOf(door)
  await assert.rejects(client.getTaskStatus('x'), exception(6, /^INTERNAL: /))
  await assert.rejects(client.startCalcPi(1), exception(6, /^INTERNAL: /))
  good = true
  assert.equal((await client.getTaskStatus('x')).id, 'i')
})

test('a declared exception reaches the client; where it is not declared, it is INTERNAL', async () => {
  const bad = async (): Promise<never> => {
    throw new types.BadTask({ uuid: 'u', error_code: 404 })
  }
  const declared = clientOf(await serve({ getTaskStatus: bad }, 60_000, true))
  await assert.rejects(declared.getTaskStatus('u'), { name: 'BadTask', uuid: 'u', error_code: 404 })
  const undeclared = clientOf(await serve({ getTaskStatus: bad, listTasks: bad }))
  await assert.rejects(undeclared.getTaskStatus('u'), exception(6, /^INTERNAL: /))
  await assert.rejects(undeclared.listTasks(), exception(6, /^INTERNAL: /))
})

test('a method that never ends is answered when its time is over, and its late end harms nothing', async () => {
  let end = (_value: string): void => undefined
  const door = await serve(
    { startCalcPi: () => new Promise(resolve => (end = resolve)), listTasks: async () => [] },
    50,
  )
  const client = clientOf(door)
  await assert.rejects(client.startCalcPi(1), exception(6, /^STORE_UNAVAILABLE: There was no answer in time/))
  end('late')
  assert.deepEqual(await client.listTasks(), [])
})

test('a call that failed is over, and its timeout never fires', async () => {
  const errors: unknown[] = []
  const log = Object.assign(silentLog(), { error: (fields: unknown) => errors.push(fields) })
  const refuse = async (): Promise<never> => {
    throw new MadhavaError('BAD_REQUEST')
  }
  const door = await serve({ startCalcPi: refuse, listTasks: () => new Promise(() => {}) }, 50, true, log)
  const client = clientOf(door)
  await assert.rejects(client.startCalcPi(1))
  // one that began later is over, so the time of the first has passed too
  await assert.rejects(client.listTasks(), exception(6, /^STORE_UNAVAILABLE: There was no answer in time/))
  assert.equal(errors.length, 1, 'only the second is noted')
})

test('our own errors keep their code and text, cut to a bounded length', async () => {
  const door = await serve({
    startCalcPi: async () => {
      throw new MadhavaError('KIND_UNKNOWN', 'é'.repeat(100_000))
    },
  })
  await assert.rejects(clientOf(door).startCalcPi(1), (error: Error) => {
    assert.match(error.message, /^KIND_UNKNOWN: é+$/)
    assert.ok(error.message.length <= 1000)
    return true
  })
})

test('an unknown method is answered UNKNOWN_METHOD, whatever its name', async () => {
  const door = await serve({ listTasks: async () => [] })
  const client = clientOf(door)
  await assert.rejects(client.startCalcPi(1), exception(1, /^NOT_FOUND: There is no method "startCalcPi"$/))
  assert.deepEqual(await client.listTasks(), [])
})
