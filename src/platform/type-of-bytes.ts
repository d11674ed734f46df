// The media type of bytes, found in them: what anybody says of them is not believed.
import { fileTypeFromBuffer } from 'file-type'

/** Looked at where the bytes have no mark of their own. */
const TEXT_BYTES = 4_096
/** Control characters that no text has. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u007f]/

const isText = (bytes: Uint8Array): boolean => {
  try {
    // the last character may be cut
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, TEXT_BYTES), {
      stream: true,
    })
    return !CONTROL.test(text)
  } catch {
    return false
  }
}

/** The beginning of a TIFF, and of a large one. Its directory may stand at its end, where file-type does not find it. */
const TIFF = ['49492a00', '4d4d002a', '49492b00', '4d4d002b']
const isTiff = (first: Uint8Array): boolean =>
  first.length >= 8 && TIFF.includes(Buffer.from(first.subarray(0, 4)).toString('hex'))

/**
 * `image/png`, say; `text/plain` for UTF-8, `application/octet-stream` for what is neither known nor text.
 * @param first the first 4,100 bytes, or all of them
 */
export const typeOfBytes = async (first: Uint8Array): Promise<string> => {
  const found = await fileTypeFromBuffer(first).catch(() => undefined)
  if (found) return found.mime
  if (isTiff(first)) return 'image/tiff'
  return isText(first) ? 'text/plain' : 'application/octet-stream'
}
