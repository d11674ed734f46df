// Reads a page's tree in one walk, without recursion: title, description, headings, links, images, words.
import { LENGTHS, MOST, tidy } from './bounds.ts'
import type { Node } from './tree.ts'
import { createWordCounter } from './words.ts'

export interface Heading {
  level: number
  text: string
}
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

/** Not text that people see. */
const UNSEEN = ['script', 'style', 'title', 'iframe', 'noembed', 'noframes', 'template', 'head']
/** Elements inside of a line. All others end a word. */
const INLINE =
  'a abbr b bdi bdo big cite code data del dfn em font i ins kbd mark nobr q rb ruby s samp small span strike strong sub sup time tt u var wbr'.split(
    ' ',
  )
const HEADING = /^h([1-6])$/
/** The schemes of links; nothing that runs. */
const LINKED = ['http:', 'https:', 'mailto:', 'tel:', 'ftp:']
const WEB = ['http:', 'https:']
const MAX_URL = 2_048
/** The text of one heading or link, before it is made tidy. */
const COLLECTED = 2_400

const attribute = (node: Node, name: string): string | null =>
  node.attributes.find(one => one.name === name)?.value ?? null
const hasWord = (text: string | null, word: string): boolean =>
  (text ?? '').slice(0, 1_000).toLowerCase().split(/\s+/).includes(word)
const pixels = (text: string | null): number | null => {
  const [, digits] = /^\s*(\d{1,6})(?:px)?\s*$/.exec(text ?? '') ?? []
  return digits === undefined ? null : Number(digits)
}

/** An absolute URL of one of these schemes; null for anything else. */
const resolved = (text: string | null, base: URL, schemes: readonly string[]): string | null => {
  if (text === null || text.length > MAX_URL || !URL.canParse(text, base.href)) return null
  const { protocol, href } = new URL(text, base)
  return schemes.includes(protocol) && href.length <= MAX_URL ? href : null
}

/** Collects the text inside of one element. */
interface Collector {
  node: Node
  text: string
  done(text: string): void
}

/** What is found on the way; URLs wait for the base, which may stand behind them. */
interface Notes {
  title: string | null
  description: string | null
  ogDescription: string | null
  canonical: string | null
  language: string | null
  metaLanguage: string | null
  base: string | null
  headings: Heading[]
  links: { href: string; text: string; rel: string | null }[]
  images: { src: string; alt: string | null; width: number | null; height: number | null }[]
  counts: { headings: number; links: number; images: number }
}

const noteMeta = (node: Node, notes: Notes): void => {
  const content = attribute(node, 'content')
  if (content === null) return
  const name = attribute(node, 'name')?.toLowerCase()
  if (name === 'description') notes.description ??= content
  else if (attribute(node, 'property')?.toLowerCase() === 'og:description') notes.ogDescription ??= content
  else if (attribute(node, 'http-equiv')?.toLowerCase() === 'content-language') notes.metaLanguage ??= content
}

const noteImage = (node: Node, notes: Notes): void => {
  const src = attribute(node, 'src')
  if (src === null) return
  notes.counts.images += 1
  // more than there is room for: some may be left out
  if (notes.images.length >= 2 * MOST.images) return
  const alt = attribute(node, 'alt')
  notes.images.push({
    src,
    alt: alt === null ? null : tidy(alt, LENGTHS.alt),
    width: pixels(attribute(node, 'width')),
    height: pixels(attribute(node, 'height')),
  })
}

/** What is noted at the beginning of an element; a collector for its text, if it is wanted. */
const noteElement = (node: Node, notes: Notes): Collector | null => {
  const [, level] = HEADING.exec(node.name) ?? []
  if (level !== undefined) {
    notes.counts.headings += 1
    if (notes.headings.length >= MOST.headings) return null
    const heading: Heading = { level: Number(level), text: '' }
    notes.headings.push(heading)
    return {
      node,
      text: '',
      done(text) {
        heading.text = tidy(text, LENGTHS.heading)
      },
    }
  }
  switch (node.name) {
    case 'html':
      notes.language ??= attribute(node, 'lang')
      return null
    case 'base':
      notes.base ??= attribute(node, 'href')
      return null
    case 'meta':
      noteMeta(node, notes)
      return null
    case 'img':
      noteImage(node, notes)
      return null
    case 'link':
      if (hasWord(attribute(node, 'rel'), 'canonical')) notes.canonical ??= attribute(node, 'href')
      return null
    case 'title':
      // a document has one; a second is no title
      if (notes.title !== null) return null
      notes.title = ''
      return {
        node,
        text: '',
        done(text) {
          notes.title = tidy(text, LENGTHS.title)
        },
      }
    case 'a':
    case 'area': {
      const href = attribute(node, 'href')
      if (href === null) return null
      notes.counts.links += 1
      if (notes.links.length >= 2 * MOST.links) return null
      const rel = attribute(node, 'rel')
      const link = { href, text: '', rel: rel === null ? null : tidy(rel, LENGTHS.rel) }
      notes.links.push(link)
      return {
        node,
        text: '',
        done(text) {
          link.text = tidy(text, LENGTHS.link)
        },
      }
    }
  }
  return null
}

const walk = (document: Node, notes: Notes): number => {
  const countWords = createWordCounter()
  const open: Collector[] = []
  let words = 0
  /** Seen since the last end of a line. */
  let line: string[] = []
  /** The element that hides what is inside of it. */
  let hidden: Node | null = null
  const endLine = (): void => {
    if (line.length > 0) words += countWords(line.join(''))
    line = []
  }
  const collect = (text: string): void => {
    for (const one of open)
      if (one.text.length < COLLECTED) one.text += text.slice(0, COLLECTED - one.text.length)
  }
  const enter = (node: Node): void => {
    if (node.name === '#text') {
      collect(node.text)
      if (hidden === null) line.push(node.text)
      return
    }
    if (!INLINE.includes(node.name)) {
      endLine()
      collect(' ')
    }
    if (!node.isHtml) return
    const collector = noteElement(node, notes)
    if (collector !== null) open.push(collector)
    if (hidden === null && UNSEEN.includes(node.name)) hidden = node
  }
  const leave = (node: Node): void => {
    if (node.name === '#text') return
    if (!INLINE.includes(node.name)) {
      endLine()
      collect(' ')
    }
    if (open.at(-1)?.node === node) {
      const collector = open.pop()
      collector?.done(collector.text)
    }
    if (hidden === node) hidden = null
  }
  let node: Node = document
  for (;;) {
    enter(node)
    if (node.first !== null) {
      node = node.first
      continue
    }
    while (node.next === null) {
      leave(node)
      // the parser may have been stopped, but parents are whole
      if (node.parent === null) return words
      node = node.parent
    }
    leave(node)
    node = node.next
  }
}

/** @param url that the page came from */
export const extract = (document: Node, url: URL): Extracted => {
  const notes: Notes = {
    title: null,
    description: null,
    ogDescription: null,
    canonical: null,
    language: null,
    metaLanguage: null,
    base: null,
    headings: [],
    links: [],
    images: [],
    counts: { headings: 0, links: 0, images: 0 },
  }
  const words = walk(document, notes)
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
