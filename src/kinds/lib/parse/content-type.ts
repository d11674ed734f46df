// What an answer says that it is, and what its first bytes look like if it says nothing.
import { MIMEType } from 'node:util'

export interface ContentType {
  /** Such as `text/html`; null: none that can be read. */
  type: string | null
  /** As the header names it. */
  charset: string | null
}

export const readContentType = (header: string | undefined): ContentType => {
  try {
    const { essence, params } = new MIMEType(header ?? '')
    return { type: essence.slice(0, 200), charset: params.get('charset') }
  } catch {
    return { type: null, charset: null }
  }
}

export const isHtmlType = (type: string): boolean => type === 'text/html' || type === 'application/xhtml+xml'

/** Tags by which a page is known (https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type). */
const BEGINS =
  /^[\t\n\f\r ]*(?:<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[ >]|<!--|<\?xml)/i

/** Whether bytes without a type look like a page. */
export const looksLikeHtml = (bytes: Buffer): boolean =>
  BEGINS.test(
    bytes
      .subarray(0, 1_445)
      .toString('latin1')
      .replace(/^\xef\xbb\xbf/, ''),
  )
