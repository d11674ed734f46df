// Jobs, the scheduler that orders them, and the threads that help. PI_LONG=1 ends threads for some minutes.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createHelpers } from '../../src/kinds/lib/jobs/helpers.ts'
import { createJobScheduler } from '../../src/kinds/lib/jobs/job-scheduler.ts'
import { perform } from '../../src/kinds/lib/jobs/jobs.ts'

const LIMIT = { timeout: 600_000 }
const product = (n: number) => ({ x: BigInt(n), y: 1n })

describe('a scheduler', () => {
  it('does what waits in the order of the places, as many at a time as there are lanes', LIMIT, async () => {
    for (const lanes of [1, 2, 5]) {
      const begun: number[] = []
      let busy = 0
      let most = 0
      const scheduler = createJobScheduler({
        lanes: () => lanes,
        async perform(name, given) {
          begun.push(Number((given as { x: bigint }).x))
          busy += 1
          most = Math.max(most, busy)
          await new Promise(resolve => setImmediate(resolve))
          busy -= 1
          return perform(name, given)
        },
        done() {},
      })
      const places = [5, 3, 9, 1, 7, 2]
      const made = await Promise.all(
        places.map(place => scheduler.make('product', product(place), { place, weight: 1 })),
      )
      assert.deepEqual(made, places.map(BigInt))
      assert.deepEqual(
        begun,
        [...places].sort((a, b) => a - b),
      )
      assert.equal(most, lanes)
    }
  })

  it('asks for its lanes before each job, and has one at least', LIMIT, async () => {
    let lanes = 3
    let busy = 0
    const seen: number[] = []
    const scheduler = createJobScheduler({
      lanes: () => lanes,
      async perform(name, given) {
        busy += 1
        seen.push(busy)
        await new Promise(resolve => setImmediate(resolve))
        busy -= 1
        lanes = 0
        return perform(name, given)
      },
      done() {},
    })
    await Promise.all(
      [1, 2, 3, 4, 5, 6].map(place => scheduler.make('product', product(place), { place, weight: 1 })),
    )
    assert.deepEqual(seen, [1, 2, 3, 1, 1, 1])
  })

  it('tells the weight of what is done, and the next job waits for that', LIMIT, async () => {
    const told: string[] = []
    const scheduler = createJobScheduler({
      lanes: () => 1,
      perform(name, given) {
        told.push('begun')
        return perform(name, given)
      },
      async done(weight) {
        await new Promise(resolve => setImmediate(resolve))
        told.push(`weight ${weight}`)
      },
    })
    await Promise.all(
      [1, 2].map(place => scheduler.make('product', product(place), { place, weight: place })),
    )
    assert.deepEqual(told, ['begun', 'weight 1', 'begun', 'weight 2'])
  })

  it(
    'ends with what a job, or the step after it, throws: for all waiting callers and all later ones',
    LIMIT,
    async () => {
      for (const where of ['perform', 'done'] as const) {
        const fail = (): never => {
          throw new Error(`broken in ${where}`)
        }
        const scheduler = createJobScheduler({
          lanes: () => 1,
          perform: where === 'perform' ? fail : perform,
          done: where === 'done' ? fail : () => {},
        })
        const asked = [1, 2, 3].map(place => scheduler.make('product', product(place), { place, weight: 1 }))
        for (const result of await Promise.allSettled(asked))
          assert.match(String(result.status === 'rejected' && result.reason), /broken in/)
        await assert.rejects(scheduler.make('product', product(4), { place: 4, weight: 1 }), /broken in/)
      }
    },
  )
})

describe('helping threads', () => {
  it('do jobs side by side and keep the answers apart', LIMIT, async () => {
    const helpers = createHelpers()
    const made = await Promise.all([10, 20, 30].map(n => helpers.perform('binomial', { n, k: n / 2 })))
    assert.deepEqual(made, ['252', '184756', '155117520'])
    // again, in the threads that are free now
    assert.equal(await helpers.perform('product', { x: 6n, y: 7n }), 42n)
    await helpers.end()
    await assert.rejects(helpers.perform('product', { x: 6n, y: 7n }), /have ended/)
  })

  it('bring back what a job throws, and go on', LIMIT, async () => {
    const helpers = createHelpers()
    await assert.rejects(helpers.perform('quotient', { x: 1n, y: 0n, shift: 0 }), /[Dd]ivision by zero/)
    assert.equal(await helpers.perform('quotient', { x: 7n, y: 2n, shift: 1 }), 7n)
    await helpers.end()
  })

  it('can be ended in the middle of their work, and the process lives on', LIMIT, async () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const times = process.env.PI_LONG === '1' ? 300 : 5
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('./ending.ts', import.meta.url)), `${times}`],
      { env, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', data => {
        output += String(data)
      })
    const [code] = (await once(child, 'close')) as [number | null]
    assert.equal(code, 0, output)
    assert.match(output, new RegExp(`ended ${times}\\n`))
  })
})
