// What single elements say of a page: its title, description and language, a heading, a link, an image.
import { LENGTHS, MOST, tidy } from './bounds.ts'
import type { Node } from './tree.ts'

export interface Heading {
  level: number
  text: string
}
const HEADING = /^h([1-6])$/
const attribute = (node: Node, name: string): string | null =>
  node.attributes.find(one => one.name === name)?.value ?? null
const hasWord = (text: string | null, word: string): boolean =>
  (text ?? '').slice(0, 1_000).toLowerCase().split(/\s+/).includes(word)
const pixels = (text: string | null): number | null => {
  const [, digits] = /^\s*(\d{1,6})(?:px)?\s*$/.exec(text ?? '') ?? []
  return digits === undefined ? null : Number(digits)
}

/** Collects the text inside of one element. */
export interface Collector {
  node: Node
  text: string
  done(text: string): void
}

/** What is found on the way; URLs wait for the base, which may stand behind them. */
export interface Notes {
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

export const emptyNotes = (): Notes => ({
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
})

/** What is noted at the beginning of an element; a collector for its text, if it is wanted. */
export const noteElement = (node: Node, notes: Notes): Collector | null => {
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
