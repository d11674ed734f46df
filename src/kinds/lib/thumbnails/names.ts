// The names of files: of the copies, and of the original in the zip. Pure.
import { FACTS, FORMATS, type Format } from './formats.ts'
import type { Size } from './measures.ts'

const LENGTH = 100
/** Names that Windows gives to devices, with any end. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i
const COPY = /^\d+x\d+$/
const endsOf = (format: Format): string[] => [FACTS[format].extension, ...FACTS[format].alsoEnds]
const IMAGE_ENDS = FORMATS.flatMap(endsOf)

/** `128x128.jpg`: by what was asked for, so two copies never share a name. */
export const nameOfCopy = ([width, height]: Size, format: Format): string =>
  `${width}x${height}.${FACTS[format].extension}`

/**
 * The client's name, made fit for all file systems: without folders, signs that none takes, and signs that hide or
 * turn round others. Its end is one of the format, whatever the client called it. Never the name of a copy.
 */
export const nameOfOriginal = (given: string | null, format: Format): string => {
  const last = (given ?? '').normalize('NFC').split(/[\\/]/).at(-1) ?? ''
  const safe = last.replace(/[\p{C}\p{Zl}\p{Zp}<>:"|?*]/gu, '').trim()
  const dot = safe.lastIndexOf('.')
  const end = dot < 0 ? '' : safe.slice(dot + 1).toLowerCase()
  const isOurs = endsOf(format).includes(end)
  const stem = (isOurs || IMAGE_ENDS.includes(end) ? safe.slice(0, dot) : safe).replace(
    /^[\s.]+|[\s.]+$/g,
    '',
  )
  const cut = [...stem].slice(0, LENGTH).join('').trimEnd()
  const head = cut.split('.')[0]?.trim() ?? ''
  const taken = DEVICE.test(head) || COPY.test(cut)
  const name = cut === '' ? 'original' : taken ? `original-${cut}` : cut
  return `${name}.${isOurs ? safe.slice(dot + 1) : FACTS[format].extension}`
}
