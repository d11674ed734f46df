// What bench/dashboard.ts asks of a page in Chromium: its paints, when its rows stood, how long its main thread was busy,
// and its memory. Expressions go in as texts: they run in the page.
import type { CDPSession, Page } from 'playwright-core'

/** Runs before the page's own scripts, and notes what can only be seen as it happens. */
export const NOTES = `
  window.noted = { rows: null, long: [], gaps: [] }
  new MutationObserver((_, observer) => {
    if (!document.querySelector('tbody tr')) return
    observer.disconnect()
    requestAnimationFrame(() => setTimeout(() => { noted.rows = performance.now() }))
  }).observe(document, { childList: true, subtree: true })
  new PerformanceObserver(list => {
    for (const { duration } of list.getEntries()) noted.long.push(duration)
  }).observe({ type: 'longtask', buffered: true })
`

/** In ms since the page was asked for. @throws Error when the page paints or shows nothing in a minute */
export const firstPaint = (page: Page): Promise<number> =>
  page.evaluate(`new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('nothing was painted')), 60000)
    new PerformanceObserver(list => {
      const found = list.getEntries().find(({ name }) => name === 'first-contentful-paint')
      if (found) resolve(found.startTime)
    }).observe({ type: 'paint', buffered: true })
  })`) as Promise<number>

/** When the first rows stood, drawn, in ms since the page was asked for. */
export const firstRows = async (page: Page): Promise<number> => {
  await page.waitForSelector('tbody tr')
  return (await page.evaluate(`new Promise(resolve => {
    const look = () => noted.rows === null ? setTimeout(look, 20) : resolve(noted.rows)
    look()
  })`)) as number
}

/**
 * From the key that adds the filter to the frame in which all that stands fits it, in ms.
 * @param stands an expression: whether it does
 */
export const filterTime = async (page: Page, typed: string, stands: string): Promise<number> => {
  await page.fill('[role=combobox]', typed)
  const took = page.evaluate(`new Promise((resolve, reject) => {
    let from = 0
    addEventListener('keydown', () => { from = performance.now() }, { once: true, capture: true })
    setTimeout(() => reject(new Error('the filter does not stand')), 60000)
    const observer = new MutationObserver(() => {
      if (from === 0 || !(${stands})) return
      observer.disconnect()
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - from)))
    })
    observer.observe(document.body, { childList: true, subtree: true, characterData: true })
  })`) as Promise<number>
  await page.press('[role=combobox]', 'Enter')
  return took
}

export interface Busy {
  /** Of the main thread, in seconds on the clock: all its work; scripts; styles and layout. */
  task: number
  script: number
  layout: number
}

export const openMeter = async (page: Page) => {
  const cdp: CDPSession = await page.context().newCDPSession(page)
  await cdp.send('Performance.enable')
  const read = async (): Promise<(name: string) => number> => {
    const { metrics } = await cdp.send('Performance.getMetrics')
    return name => metrics.find(metric => metric.name === name)?.value ?? Number.NaN
  }
  return {
    async busy(): Promise<Busy> {
      const of = await read()
      return {
        task: of('TaskDuration'),
        script: of('ScriptDuration'),
        layout: of('LayoutDuration') + of('RecalcStyleDuration'),
      }
    },
    /** After a garbage collection. */
    async memory(): Promise<{ heapBytes: number; nodes: number }> {
      await cdp.send('HeapProfiler.collectGarbage')
      const of = await read()
      return { heapBytes: of('JSHeapUsedSize'), nodes: of('Nodes') }
    },
  }
}

/** Long tasks and the gaps between frames from now on, both in ms. */
export const watchFrames = (page: Page): Promise<unknown> =>
  page.evaluate(`(() => {
    noted.long.length = 0
    let last = performance.now()
    const frame = () => {
      const now = performance.now()
      noted.gaps.push(now - last)
      last = now
      requestAnimationFrame(frame)
    }
    requestAnimationFrame(frame)
  })()`)

export const framesOf = (page: Page): Promise<{ long: number[]; gaps: number[] }> =>
  page.evaluate('noted') as Promise<{ long: number[]; gaps: number[] }>
