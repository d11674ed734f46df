// Fills a bundle with tasks of made-up kinds: real tasks, real failures, some that run and some that wait.
import { setTimeout as wait } from 'node:timers/promises'
import type { Bundle } from '../support/bundle.ts'
import { until } from '../support/until.ts'

const SOON_MS = 120_000
/** Between two of the many tasks, so that they are no needle in the charts. */
const PACE_MS = 700

/** Tasks of a kind that the next start no longer has. */
export const fillGone = async (bundle: Bundle): Promise<void> => {
  const notBefore = new Date(Date.now() + 15_000).toISOString()
  for (const order of [4711, 4712, 4713])
    await bundle.submit({ kind: 'old-import', params: { order }, title: `order ${order}`, notBefore })
}

/** @returns the id of a failed task */
export const fill = async (bundle: Bundle): Promise<string> => {
  const submit = (kind: string, params: object, more: object = {}) => bundle.submit({ kind, params, ...more })
  let failedId = ''
  for (let number = 0; number < 40; number += 1) {
    const report = 20_380 + number
    // the most of them fail
    const { id } = await submit(
      'render-report',
      { report, port: number % 8 === 0 ? 6432 : 5432 },
      { title: `Report ${report}` },
    )
    if (number === 39) failedId = id
    await wait(PACE_MS)
  }
  for (let number = 0; number < 12; number += 1)
    await submit(
      'import-photos',
      { file: `IMG_20${30 + number}.jpg`, bytes: number % 6 === 0 ? 1_204_224 + number : 3_551_870 },
      { title: `IMG_20${30 + number}.jpg` },
    )
  await submit('calcpi', { digits: 1000 }, { title: '1,000 digits' })
  await submit('binomial', { n: 1000, k: 500 }, { title: 'C(1000, 500)' })
  await submit('csv-stats', { file: 'orders-2025.csv' }, { title: 'orders-2025.csv' })
  await submit(
    'sleep',
    { seconds: 40, steps: 10 },
    { title: '<b>a nap</b> & "so on"', limits: { hardSeconds: 1 } },
  )
  await submit('notify', { invoice: 76, to: 'erp.example' }, { title: 'invoice 76 to erp' })
  await submit('notify', { invoice: 77, to: 'crm.example' }, { title: 'invoice 77 to crm' })
  await until(
    'most of them have ended',
    async () =>
      (await bundle.all()).every(
        ({ status, kind }) => kind === 'old-import' || ['SUCCESS', 'FAILURE', 'RETRY'].includes(status),
      ),
    SOON_MS,
  )
  await submit('csv-stats', { file: 'orders-2026.csv', seconds: 1800 }, { title: 'orders-2026.csv' })
  for (let number = 0; number < 6; number += 1)
    await submit(
      'import-photos',
      { file: `IMG_20${50 + number}.jpg`, bytes: 3_551_870, seconds: 600 },
      { title: `IMG_20${50 + number}.jpg` },
    )
  await until(
    'three of them run',
    async () => (await bundle.all()).filter(({ status }) => status === 'PROGRESS').length >= 3,
    SOON_MS,
  )
  return failedId
}
