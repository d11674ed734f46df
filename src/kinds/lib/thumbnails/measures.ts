// How large a picture may be, and how large a copy of it becomes. Pure.
import type { Format } from './formats.ts'

export const FITS = ['inside', 'cover', 'contain', 'fill', 'outside'] as const
export type Fit = (typeof FITS)[number]
export type Size = readonly [width: number, height: number]

/** The longest side that a client may ask for, in pixels. */
export const SIDE_MAX = 2048
/** Pixels of a picture that is read: what the cameras of telephones make. */
export const PIXELS_MAX = 50_000_000
/** The decoder of AVIF takes about 18 bytes for a pixel; the others take 8 at most. */
const AVIF_PIXELS_MAX = 25_000_000
/** What a copy may have: with `outside` it becomes larger than what was asked for. */
const COPY_MAX = { pixels: 2 * SIDE_MAX ** 2, side: 16_383 }

const million = (pixels: number): string => String(Math.ceil(pixels / 1e5) / 10)

/** Why a picture of this size is not read; null: it is. */
export const refusalOf = ([width, height]: Size, format: Format): string | null => {
  const most = format === 'avif' ? AVIF_PIXELS_MAX : PIXELS_MAX
  return width * height <= most
    ? null
    : `The image has ${width} x ${height} pixels, which is ${million(width * height)} megapixels. At most ${most / 1e6} are read of this format`
}

/**
 * The size of a copy. `inside` keeps the proportions and never enlarges; `outside` keeps them and covers what was
 * asked for; the others give what was asked for.
 */
export const sizeOfCopy = ([width, height]: Size, [askedWidth, askedHeight]: Size, fit: Fit): Size => {
  if (fit !== 'inside' && fit !== 'outside') return [askedWidth, askedHeight]
  const across = askedWidth / width
  const down = askedHeight / height
  const factor = fit === 'inside' ? Math.min(across, down, 1) : Math.max(across, down)
  const scaled = (side: number): number => Math.max(1, Math.round(side * factor))
  return [scaled(width), scaled(height)]
}

export interface Region {
  left: number
  top: number
  width: number
  height: number
}

/** What libvips can reckon with on the way from the picture to the copy, with room to spare. */
const WAY_MAX = 8_000_000

/**
 * What to cut out of a picture before it is enlarged to `cover`. Null: nothing, since it is better cut afterwards, to
 * the part of a pixel. Only of a very long picture so much would be enlarged in vain that it cannot be done.
 */
export const cutForCover = ([width, height]: Size, [askedWidth, askedHeight]: Size): Region | null => {
  const factor = Math.max(askedWidth / width, askedHeight / height)
  if (Math.max(width, height) * factor <= WAY_MAX) return null
  const cutWidth = Math.min(width, Math.max(1, Math.round(askedWidth / factor)))
  const cutHeight = Math.min(height, Math.max(1, Math.round(askedHeight / factor)))
  return {
    left: Math.floor((width - cutWidth) / 2),
    top: Math.floor((height - cutHeight) / 2),
    width: cutWidth,
    height: cutHeight,
  }
}

/** Why a copy of this size is not made; null: it is. */
export const refusalOfCopy = ([width, height]: Size): string | null =>
  width * height <= COPY_MAX.pixels && width <= COPY_MAX.side && height <= COPY_MAX.side
    ? null
    : `A copy would have ${width} x ${height} pixels. Ask for a smaller size, or for another fit than outside`
