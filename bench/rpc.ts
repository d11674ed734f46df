// How many calls a second the Thrift door answers: an empty call beside the library's own bare server, and submit and
// get beside REST, in turns, in one run.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median, spread, table } from './figures.ts'
import { startPeer } from './peer.ts'
import { takePlace } from './place.ts'
import { framedReply, httpReply, openLine, type ReplyLength, rate, replyOf } from './rpc-load.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '3' },
  },
})
const rounds = Number(options.rounds)
const seconds = Number(options.seconds)
const CONNECTIONS = [1, 32]

const i32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const text = (value: string): Buffer => Buffer.concat([i32(Buffer.byteLength(value)), Buffer.from(value)])
const field = (type: number, id: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, 0, id]), value])
const call = (name: string, ...fields: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([0x80, 1, 0, 1]), text(name), i32(1), ...fields, Buffer.from([0])])
const framed = (bytes: Buffer): Buffer => Buffer.concat([i32(bytes.length), bytes])

execFileSync(process.execPath, [fileURLToPath(new URL('../bin/build.mjs', import.meta.url))])
const place = takePlace(options.dir)
console.log(place.machine)
const sides = {
  bare: await startPeer<null, number>('rpc-side.ts', 'bare', place.dir),
  rpc: await startPeer<null, number>('rpc-side.ts', 'rpc', place.dir),
  api: await startPeer<null, number>('rpc-side.ts', 'api', place.dir),
}
const ports = {
  bare: await sides.bare.ask(null),
  rpc: await sides.rpc.ask(null),
  api: await sides.api.ask(null),
}

interface Way {
  port: number
  reply: ReplyLength
  next: () => Buffer
  check: (reply: Buffer) => void
}

const TYPE_AT = 3
const REPLY = 2
/** An exception of Thrift is a message of another type; a declared one is no success. */
const isReply =
  (at: number) =>
  (bytes: Buffer): void =>
    assert.equal(bytes[at], REPLY, bytes.toString('latin1'))

const ping = call('ping')
const PING_REPLY = ping.length
const pingOf = (port: number): Way => ({
  port,
  reply: replyOf(PING_REPLY),
  next: () => ping,
  check: isReply(TYPE_AT),
})

const submit = framed(call('submitTask', field(11, 1, text('sleep')), field(11, 2, text('{"seconds":1}'))))
const idOf = (bytes: Buffer): string => {
  const id = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(bytes.toString('latin1'))?.[0]
  assert.ok(id, bytes.toString('latin1'))
  return id
}
const overThrift = (next: () => Buffer): Way => ({
  port: ports.rpc,
  reply: framedReply,
  next,
  check: reply => {
    isReply(4 + TYPE_AT)(reply)
    idOf(reply)
  },
})
const overHttp = (status: number, next: () => Buffer): Way => ({
  port: ports.api,
  reply: httpReply,
  next,
  check: reply => {
    assert.equal(reply.toString('latin1', 9, 12), String(status), reply.toString('latin1'))
    idOf(reply)
  },
})
const body = JSON.stringify({ kind: 'sleep', params: { seconds: 1 } })
const post = Buffer.from(
  `POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
)

const measure = async ({ port, reply, next, check }: Way, connections: number, lasting: number) => {
  const lines = await Promise.all(Array.from({ length: connections }, () => openLine(port, reply)))
  try {
    return await rate(lines, next, check, lasting)
  } finally {
    for (const line of lines) line.close()
  }
}

const rows = [['calls/s, min / median / max', 'beside', 'Thrift door', 'ratio of each pair']]
const compare = async (title: string, beside: Way, ours: Way, connections: number): Promise<void> => {
  const rates: { beside: number; ours: number }[] = []
  // the first pair warms both up
  for (let round = -1; round < rounds; round += 1) {
    const pair = { beside: 0, ours: 0 }
    const turns = [
      async () => {
        pair.beside = await measure(beside, connections, seconds)
      },
      async () => {
        pair.ours = await measure(ours, connections, seconds)
      },
    ]
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn()
    if (round >= 0) rates.push(pair)
  }
  rows.push([
    title,
    spread(rates.map(pair => pair.beside)),
    spread(rates.map(pair => pair.ours)),
    spread(rates.map(pair => pair.ours / pair.beside)),
  ])
  console.log(`${title}: ${median(rates.map(pair => pair.ours / pair.beside)).toFixed(2)}`)
}

const connectionsText = (count: number): string => `${count} connection${count === 1 ? '' : 's'}`
for (const count of CONNECTIONS)
  await compare(
    `ping, ${connectionsText(count)}, beside the library's bare server`,
    pingOf(ports.bare),
    pingOf(ports.rpc),
    count,
  )

const line = await openLine(ports.rpc, framedReply)
const id = idOf(await line.call(submit))
line.close()
const get = framed(call('getTask', field(11, 1, text(id))))
const httpGet = Buffer.from(`GET /task/${id} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
for (const count of CONNECTIONS) {
  await compare(
    `submit, ${connectionsText(count)}, beside REST`,
    overHttp(202, () => post),
    overThrift(() => submit),
    count,
  )
  await compare(
    `get, ${connectionsText(count)}, beside REST`,
    overHttp(200, () => httpGet),
    overThrift(() => get),
    count,
  )
}
console.log(`\n${table(rows)}`)
for (const side of Object.values(sides)) await side.close()
