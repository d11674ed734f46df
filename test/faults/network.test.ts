// The network between Madhava and the broker: refused, cut in the middle of a frame, garbled, stalled, slow.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Direction } from '../support/byte-spots.ts'
import { type Rabbit, startRabbit } from '../support/rabbitmq.ts'
import { requireService } from '../support/services.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { openWorld, type World } from './cluster.ts'

const skip = requireService('rabbitmq')
const LIMIT = { skip, timeout: 600_000 }
const LONG = process.env.FAULTS_LONG === '1'
/** How long nobody listens on the broker's port. The pauses between tries reach their longest after 13 s, in the long test. */
const REFUSED_MS = LONG ? 240_000 : 4_000
/** Of each connection in that time; the pauses double, from a tenth of a second. */
const TRIES = LONG ? 6 : 4

/** What begins these methods on the wire, by class and method of AMQP 0-9-1. */
const FRAMES = {
  'a publish': { direction: 'up', pattern: Buffer.from([0, 60, 0, 40]) },
  'an acknowledgement': { direction: 'up', pattern: Buffer.from([0, 60, 0, 80]) },
  'a confirm': { direction: 'down', pattern: Buffer.from([0, 60, 0, 80]) },
  'a delivery': { direction: 'down', pattern: Buffer.from([0, 60, 0, 60]) },
} as const satisfies Record<string, { direction: Direction; pattern: Buffer }>
/** Bytes of such a frame that still come through. */
const OFFSETS = LONG ? Array.from({ length: 24 }, (_, n) => n) : [11]

describe('a network that fails', { timeout: 1_800_000 }, () => {
  let rabbit: Rabbit
  let proxy: TcpProxy
  let world: World
  before(async () => {
    if (skip) return
    rabbit = await startRabbit()
    proxy = await startTcpProxy({ port: rabbit.port })
    const amqpUrl = rabbit.url.replace(`:${rabbit.port}`, `:${proxy.port}`)
    world = await openWorld({ amqpUrl: `${amqpUrl}?heartbeat=1`, brokerUrl: rabbit.url })
    await world.mended()
  })
  after(async () => {
    await world?.close()
    await proxy?.close()
    await rabbit?.remove()
  })

  for (const [name, spot] of Object.entries(FRAMES))
    it(`cut in the middle of ${name}`, LIMIT, async () => {
      for (const after of OFFSETS) {
        const cut = proxy.cutAt({ ...spot, after })
        const stop = world.load(20)
        await cut
        await stop()
        await world.mended()
      }
    })

  for (const direction of ['up', 'down'] as const)
    it(`garbles bytes on the way ${direction}`, LIMIT, async () => {
      for (const after of LONG ? [0, 1, 2, 3, 5, 7, 8, 13, 40, 100, 500] : [1]) {
        const garbled = proxy.garbleAt({ direction, after, bytes: 2 })
        const stop = world.load(20)
        await garbled
        await stop()
        await world.mended()
      }
    })

  for (const direction of ['up', 'down'] as const)
    it(`lets nothing pass on the way ${direction}, and closes nothing`, LIMIT, async () => {
      proxy.stall(direction)
      const stop = world.load()
      await world.degraded('queue', /\w/)
      const during = await world.submit()
      await until('a task runs meanwhile', async () => (await world.get(during)).status === 'SUCCESS')
      await stop()
      proxy.resume()
      await world.mended()
    })

  it('is slow: everything runs, and no connection is given up', LIMIT, async () => {
    const before = proxy.accepted()
    proxy.delay(200)
    const stop = world.load(20)
    await sleep(3_000)
    await stop()
    await world.allDone()
    proxy.delay(0)
    await world.mended()
    assert.equal(proxy.accepted(), before)
  })

  it(
    `is refused for ${REFUSED_MS / 1000} s: tries are rare, and the first one that can succeeds`,
    LIMIT,
    async () => {
      const from = world.lines.length
      await proxy.refuse()
      const stop = world.load(200)
      await world.degraded('queue', /ECONNREFUSED.*does the broker run/)
      await sleep(REFUSED_MS)
      const during = await world.submit()
      await until('a task runs meanwhile', async () => (await world.get(during)).status === 'SUCCESS')
      const said = world.lines.slice(from)
      for (const link of ['madhava-publish', 'madhava-consume']) {
        const tries = said.filter(
          line => line.link === link && /broker is (?:still )?away/.test(line.message),
        )
        // seven until the pause is at its longest, then one in 5 s at most, of each of three or two connections
        const most = 3 * (8 + REFUSED_MS / 5_000)
        assert.ok(tries.length >= TRIES && tries.length <= most, `${tries.length} tries of ${link}`)
        const loud = tries.filter(({ message }) => !/still/.test(message))
        assert.ok(loud.length <= 6, `the same trouble was told ${loud.length} times`)
      }
      await proxy.accept()
      const back = performance.now()
      await until(
        'it is connected',
        async () => (await world.ready()).checks.queue?.status === 'ok',
        // the longest pause, and what a slow machine takes for a handshake
        30_000,
      )
      const tookMs = performance.now() - back
      assert.ok(tookMs < 20_000, `${tookMs} ms`)
      await stop()
      await world.mended()
    },
  )
})
