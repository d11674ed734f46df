// The names of files: of the copies, and of the original in the zip. Pure.
import { FACTS, FORMATS, type Format } from './formats.ts'
import type { Size } from './measures.ts'

const LENGTH = 100
/** Of UTF-8: most file systems take names of 255, with what is put in front and behind. */
const BYTES = 230
/** Names that Windows gives to devices, with any end. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³])$/i
const COPY = /^\d+x\d+$/
const endsOf = (format: Format): string[] => [FACTS[format].extension, ...FACTS[format].alsoEnds]
const IMAGE_ENDS = FORMATS.flatMap(endsOf)

/** The beginning that has room, of whole characters. */
const cutTo = (text: string): string => {
  let bytes = 0
  let cut = ''
  for (const character of [...text].slice(0, LENGTH)) {
    bytes += Buffer.byteLength(character)
    if (bytes > BYTES) break
    cut += character
  }
  return cut
}

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
  const cut = cutTo(stem).trimEnd()
  const head = cut.split('.')[0]?.trim() ?? ''
  const taken = DEVICE.test(head) || COPY.test(cut)
  const name = cut === '' ? 'original' : taken ? `original-${cut}` : cut
  return `${name}.${isOurs ? safe.slice(dot + 1) : FACTS[format].extension}`
}
