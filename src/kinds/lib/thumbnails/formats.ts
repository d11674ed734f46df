// The formats of pictures: their media types, and the ends of their names. Pure.

export const FORMATS = ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'] as const
export type Format = (typeof FORMATS)[number]

interface FormatFacts {
  /** The media type of what is made. */
  type: string
  /** Of what is made, without the dot. */
  extension: string
  /** Other ends that a client's name may well have. */
  alsoEnds: readonly string[]
}

export const FACTS: Readonly<Record<Format, FormatFacts>> = {
  jpeg: { type: 'image/jpeg', extension: 'jpg', alsoEnds: ['jpeg', 'jpe', 'jfif'] },
  png: { type: 'image/png', extension: 'png', alsoEnds: ['apng'] },
  webp: { type: 'image/webp', extension: 'webp', alsoEnds: [] },
  gif: { type: 'image/gif', extension: 'gif', alsoEnds: [] },
  avif: { type: 'image/avif', extension: 'avif', alsoEnds: ['avifs'] },
  tiff: { type: 'image/tiff', extension: 'tif', alsoEnds: ['tiff'] },
}

/** What a client may send. An animated PNG is a PNG whose first picture every decoder reads. */
export const TAKEN_TYPES: readonly string[] = [...FORMATS.map(format => FACTS[format].type), 'image/apng']

/** The format of a media type; null: none of ours. */
export const formatOfType = (type: string): Format | null =>
  type === 'image/apng' ? 'png' : (FORMATS.find(format => FACTS[format].type === type) ?? null)
