// The media type of bytes, found in their beginning.
import { fileTypeFromBuffer } from 'file-type'

/** The beginning that is looked at. */
export const TYPE_BYTES = 4_100
/** The beginning in which a text shows itself. */
const TEXT_BYTES = 4_096
const OTHER = 'application/octet-stream'
/** No text has them: C0 without tab, line feed, form feed and carriage return; DEL; C1. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const CONTROL = /[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f]/

/** Whether they are UTF-8 without control characters. The last character may be cut off by the bound. */
const isText = (bytes: Uint8Array, isCut: boolean): boolean => {
  try {
    return !CONTROL.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: isCut }))
  } catch {
    return false
  }
}

/** The beginning of a TIFF, and of a large one. Its directory may stand at its end, where file-type does not find it. */
const TIFF = ['49492a00', '4d4d002a', '49492b00', '4d4d002b']
const isTiff = (first: Uint8Array): boolean =>
  first.length >= 8 && TIFF.includes(Buffer.from(first.subarray(0, 4)).toString('hex'))

/** A media type without parameters. @param first all of the bytes, or their beginning of at least TYPE_BYTES. Never rejects */
export const typeOfBytes = async (first: Uint8Array): Promise<string> => {
  const known = await fileTypeFromBuffer(first.subarray(0, TYPE_BYTES)).catch(() => undefined)
  // without parameters, such as the codec of an Ogg
  if (known) return known.mime.replace(/ *;.*/, '').toLowerCase()
  if (isTiff(first)) return 'image/tiff'
  if (first.length === 0) return OTHER
  return isText(first.subarray(0, TEXT_BYTES), first.length > TEXT_BYTES) ? 'text/plain' : OTHER
}
