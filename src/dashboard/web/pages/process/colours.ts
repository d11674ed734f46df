// The colours of a terminal as classes: each becomes the nearest of a few that can be read in both themes. Pure.
import type { Span } from './log-types.ts'

const BASE = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const
type Name = (typeof BASE)[number] | 'grey'

/** Parts from 0 to 255. */
const nameOf = (red: number, green: number, blue: number): Name => {
  const [high, low] = [Math.max(red, green, blue), Math.min(red, green, blue)]
  if (high - low < 48) return high < 64 ? 'black' : high > 200 ? 'white' : 'grey'
  const isIn = (part: number): number => (part > (high + low) / 2 ? 1 : 0)
  return BASE[isIn(red) + 2 * isIn(green) + 4 * isIn(blue)] ?? 'grey'
}

/** The steps of the cube of colours 16 to 231. */
const STEPS = [0, 95, 135, 175, 215, 255]

export const colourName = (colour: number | string): Name => {
  if (typeof colour === 'string') {
    const parts = [1, 3, 5].map(at => Number.parseInt(colour.slice(at, at + 2), 16))
    return nameOf(parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0)
  }
  if (colour === 8) return 'grey'
  if (colour < 16) return BASE[colour % 8] ?? 'grey'
  if (colour >= 232) return nameOf(...(Array(3).fill(8 + (colour - 232) * 10) as [number, number, number]))
  const cube = colour - 16
  const step = (of: number): number => STEPS[Math.floor(cube / of) % 6] ?? 0
  return nameOf(step(36), step(6), step(1))
}

export const classOf = ({ fg, bg, bold, dim, italic, underline }: Span): string | undefined =>
  [
    // on a ground of its own the text keeps its colour, so that it can be read
    fg !== undefined && bg === undefined ? `ink-${colourName(fg)}` : '',
    bg === undefined ? '' : `ground-${colourName(bg)}`,
    bold ? 'ink-bold' : '',
    dim && bg === undefined ? 'ink-dim' : '',
    italic ? 'ink-italic' : '',
    underline ? 'ink-underline' : '',
  ]
    .filter(Boolean)
    .join(' ') || undefined
