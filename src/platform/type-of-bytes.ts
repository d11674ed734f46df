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

/** A media type without parameters. @param first all of the bytes, or their beginning of at least TYPE_BYTES. Never rejects */
export const typeOfBytes = async (first: Uint8Array): Promise<string> => {
  const known = await fileTypeFromBuffer(first.subarray(0, TYPE_BYTES)).catch(() => undefined)
  // without parameters, such as the codec of an Ogg
  if (known) return known.mime.replace(/ *;.*/, '').toLowerCase()
  if (first.length === 0) return OTHER
  return isText(first.subarray(0, TEXT_BYTES), first.length > TEXT_BYTES) ? 'text/plain' : OTHER
}
