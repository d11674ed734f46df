// A process of jobs.test.ts: ends helping threads in the middle of their work, so often as it is told, and says so.
// A mistake in the engine of JavaScript would end this whole process.
import { setTimeout as wait } from 'node:timers/promises'
import { createHelpers } from '../../src/kinds/lib/jobs/helpers.ts'
import type { JobName, Jobs } from '../../src/kinds/lib/jobs/jobs.ts'

const three = 3n ** 400_000n
const five = 5n ** 2_000_000n
const work: { [N in JobName]?: Jobs[N]['given'] } = {
  block: { series: 'wijngaarden', a: 20_000, b: 60_000, prec: 800_000, last: false },
  product: { x: five, y: five },
  quotient: { x: three, y: three, shift: 700_000 },
  digits: { fraction: { bits: three, size: 634_128, digits: 190_000 }, guard: { bits: 128 } },
  binomial: { n: 3_000_000, k: 1_500_000 },
}
const names = Object.keys(work) as (keyof typeof work)[]
/** In the middle of a job, or between two. */
const ENDS: readonly string[] = ['A helping thread ended', 'The helping threads have ended']
const times = Number(process.argv[2])
for (let n = 0; n < times; n++) {
  const name = names[n % names.length] ?? 'product'
  const helpers = createHelpers()
  // again and again, so that what is ended has been optimised
  const endless = (async () => {
    for (;;) await helpers.perform(name, work[name] as never)
  })()
  const ended = endless.catch((error: Error) => error.message)
  await wait(250 + 37 * (n % 11))
  await helpers.end()
  const how = await ended
  if (!ENDS.includes(how)) throw new Error(`it did not end as it should: ${how}`)
}
console.log(`ended ${times}`)
