// What is on a page: notes of its tree, with absolute URLs and bounded lists.
import { setImmediate as turn } from 'node:timers/promises'
import { LENGTHS, MOST, tidy } from './bounds.ts'
import { emptyNotes, type Heading } from './notes.ts'
import type { Node } from './tree.ts'
import { walk } from './walk.ts'

export interface Link {
  url: string
  text: string
  rel: string | null
}
export interface Image {
  url: string
  alt: string | null
  width: number | null
  height: number | null
}
export interface Extracted {
  title: string | null
  description: string | null
  canonical: string | null
  /** As the page says it. */
  language: string | null
  headings: Heading[]
  links: Link[]
  images: Image[]
  /** What the lists have no room for, or what is no address of the web. */
  leftOut: { headings: number; links: number; images: number }
  words: number
}

/** The schemes of links; nothing that runs. */
const LINKED = ['http:', 'https:', 'mailto:', 'tel:', 'ftp:']
const WEB = ['http:', 'https:']
const MAX_URL = 2_048
/** An absolute URL of one of these schemes; null for anything else. */
const resolved = (text: string | null, base: URL, schemes: readonly string[]): string | null => {
  if (text === null || text.length > MAX_URL || !URL.canParse(text, base.href)) return null
  const { protocol, href } = new URL(text, base)
  return schemes.includes(protocol) && href.length <= MAX_URL ? href : null
}

/**
 * @param url that the page came from
 * @throws the signal's reason
 */
export const extract = async (document: Node, url: URL, signal: AbortSignal): Promise<Extracted> => {
  const notes = emptyNotes()
  const steps = walk(document, notes)
  let step = steps.next()
  while (!step.done) {
    await turn()
    signal.throwIfAborted()
    step = steps.next()
  }
  const words = step.value
  const base = new URL(resolved(notes.base, url, WEB) ?? url)
  const links = notes.links
    .flatMap(({ href, text, rel }): Link[] => {
      const target = resolved(href, base, LINKED)
      return target === null ? [] : [{ url: target, text, rel }]
    })
    .slice(0, MOST.links)
  const images = notes.images
    .flatMap(({ src, ...rest }): Image[] => {
      const target = resolved(src, base, WEB)
      return target === null ? [] : [{ url: target, ...rest }]
    })
    .slice(0, MOST.images)
  const { counts, headings } = notes
  const description = notes.description ?? notes.ogDescription
  const language = notes.language ?? notes.metaLanguage
  return {
    title: notes.title,
    description: description === null ? null : tidy(description, LENGTHS.description),
    canonical: resolved(notes.canonical, base, WEB),
    language: language === null ? null : tidy(language, LENGTHS.language) || null,
    headings,
    links,
    images,
    leftOut: {
      headings: counts.headings - headings.length,
      links: counts.links - links.length,
      images: counts.images - images.length,
    },
    words,
  }
}
