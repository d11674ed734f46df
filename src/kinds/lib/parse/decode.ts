// Bytes of a page -> text, in the character set that it names. What is wrong in them becomes U+FFFD.
import sniffEncoding from 'html-encoding-sniffer'

export interface Decoded {
  text: string
  /** The Encoding standard's name, such as `UTF-8`. */
  charset: string
}

/** A name that html-encoding-sniffer gives only if nothing else was found. */
const NONE = 'none'

const isUtf8 = (bytes: Uint8Array): boolean => {
  try {
    // the last character may be cut
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

/** `<?xml version="1.0" encoding="koi8-r"?>` */
const xmlCharset = (bytes: Uint8Array): string | null =>
  /^<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]{1,40})["']/.exec(
    Buffer.from(bytes.subarray(0, 1_024)).toString('latin1'),
  )?.[1] ?? null

const sniff = (bytes: Uint8Array, label: string | undefined): string => {
  try {
    return sniffEncoding(bytes, {
      ...(label === undefined ? {} : { transportLayerEncodingLabel: label }),
      defaultEncoding: NONE,
    })
  } catch {
    // the package reads beyond the end of <meta content="charset">
    return NONE
  }
}

/** The Encoding standard's windows-1252 from 0x80 to 0x9f. Node 20 gives control characters there. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ'

/**
 * By the byte order mark, then the header, then the page; without any of them UTF-8 if the bytes are that, else
 * windows-1252.
 * @param label as the header names it
 */
export const decodePage = (bytes: Uint8Array, label: string | null): Decoded => {
  let found = sniff(bytes, label ?? undefined)
  if (found === NONE) found = sniff(bytes, xmlCharset(bytes) ?? undefined)
  if (found === NONE) found = isUtf8(bytes) ? 'UTF-8' : 'windows-1252'
  if (found !== 'windows-1252')
    try {
      return { text: new TextDecoder(found).decode(bytes), charset: found }
    } catch {
      // one that Node does not have, such as x-user-defined
    }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('latin1')
    .replace(/[\x80-\x9f]/g, character => WINDOWS_1252[character.charCodeAt(0) - 0x80] ?? character)
  return { text, charset: 'windows-1252' }
}
