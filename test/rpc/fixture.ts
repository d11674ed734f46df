// What the tests of the Thrift door share: a door on a service over the memory store, and clients that speak bytes.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import thrift from 'thrift'
import { z } from 'zod'
import madhava from '../../gen/js/Madhava.js'
import { defineKind, loadKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import type { Announcement } from '../../src/core/queue.ts'
import { createService, type Service } from '../../src/core/service.ts'
import type { HostSnapshot } from '../../src/platform/host.ts'
import { silentLog } from '../../src/platform/log.ts'
import type { Dialect } from '../../src/rpc/dialect.ts'
import type { RpcLimits } from '../../src/rpc/limits.ts'
import { createRpcServer, type RpcServer } from '../../src/rpc/server.ts'
import { createMemoryStore, type MemoryStore } from '../../src/stores/memory/open.ts'
import { createFakeAccess, type FakeAccess } from '../support/fake-access.ts'
import { manual } from '../support/manual-kind.ts'
import { createNotingQueue } from '../support/noting-queue.ts'

/** Long enough for a loaded machine, and less than the door's idle time, which would end a wait in vain. */
export const PATIENCE_MS = 30_000

/** Waits until the condition holds. */
export const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  const end = Date.now() + PATIENCE_MS
  while (!(await holds())) {
    if (Date.now() > end) assert.fail(`in vain: ${what}`)
    await pause(5)
  }
}

const calcpi = loadKind(
  'calcpi',
  defineKind({
    summary: 'Stands for the real kind: only its schema matters here',
    params: z.strictObject({ digits: z.int().min(0).max(100) }),
    result: z.string(),
    example: { digits: 3 },
    run: ({ digits }) => '3.1415926535'.slice(0, digits + 2),
  }),
  'calcpi.ts',
)

const echo = loadKind(
  'echo',
  defineKind({
    summary: 'Takes anything',
    params: z.json(),
    result: z.json(),
    example: 'hello',
    run: params => params,
  }),
  'echo.ts',
)

/** With sizes that do not fit 32 bits. */
export const machine: HostSnapshot = {
  sampledAt: '2026-01-31T12:00:00.000Z',
  name: 'machine',
  uptimeSeconds: 5.5,
  os: { platform: 'linux', name: null, kernel: '6', arch: 'x64' },
  cpu: { model: 'M', cores: 2, physicalCores: null, loadPercent: null, loadPercentPerCore: [10, 15.5] },
  loadAverages: [0.1, 0.2, 0.3],
  memory: { totalBytes: 2 ** 41, availableBytes: 2 ** 40, usedBytes: 2 ** 40, usedPercent: 50 },
  disks: [{ path: '/data', totalBytes: 2 ** 52 + 1, freeBytes: 2 ** 33, usedPercent: 1, data: true }],
  addresses: [{ interface: 'lo', address: '127.0.0.1', family: 'IPv4', internal: true }],
  container: {
    cgroup: 2,
    cpuCores: 1.5,
    cpusetCores: null,
    memoryLimitBytes: 2 ** 33,
    memoryUsedBytes: 7,
  },
}

export interface Bench {
  store: MemoryStore
  service: Service
  door: RpcServer
  /** Who may log in here; without `who`, nobody, and a stranger may do everything. */
  who: FakeAccess
  announced: Announcement[]
  /** Closes the door and the store. */
  close(): Promise<void>
}

export const openBench = async (
  limits: Partial<RpcLimits> = {},
  change: (service: Service) => Service = service => service,
  who: FakeAccess = createFakeAccess(),
): Promise<Bench> => {
  const store = createMemoryStore({ clock: () => new Date() })
  const { queue, announced } = createNotingQueue()
  const kinds = createKinds(
    [calcpi, echo, manual],
    [{ name: 'broken', file: 'broken.ts', reason: 'no luck' }],
  )
  const service = change(createService({ store, queue, kinds, clock: () => new Date() }))
  const door = await createRpcServer({
    service,
    access: who.access,
    machine: { snapshot: () => machine },
    clock: () => new Date(),
    version: '1.2.3',
    log: silentLog(),
    host: '127.0.0.1',
    port: 0,
    settingName: 'RPC_PORT',
    limits,
  })
  return {
    store,
    service,
    door,
    who,
    announced,
    async close() {
      await door.close()
      await store.close()
    },
  }
}

/** What a client has to know of a door. */
export type DoorAddress = Pick<RpcServer, 'address'>

/** The library's own client. */
export const openClient = (door: DoorAddress, dialect: Dialect = { protocol: 'binary', framed: false }) => {
  const connection = thrift.createConnection('127.0.0.1', door.address.port, {
    transport: dialect.framed ? thrift.TFramedTransport : thrift.TBufferedTransport,
    protocol: dialect.protocol === 'compact' ? thrift.TCompactProtocol : thrift.TBinaryProtocol,
  })
  connection.on('error', () => undefined)
  return { client: thrift.createClient(madhava, connection), close: () => connection.destroy() }
}

export interface RawClient {
  socket: Socket
  /** All that has come. */
  received: () => Buffer
  /** Resolves when the connection is over, however that came; fails when it goes on. */
  closed: () => Promise<void>
}

/** A client that sends what it likes. With `reading` false it takes nothing from the wire. */
export const openRaw = async (door: DoorAddress, reading = true): Promise<RawClient> => {
  const socket = connect(door.address.port, '127.0.0.1')
  const pieces: Buffer[] = []
  let over = false
  socket.once('close', () => {
    over = true
  })
  socket.on('error', () => undefined)
  if (reading) socket.on('data', piece => pieces.push(piece))
  else socket.pause()
  await new Promise<void>(resolve => {
    socket.once('connect', () => resolve())
    socket.once('close', () => resolve())
  })
  return {
    socket,
    received: () => Buffer.concat(pieces),
    closed: () => until('the connection is over', () => over),
  }
}

const i32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** Pieces of the binary protocol, written here by hand so that the tests do not trust the code under test. */
export const wire = {
  i32,
  string: (text: string): Buffer => Buffer.concat([i32(Buffer.byteLength(text)), Buffer.from(text)]),
  field: (type: number, id: number, value: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from([type, id >> 8, id & 0xff]), value]),
  header: (name: string, seqid: number, type = 1): Buffer =>
    Buffer.concat([Buffer.from([0x80, 0x01, 0x00, type]), wire.string(name), i32(seqid)]),
  /** A whole call; `fields` without the stop. */
  call: (name: string, seqid: number, ...fields: Uint8Array[]): Buffer =>
    Buffer.concat([wire.header(name, seqid), ...fields, Buffer.from([0])]),
} as const

export const STRING = 11
export const statusCall = (uuid: string, seqid = 1): Buffer =>
  wire.call('getTaskStatus', seqid, wire.field(STRING, 1, wire.string(uuid)))

/** Proves that the door serves: a call that every door answers, over a connection of its own. */
export const proveAlive = async (door: DoorAddress): Promise<void> => {
  const { client, close } = openClient(door)
  try {
    await assert.rejects(
      Promise.race([
        client.getTaskStatus('not-a-uuid'),
        pause(PATIENCE_MS, undefined, { ref: false }).then(() => assert.fail('the door does not answer')),
      ]),
      { name: 'BadTask', uuid: 'not-a-uuid', error_code: 400 },
    )
  } finally {
    close()
  }
}
