// npm run screenshots: starts a bundle in a temporary folder with made-up tasks, takes a picture of every page of the
// dashboard in both themes, wide and narrow, and says how heavy the pages are and how soon they show something.
import { cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { PAGES, SHARED } from '../../src/dashboard/web/paths.ts'
import { launchBrowser } from '../support/browser.ts'
import { startBundle } from '../support/bundle.ts'
import { until } from '../support/until.ts'
import { fill, fillGone } from './fill.ts'
import { fillFiles } from './fill-files.ts'
import { fillPeople, share } from './fill-people.ts'
import { fillTodo } from './fill-todo.ts'
import { writePast } from './past.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const FOLDER = path.join(ROOT, 'docs', 'screenshots')
const PASSWORD = 'only for the screenshots'
const THEMES = ['light', 'dark'] as const
const WIDTHS = { wide: { width: 1280, height: 800 }, narrow: { width: 390, height: 800 } } as const
/** Pages that show more with a choice made. */
const SHOWN: Readonly<Record<string, string>> = { newTask: '/new?kind=calcpi' }
const MOST_BYTES = 60_000
/** Charts are drawn, and the first live events are in. */
const SETTLE_MS = 1_500

const inKilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`

/** As WebP, which the browser itself can write: the best that is small enough. */
const take = async (page: Page, file: string): Promise<number> => {
  const session = await page.context().newCDPSession(page)
  for (const quality of [92, 85, 75, 60, 40]) {
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality })
    const bytes = Buffer.from(data, 'base64')
    if (bytes.length > MOST_BYTES && quality > 40) continue
    await writeFile(file, bytes)
    await session.detach()
    return bytes.length
  }
  return 0
}

const enter = async (browser: Browser, url: string, theme: 'light' | 'dark', width: keyof typeof WIDTHS) => {
  const context = await browser.newContext({ viewport: WIDTHS[width], colorScheme: theme, locale: 'en-GB' })
  const page = await context.newPage()
  await page.goto(`${url}/login`)
  await page.fill('#name', 'operator')
  await page.fill('#password', PASSWORD)
  await page.click('button')
  await page.waitForSelector('.live-dot.live', { state: 'attached' })
  return { page, close: () => context.close() }
}

/** Milliseconds from the beginning of the navigation. */
const firstPaint = (page: Page): Promise<number> =>
  page.evaluate(
    "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN",
  ) as Promise<number>

const weigh = async (): Promise<void> => {
  const folder = path.join(ROOT, 'dist', 'web', 'assets')
  let sum = 0
  for (const name of (await readdir(folder)).filter(each => !/\.(?:br|gz)$/.test(each)).sort()) {
    const packed = await stat(path.join(folder, `${name}.br`)).catch(() => stat(path.join(folder, name)))
    sum += packed.size
    console.log(`${inKilobytes(packed.size).padStart(9)}  ${name}`)
  }
  console.log(`${inKilobytes(sum).padStart(9)}  all assets, compressed`)
}

/** @param ids of tasks: one that has failed, what stands behind /shared/ of one that runs, and two with files */
const takeAll = async (
  browser: Browser,
  url: string,
  ids: { failed: string; shared: string; thumbnails: string; parse: string },
): Promise<void> => {
  const wanted = process.argv.slice(2)
  const paints: number[] = []
  let sum = 0
  for (const theme of THEMES)
    for (const width of ['wide', 'narrow'] as const) {
      const { page, close } = await enter(browser, url, theme, width)
      const others = [
        { name: 'shared', path: SHARED },
        // a task that was given a file and made some
        { name: 'taskFiles', path: `/task/${ids.thumbnails}` },
      ]
      for (const { name, path: pattern } of [...PAGES, ...others]) {
        if (wanted.length > 0 && !wanted.includes(name)) continue
        const place =
          name === 'thumbnails' || name === 'parse'
            ? `${pattern}?task=${ids[name]}`
            : (SHOWN[name] ??
              pattern.replace(':id', ids.failed).replace(':name', 'worker').replace(':token', ids.shared))
        await page.goto(url + place)
        await page.waitForSelector('h1')
        // the page of a link has no frame
        if (name !== 'shared') await page.waitForSelector('.live-dot.live', { state: 'attached' })
        await wait(SETTLE_MS)
        paints.push(await firstPaint(page))
        const bytes = await take(page, path.join(FOLDER, `${name}-${theme}-${width}.webp`))
        sum += bytes
        console.log(`${inKilobytes(bytes).padStart(9)}  ${name}-${theme}-${width}.webp`)
      }
      await close()
    }
  const sorted = paints.toSorted((a, b) => a - b)
  const middle = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  console.log(`${inKilobytes(sum).padStart(9)}  all pictures`)
  console.log(
    `first contentful paint: median ${Math.round(middle)} ms, longest ${Math.round(sorted.at(-1) ?? Number.NaN)} ms, ${paints.length} visits`,
  )
}

const folder = await mkdtemp(path.join(tmpdir(), 'madhava-screenshots-'))
const dataDir = path.join(folder, 'data')
const kindsDir = path.join(folder, 'kinds')
const environment = {
  KINDS_DIR: kindsDir,
  DASHBOARD_PASSWORD: PASSWORD,
  INSTALLATION_NAME: 'production',
  CONCURRENCY: '4',
  // its own documentation is a page to parse
  PARSE_ALLOW: '127.0.0.1',
}
try {
  await mkdir(dataDir)
  await mkdir(FOLDER, { recursive: true })
  await cp(path.join(HERE, 'kinds'), kindsDir, { recursive: true })
  await cp(path.join(HERE, 'gone'), kindsDir, { recursive: true })
  await writePast(dataDir, Date.now())
  const first = await startBundle(dataDir, environment)
  await fillGone(first)
  await first.stop()
  await rm(path.join(kindsDir, 'old-import.mjs'))
  const bundle = await startBundle(dataDir, environment)
  const browser = await launchBrowser()
  try {
    const failedId = await fill(bundle)
    const withFiles = await fillFiles(bundle)
    const token = await fillPeople(bundle.api, PASSWORD)
    await fillTodo(bundle.api, token)
    await until(
      'what was submitted of the kind that is gone is dead',
      async () =>
        (await bundle.all()).some(
          ({ kind, notBefore }) => kind === 'old-import' && Date.parse(notBefore ?? '') < Date.now() - 5_000,
        ),
      60_000,
    )
    const running = (await bundle.all()).find(({ status }) => status === 'PROGRESS')
    const shares = await Promise.all(
      [failedId, running?.id ?? failedId].map(id => share(bundle.api, token, id)),
    )
    await takeAll(browser, bundle.dashboard, {
      failed: failedId,
      shared: shares.at(-1) ?? '',
      ...withFiles,
    })
    await weigh()
  } finally {
    await browser.close()
    await bundle.stop()
  }
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}
