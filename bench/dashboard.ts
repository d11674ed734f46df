// How heavy and how quick the dashboard's list of tasks is in a real Chromium, over a full folder: weight, first paint,
// first rows, filters, and what many changes a second cost the page. The dashboard is the bundle's own.
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { WEB_FOLDER } from '../src/dashboard/web-files.ts'
import { launchBrowser } from '../test/support/browser.ts'
import { processesOf, startBundle } from '../test/support/bundle.ts'
import {
  filterTime,
  firstPaint,
  firstRows,
  framesOf,
  NOTES,
  openMeter,
  watchFrames,
} from './dashboard-page.ts'
import type { Ask, Made } from './feed-mover.ts'
import { median, quantile, show, spread, table } from './figures.ts'
import { startPeer } from './peer.ts'
import { takePlace } from './place.ts'
import { cpuOf } from './proc.ts'
import { fillFolder } from './sample-folder.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    tasks: { type: 'string', default: '100000' },
    times: { type: 'string', default: '5' },
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '10' },
  },
})
const [tasks, times, rate] = [Number(options.tasks), Number(options.times), Number(options.rate)]
const PASSWORD = 'of this benchmark'
/** How many tasks are on the way; the list shows the newest fifty. */
const HELD = 200

const place = takePlace(options.dir)
console.log(place.machine)
const dataDir = path.join(place.dir, 'data')
fillFolder(dataDir, tasks, 'mixed')

/** Of what Vite made, as it is sent: packed, where a packed twin is kept. */
const weigh = (): { name: string; bytes: number }[] => {
  const folder = path.join(WEB_FOLDER, 'assets')
  const names = readdirSync(folder)
  return names
    .filter(name => !/\.(?:br|gz|map)$/.test(name))
    .map(name => ({ name, sent: names.includes(`${name}.br`) ? `${name}.br` : name }))
    .map(({ name, sent }) => ({ name, bytes: statSync(path.join(folder, sent)).size }))
}

const open = async (browser: Browser, url: string): Promise<{ context: BrowserContext; page: Page }> => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, baseURL: url })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  await page.addInitScript(NOTES)
  return { context, page }
}

const logIn = async (page: Page): Promise<void> => {
  await page.goto('/login')
  await page.fill('#password', PASSWORD)
  await page.click('button')
  await page.waitForSelector('.live-dot.live', { state: 'attached' })
}

/** Every time with nothing in the browser's cache, as for somebody who has never been here. */
const openings = async (browser: Browser, url: string): Promise<string[][]> => {
  const [login, paint, rows]: [number[], number[], number[]] = [[], [], []]
  for (let n = 0; n < times; n += 1) {
    const first = await open(browser, url)
    await first.page.goto('/login')
    login.push(await firstPaint(first.page))
    await logIn(first.page)
    const second = await open(browser, url)
    await second.context.addCookies(await first.context.cookies())
    await second.page.goto('/tasks')
    paint.push(await firstPaint(second.page))
    rows.push(await firstRows(second.page))
    await first.context.close()
    await second.context.close()
  }
  return [
    ['first paint of the login', show(login[0] ?? 0), spread(login)],
    ['first paint of Tasks', show(paint[0] ?? 0), spread(paint)],
    ['first rows of Tasks', show(rows[0] ?? 0), spread(rows)],
  ]
}

const allAre = (status: string): string =>
  `document.querySelectorAll('tbody .badge').length === 50 && [...document.querySelectorAll('tbody .badge')].every(({ textContent }) => textContent.includes('${status}'))`
const FILTERS = [
  { typed: 'status:failure', stands: allAre('FAILURE') },
  { typed: 'owner:ada', stands: `document.querySelector('.chip') && document.querySelector('tbody tr')` },
  { typed: 'lot 0,', stands: `document.querySelector('tbody')?.textContent.includes('Lot 0, piece')` },
  { typed: 'there is no such text', stands: `document.querySelector('.empty')` },
]

const filters = async (page: Page): Promise<string[][]> => {
  const rows: string[][] = []
  for (const { typed, stands } of FILTERS) {
    const took: number[] = []
    for (let n = 0; n < times; n += 1) {
      await page.goto('/tasks')
      await firstRows(page)
      took.push(await filterTime(page, typed, stands))
    }
    rows.push([`rows of \`${typed}\` stand`, show(took[0] ?? 0), spread(took)])
  }
  const took: number[] = []
  for (let n = 0; n < times; n += 1) {
    await page.goto('/tasks')
    await firstRows(page)
    await page.click('thead input')
    await page.waitForSelector('.bulk-bar')
    const from = performance.now()
    await page.waitForSelector('.bulk-bar >> text=/all that match \\(/')
    took.push(performance.now() - from)
  }
  rows.push(['all that match are counted', show(took[0] ?? 0), spread(took)])
  return rows
}

const bundle = await startBundle(dataDir, { ROLES: 'dashboard', DASHBOARD_PASSWORD: PASSWORD })
const browser = await launchBrowser()
const mover = await startPeer<Ask, Made[]>('feed-mover.ts', dataDir)
try {
  const files = weigh()
  const sum = files.reduce((total, { bytes }) => total + bytes, 0)
  console.log(`\nall files of the pages, packed: ${show(sum / 1000)} kB (${files.length} files)\n`)

  const rows = await openings(browser, bundle.dashboard)
  const { page, context } = await open(browser, bundle.dashboard)
  await logIn(page)
  rows.push(...(await filters(page)))
  console.log(`${show(tasks)} tasks, ${times} times:\n`)
  console.log(table([['ms', 'the first', 'min / median / max'], ...rows]))

  const common = { perSecond: rate, seconds: Number(options.seconds), width: HELD }
  await mover.ask({ act: 'hold', ...common })
  await page.goto('/tasks')
  await firstRows(page)
  const meter = await openMeter(page)
  const memory = await meter.memory()
  const before = await meter.busy()
  await watchFrames(page)
  const from = performance.now()
  const cpuBefore = cpuOf(processesOf(dataDir)).total
  const made = await mover.ask({ act: 'mixed', ...common })
  const seconds = (performance.now() - from) / 1000
  const served = cpuOf(processesOf(dataDir)).total - cpuBefore
  const { long, gaps } = await framesOf(page)
  const after = await meter.busy()
  const grown = await meter.memory()
  const share = (part: 'task' | 'script' | 'layout'): string =>
    show(((after[part] - before[part]) * 100) / seconds)
  console.log(
    `\n${show(made.length / seconds)} changes a second for ${show(seconds)} s, ${HELD} tasks on the way:\n`,
  )
  console.log(
    table([
      ['what', 'figure'],
      ['main thread at work, % of the time', share('task')],
      ['of that scripts, %', share('script')],
      ['of that styles and layout, %', share('layout')],
      ['long tasks (over 50 ms)', show(long.length)],
      ['the longest, ms', show(Math.max(0, ...long))],
      ['blocked: what long tasks took over 50 ms, ms', show(long.reduce((all, ms) => all + ms - 50, 0))],
      [
        'from frame to frame, ms: median / p99 / max',
        [median(gaps), quantile(gaps, 0.99), quantile(gaps, 1)].map(show).join(' / '),
      ],
      ['CPU of the dashboard and its supervisor, % of a core', show((served * 100) / seconds)],
      ['heap before and after, MB', `${show(memory.heapBytes / 1e6)} / ${show(grown.heapBytes / 1e6)}`],
      ['nodes of the document before and after', `${show(memory.nodes)} / ${show(grown.nodes)}`],
    ]),
  )
  await context.close()
} finally {
  await mover.close()
  await browser.close()
  await bundle.stop()
}
