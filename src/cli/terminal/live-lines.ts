// A few lines at the end of a terminal that are drawn again and again, at most ten times a second.
import type { Screen } from './screen.ts'
import { cutTo } from './width.ts'

const EVERY_MS = 100
/** Columns that stay free: some terminals break the line at the last one, and a `^C` is written behind the lines. */
export const MARGIN = 3
const HIDE = '\u001b[?25l'
const SHOW = '\u001b[?25h'

export interface LiveLines {
  /** The lines from now on, without line breaks; they are cut to the terminal's width. */
  draw(lines: readonly string[]): void
  /** Writes text above the lines. It ends with a line break. */
  above(text: string): void
  /** Takes the lines away; the cursor stands where they began. Idempotent. */
  clear(): void
}

/**
 * @param paint of a line, after it is cut
 */
export const createLiveLines = (
  screen: Screen,
  paint: (line: string, at: number) => string = line => line,
): LiveLines => {
  let drawn = 0
  let wanted: readonly string[] = []
  let timer: NodeJS.Timeout | null = null
  let lastAt = 0
  let isHidden = false
  const write = (text: string): void => {
    // one that is gone is told of by the next write of a command
    if (text !== '') screen.write(text).catch(() => {})
  }
  /** Back to the first of the lines, which are gone then. */
  const back = (): string => (drawn === 0 ? '' : `\r${drawn > 1 ? `\u001b[${drawn - 1}A` : ''}\u001b[J`)
  const lines = (): string =>
    wanted
      .slice(0, Math.max(1, screen.rows - 1))
      .map((line, at) => paint(cutTo(line, screen.columns - MARGIN), at))
      .join('\n')
  const show = (before = ''): void => {
    if (timer) clearTimeout(timer)
    timer = null
    lastAt = performance.now()
    const hide = isHidden ? '' : HIDE
    isHidden = true
    write(`${hide}${back()}${before}${lines()}`)
    drawn = Math.min(wanted.length, Math.max(1, screen.rows - 1))
  }
  return {
    draw(next) {
      wanted = next
      const left = EVERY_MS - (performance.now() - lastAt)
      if (left <= 0) show()
      else timer ??= setTimeout(show, left)
    },
    above(text) {
      if (drawn === 0 && wanted.length === 0) write(text)
      else show(text)
    },
    clear() {
      if (timer) clearTimeout(timer)
      timer = null
      wanted = []
      const show = isHidden ? SHOW : ''
      isHidden = false
      write(`${back()}${show}`)
      drawn = 0
    },
  }
}
