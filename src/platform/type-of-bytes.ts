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

/**
 * `image/png`, say; `text/plain` for UTF-8, `application/octet-stream` for what is neither known nor text.
 * @param first the first 4,100 bytes, or all of them
 */
export const typeOfBytes = async (first: Uint8Array): Promise<string> => {
  const found = await fileTypeFromBuffer(first).catch(() => undefined)
  if (found) return found.mime
  return isText(first) ? 'text/plain' : 'application/octet-stream'
}
