// The whole over a real RabbitMQ that is killed, loses its data and comes back.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TaskRecord } from '../../src/core/task.ts'
import { type Bundle, makeDataDir, startBundle } from '../support/bundle.ts'
import { type Rabbit, startRabbit } from '../support/rabbitmq.ts'
import { requireService } from '../support/services.ts'
import { until } from '../support/until.ts'

const skip = requireService('rabbitmq')
const LONG = { timeout: 420_000, skip }
/** E2E_LONG=1: more of each. The broker goes with the second kill. */
const [TASKS, KILLS] = process.env.E2E_LONG === '1' ? [200, 3] : [60, 2]
const isFinal = (task: TaskRecord): boolean => ['SUCCESS', 'FAILURE', 'REVOKED'].includes(task.status)
const ended = async (bundle: Bundle): Promise<number> => (await bundle.all()).filter(isFinal).length

interface Ready {
  ok: boolean
  checks: { queue: { status: string; reason?: string } }
}
const ready = async (bundle: Bundle): Promise<Ready> =>
  (await fetch(`${bundle.api}/readyz`)).json() as Promise<Ready>

describe('the bundle over RabbitMQ', { timeout: 420_000 }, () => {
  const { dataDir, remove } = makeDataDir()
  let rabbit: Rabbit
  let bundle: Bundle
  before(async () => {
    if (skip) return
    rabbit = await startRabbit()
    bundle = await startBundle(dataDir, { AMQP_URL: rabbit.url, CONCURRENCY: '4' })
  })
  after(async () => {
    await bundle?.kill()
    await rabbit?.remove()
    remove()
  })

  it('announces through a durable quorum queue', LONG, async () => {
    await until('the queue is there', async () =>
      (await rabbit.ctl('list_queues', '-q', 'name', 'durable', 'type')).includes('madhava'),
    )
    assert.match(await rabbit.ctl('list_queues', '-q', 'name', 'durable', 'type'), /madhava\s+true\s+quorum/)
    const { id } = await bundle.submit({ kind: 'calcpi', params: { digits: 100 } })
    await until('it ends', async () => isFinal(await bundle.get(id)))
    assert.equal((await bundle.get(id)).status, 'SUCCESS')
  })

  it(
    'accepts a submit with the broker away, says so, and runs it when the broker is back',
    LONG,
    async () => {
      await rabbit.kill()
      await until('readiness knows', async () => (await ready(bundle)).checks.queue.status === 'degraded')
      const answer = await ready(bundle)
      assert.equal(answer.ok, true, 'a broker that is away makes it degraded, not unready')
      assert.match(answer.checks.queue.reason ?? '', /\w/)
      assert.doesNotMatch(JSON.stringify(answer), /guest:guest/)
      const { id, status } = await bundle.submit({ kind: 'calcpi', params: { digits: 10 } })
      assert.equal(status, 'PENDING')
      await rabbit.start()
      await until('it ends', async () => isFinal(await bundle.get(id)), 60_000)
      assert.equal((await bundle.get(id)).status, 'SUCCESS')
    },
  )

  it(
    `ends ${TASKS} tasks in SUCCESS, each once, through ${KILLS} kills of the worker and the loss of the broker with its data`,
    LONG,
    async () => {
      const before = await ended(bundle)
      await Promise.all(
        Array.from({ length: TASKS }, (_, n) =>
          bundle.submit(
            n % 10 === 0
              ? { kind: 'calcpi', params: { digits: 1000 }, maxAttempts: 20 }
              : { kind: 'sleep', params: { seconds: 0.2 }, maxAttempts: 20 },
          ),
        ),
      )
      for (let kills = 0; kills < KILLS; kills += 1) {
        const already = await ended(bundle)
        await until(
          'some more tasks end',
          async () => (await ended(bundle)) >= Math.min(already + 10, before + TASKS),
          90_000,
        )
        const pid = await bundle.pidOf('worker')
        process.kill(pid, 'SIGKILL')
        if (kills === 1) {
          await rabbit.kill()
          await rabbit.wipe()
          await rabbit.start()
        }
        await until(
          'another worker is there',
          async () =>
            bundle.pidOf('worker').then(
              now => now !== pid,
              () => false,
            ),
          60_000,
        )
      }
      await until('all end', async () => (await ended(bundle)) >= before + TASKS, 150_000)
      const tasks = await bundle.all()
      assert.equal(tasks.length, before + TASKS)
      for (const task of tasks) {
        assert.equal(task.status, 'SUCCESS', JSON.stringify(task))
        assert.equal(task.history.filter(({ status }) => status === 'SUCCESS').length, 1)
      }
    },
  )
})
