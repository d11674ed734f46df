// What the kind `parse` says of a page, read from a result that may be of another version. Pure.
import type { Json } from '../../../../client/task.ts'

export interface ParsedPage {
  finalUrl: string | null
  status: number | null
  redirects: { url: string; status: number | null }[]
  contentType: string | null
  isHtml: boolean
  charset: string | null
  language: string | null
  title: string | null
  description: string | null
  canonical: string | null
  headings: { level: number; text: string }[]
  links: { url: string; text: string }[]
  images: { url: string; text: string }[]
  words: number | null
  bytes: number | null
  truncated: string | null
  totalMs: number | null
}

type Fields = { [key: string]: Json }
const fields = (value: Json | undefined): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
const text = (value: Json | undefined): string | null => (typeof value === 'string' ? value : null)
const number = (value: Json | undefined): number | null => (typeof value === 'number' ? value : null)
const list = (value: Json | undefined): Fields[] => (Array.isArray(value) ? value.map(fields) : [])

export const readPage = (result: Json): ParsedPage => {
  const page = fields(result)
  return {
    finalUrl: text(page.finalUrl),
    status: number(page.status),
    redirects: list(page.redirects).map(({ url, status }) => ({
      url: text(url) ?? '',
      status: number(status),
    })),
    contentType: text(page.contentType),
    isHtml: page.isHtml === true,
    charset: text(page.charset),
    language: text(page.language),
    title: text(page.title),
    description: text(page.description),
    canonical: text(page.canonical),
    headings: list(page.headings).map(({ level, text: words }) => ({
      level: number(level) ?? 1,
      text: text(words) ?? '',
    })),
    links: list(page.links).map(({ url, text: words }) => ({
      url: text(url) ?? '',
      text: text(words) ?? '',
    })),
    images: list(page.images).map(({ url, alt }) => ({ url: text(url) ?? '', text: text(alt) ?? '' })),
    words: number(page.words),
    bytes: number(page.bytes),
    truncated: text(page.truncated),
    totalMs: number(fields(page.timing).totalMs),
  }
}

/** Whether an address may be a link: another scheme could run something. */
export const isWeb = (url: string): boolean => /^https?:\/\//i.test(url)

/** What somebody means who writes no scheme. */
export const asUrl = (given: string): string => {
  const url = given.trim()
  return url === '' || /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `https://${url}`
}

/** What the saved JSON is called: by the host, if that is a name for files. */
export const fileNameOf = (url: string | null): string => {
  const host = url !== null && URL.canParse(url) ? new URL(url).hostname.replace(/[^A-Za-z0-9.-]/g, '') : ''
  return `${host || 'page'}.json`
}
