// A TCP proxy between a client and a server of the tests, which does harm where it is told to: cuts, also after a
// certain byte, delays, stalls, garbles, refuses. It acts on bytes and calls, never by chance.
import { once } from 'node:events'
import { createServer, type Socket, connect as tcpConnect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSpots, type Direction, type Spot } from './byte-spots.ts'
import { freePort } from './free-port.ts'

export interface TcpProxy {
  readonly host: '127.0.0.1'
  readonly port: number
  /** Connections open now, and all that were ever accepted. */
  open(): number
  accepted(): number
  /** Bytes passed on so far. */
  passed(direction: Direction): number
  /** Ends every connection at once, both sides of it; what is under way in it is lost. New ones are served. */
  cut(): void
  /** Ends the connection that reaches the spot in this way, when the bytes before it are sent. Resolves then. */
  cutAt(spot: Spot): Promise<void>
  /** Inverts all bits of `bytes` bytes from the spot on. Resolves when the last of them is sent. */
  garbleAt(spot: Spot & { bytes: number }): Promise<void>
  /** Holds everything back, in connections to come too; nothing is lost. */
  stall(direction?: Direction): void
  resume(): void
  /** Each piece is passed on so many milliseconds later than it came, in order. */
  delay(ms: number): void
  /** Ends every connection, and the port refuses new ones, as with no server there. */
  refuse(): Promise<void>
  /** Takes connections again, on the same port. */
  accept(): Promise<void>
  /** Ends every connection and frees the port. Idempotent. */
  close(): Promise<void>
}

const DIRECTIONS = ['up', 'down'] as const
/** Pieces held back in one direction of a connection, before its sender is made to wait. */
const HELD = 64

interface Pair {
  client: Socket
  server: Socket
}

interface Gate {
  opened: Promise<void>
  open: () => void
}

const createGate = (): Gate => {
  let open: () => void = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { opened, open }
}

const send = (to: Socket, bytes: Buffer): Promise<void> =>
  new Promise((resolve, reject) => to.write(bytes, error => (error ? reject(error) : resolve())))

/** What a socket reads, each piece with the time it came; ends with the socket. It makes its sender wait when full. */
async function* piecesOf(from: Socket): AsyncGenerator<{ piece: Buffer; at: number }> {
  const held: { piece: Buffer; at: number }[] = []
  let over = false
  let wake: () => void = () => {}
  from.on('data', (piece: Buffer) => {
    held.push({ piece, at: performance.now() })
    if (held.length >= HELD) from.pause()
    wake()
  })
  for (const event of ['end', 'close'])
    from.on(event, () => {
      over = true
      wake()
    })
  for (;;) {
    const next = held.shift()
    if (next) {
      if (held.length === 0) from.resume()
      yield next
    } else if (over) return
    else
      await new Promise<void>(resolve => {
        wake = resolve
      })
  }
}

/** Listens on a free port of its own and passes everything on to `target`, until it is told to do harm. */
export const startTcpProxy = async (target: { host?: string; port: number }): Promise<TcpProxy> => {
  const pairs = new Set<Pair>()
  const spots = createSpots()
  const passed = { up: 0, down: 0 }
  const gates: Record<Direction, Gate | null> = { up: null, down: null }
  let accepted = 0
  let delayMs = 0
  let refusing = false

  const end = (pair: Pair): void => {
    if (!pairs.delete(pair)) return
    // A socket that is still connecting has nothing to reset. One that is just saying its last word cannot be reset:
    // Node (seen in 20.20) would lose its handle then, and wait for it without end when the process ends.
    for (const socket of [pair.client, pair.server])
      if (socket.connecting || socket.writableEnded) socket.destroy()
      else socket.resetAndDestroy()
  }

  /** One direction of one connection, to its end. */
  const carry = async (pair: Pair, direction: Direction): Promise<void> => {
    const [from, to] = direction === 'up' ? [pair.client, pair.server] : [pair.server, pair.client]
    for await (const { piece, at } of piecesOf(from)) {
      // a timer counts in whole milliseconds, cut off, and may ring one early
      for (let early = at + delayMs - performance.now(); early > 0; early = at + delayMs - performance.now())
        await sleep(Math.ceil(early))
      for (let gate = gates[direction]; gate; gate = gates[direction]) await gate.opened
      if (!pairs.has(pair)) return
      const harmed = spots.harm(direction, from, piece)
      if (harmed.bytes.length > 0) await send(to, harmed.bytes)
      passed[direction] += harmed.bytes.length
      if (harmed.cut) end(pair)
      harmed.settle()
      if (harmed.cut) return
    }
    to.end()
  }

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, client => {
    accepted += 1
    const server = tcpConnect({
      host: target.host ?? '127.0.0.1',
      port: target.port,
      allowHalfOpen: true,
      noDelay: true,
    })
    const pair = { client, server }
    pairs.add(pair)
    // whatever ends one side in a bad way ends the other in the same
    for (const socket of [client, server]) socket.on('error', () => end(pair))
    for (const direction of DIRECTIONS) carry(pair, direction).catch(() => end(pair))
    // not when both have said their last: what a peer never reads would keep the listener from closing
    const closed = [client, server].map(socket => new Promise(resolve => socket.once('close', resolve)))
    void Promise.all(closed).then(() => pairs.delete(pair))
  })
  const port = await freePort()
  listener.listen(port, '127.0.0.1')
  await once(listener, 'listening')

  const cut = (): void => {
    for (const pair of [...pairs]) end(pair)
  }
  const resume = (): void => {
    for (const direction of DIRECTIONS) {
      gates[direction]?.open()
      gates[direction] = null
    }
  }
  const refuse = async (): Promise<void> => {
    if (refusing) return
    refusing = true
    const closed = once(listener, 'close')
    listener.close()
    cut()
    await closed
  }

  return {
    host: '127.0.0.1',
    port,
    open: () => pairs.size,
    accepted: () => accepted,
    passed: direction => passed[direction],
    cut,
    cutAt: spot => spots.add(spot, 0),
    garbleAt: ({ bytes, ...spot }) => spots.add(spot, bytes),
    stall(direction) {
      for (const each of direction ? [direction] : DIRECTIONS) gates[each] ??= createGate()
    },
    resume,
    delay(ms) {
      delayMs = ms
    },
    refuse,
    async accept() {
      if (!refusing) return
      refusing = false
      listener.listen(port, '127.0.0.1')
      await once(listener, 'listening')
    },
    async close() {
      await refuse()
      resume()
    },
  }
}
